"""Sounds that are no words, as a microphone sends them."""

import numpy as np

from devstack.caller import RATE_HZ, Pcm


def silence(seconds: float) -> Pcm:
    return np.zeros(int(seconds * RATE_HZ), np.int16)


def cough(seed: int = 7) -> Pcm:
    """A burst of noise, 0.35 s long, that dies away; each *seed* is another one."""
    noise = np.random.default_rng(seed).normal(0, 9_000, int(0.35 * RATE_HZ))
    fading = np.exp(-np.linspace(0, 5, len(noise)))
    return np.clip(noise * fading, -32_000, 32_000).astype(np.int16)
