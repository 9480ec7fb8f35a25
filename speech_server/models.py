"""The two models, loaded once and warmed up before use."""

import asyncio
import time

import numpy as np
import structlog

from speech_server import recognizer, synthesizer
from speech_server.audio import resample
from speech_server.errors import NotReady
from speech_server.recognizer import Recognizer
from speech_server.synthesizer import Synthesizer

log = structlog.get_logger()

WARM_UP = ("Hello.", "One moment, please.", "This is a longer sentence, to be heard once.")


class Models:
    """The models. Reading one raises NotReady until `load()` has succeeded."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._loaded: tuple[Recognizer, Synthesizer] | None = None
        self._why_not = NotReady.__doc__

    async def load(self) -> None:
        """Load and warm up in a thread. A failure is logged, and reported by `check`."""
        started = time.perf_counter()
        try:
            self._loaded = await asyncio.to_thread(_load, self._threads)
        except Exception:
            self._why_not = "The speech models could not be loaded; the log says why."
            log.exception("models.failed")
            return
        log.info("models.loaded", duration_ms=round(1000 * (time.perf_counter() - started)))

    @property
    def recognizer(self) -> Recognizer:
        """Raises: NotReady"""
        return self._ready()[0]

    @property
    def synthesizer(self) -> Synthesizer:
        """Raises: NotReady"""
        return self._ready()[1]

    async def check(self) -> None:
        """For `/readyz`."""
        self._ready()

    def _ready(self) -> tuple[Recognizer, Synthesizer]:
        if self._loaded is None:
            raise NotReady(self._why_not)
        return self._loaded


def _load(threads: int) -> tuple[Recognizer, Synthesizer]:
    ears, voice = Recognizer(), Synthesizer(threads=threads)
    for clause in WARM_UP:
        sound = np.frombuffer(voice.speak(clause, 1.0), np.int16)
        ears.transcribe(resample(sound, synthesizer.RATE_HZ, recognizer.RATE_HZ))
    return ears, voice
