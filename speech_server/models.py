"""The models, loaded once and warmed up before use."""

import asyncio
import time
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np
import structlog

from speech_server import recognizer, synthesizer
from speech_server.audio import resample
from speech_server.errors import NotReady
from speech_server.recognizer import Recognizer
from speech_server.synthesizer import Synthesizer

if TYPE_CHECKING:
    # Its packages are optional.
    from speech_server.encoder import SentenceEncoder

log = structlog.get_logger()

WARM_UP = ("Hello.", "One moment, please.", "This is a longer sentence, to be heard once.")


@dataclass(frozen=True)
class _Loaded:
    recognizer: Recognizer
    synthesizer: Synthesizer
    encoder: "SentenceEncoder | None"


class Models:
    """
    The models. Reading one raises NotReady until `load()` has succeeded.

    Args: encoder: Whether the sentence encoder is loaded too.
    """

    def __init__(self, *, threads: int, encoder: bool = False) -> None:
        self._threads = threads
        self._has_encoder = encoder
        self._loaded: _Loaded | None = None
        self._why_not = NotReady.__doc__

    async def load(self) -> None:
        """Load and warm up in a thread. A failure is logged, and reported by `check`."""
        started = time.perf_counter()
        try:
            self._loaded = await asyncio.to_thread(_load, self._threads, self._has_encoder)
        except Exception:
            self._why_not = "The speech models could not be loaded; the log says why."
            log.exception("models.failed")
            return
        log.info("models.loaded", duration_ms=round(1000 * (time.perf_counter() - started)))

    @property
    def recognizer(self) -> Recognizer:
        """Raises: NotReady"""
        return self._ready().recognizer

    @property
    def synthesizer(self) -> Synthesizer:
        """Raises: NotReady"""
        return self._ready().synthesizer

    @property
    def encoder(self) -> "SentenceEncoder":
        """Raises: NotReady"""
        encoder = self._ready().encoder
        assert encoder is not None, "it was not asked for"
        return encoder

    async def check(self) -> None:
        """For `/readyz`."""
        self._ready()

    def _ready(self) -> _Loaded:
        if self._loaded is None:
            raise NotReady(self._why_not)
        return self._loaded


def _load(threads: int, has_encoder: bool) -> _Loaded:
    ears, voice = Recognizer(), Synthesizer(threads=threads)
    # Each of its voices at least once: they take turns.
    for clause in islice(cycle(WARM_UP), max(len(WARM_UP), synthesizer.voices(threads))):
        sound = np.frombuffer(voice.speak(clause, 1.0), np.int16)
        ears.transcribe(resample(sound, synthesizer.RATE_HZ, recognizer.RATE_HZ))
    return _Loaded(ears, voice, _load_encoder() if has_encoder else None)


def _load_encoder() -> "SentenceEncoder":
    from speech_server.encoder import SentenceEncoder

    encoder = SentenceEncoder()
    for sentence in WARM_UP:
        encoder.encode(sentence)
    return encoder
