"""Sounds that are no words, as a microphone sends them."""

from collections.abc import Iterator

import numpy as np

from devstack.caller import FRAME_SAMPLES, RATE_HZ, Ear, Pcm


def silence(seconds: float) -> Pcm:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def cough(seed: int = 7) -> Pcm:
    """A burst of noise, 0.35 s long, that dies away; each *seed* is another one."""
    noise = np.random.default_rng(seed).normal(0, 9_000, int(0.35 * RATE_HZ))
    fading = np.exp(-np.linspace(0, 5, len(noise)))
    return np.clip(noise * fading, -32_000, 32_000).astype(np.int16)


def echo(ear: Ear, *, level_db: float, after_s: float) -> Iterator[Pcm]:
    """What comes back of what *ear* hears: a loudspeaker's sound, quieter and later."""
    heard = len(ear.frames)
    coming = silence(after_s)
    while True:
        new = [pcm for _, pcm in ear.frames[heard:]]
        heard += len(new)
        coming = np.concatenate([coming, *new])
        frame, coming = coming[:FRAME_SAMPLES], coming[FRAME_SAMPLES:]
        quiet = frame * 10 ** (level_db / 20)
        yield np.pad(quiet, (0, FRAME_SAMPLES - len(frame))).astype(np.int16)
