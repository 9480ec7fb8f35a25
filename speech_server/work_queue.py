"""A bounded queue in front of a bounded number of threads."""

import asyncio
import heapq
import itertools
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from enum import IntEnum
from typing import Literal, TypeVar

from speech_server.errors import Busy
from speech_server.metrics import DURATION_S, QUEUE_DEPTH, WAIT_S

Kind = Literal["stt", "tts", "encoder"]
T = TypeVar("T")


class Urgency(IntEnum):
    """Which calls come first; of the same urgency, those that came first."""

    NOW = 0
    """Somebody waits in silence."""
    SOON = 1
    """It is to be heard behind what is being heard now."""
    LATER = 2
    """Nobody waits for it."""


class WorkQueue:
    """
    Runs one model's calls in threads, the most urgent first.

    Args:
        kind: the label in metrics.
        workers: calls that run in parallel.
        queue: requests that may be admitted beyond those.
        niceness: how far the threads stand behind the others of the process, 0 to 19; where the
            system knows no threads' priorities, it has no effect.
    """

    def __init__(self, kind: Kind, *, workers: int, queue: int, niceness: int = 0) -> None:
        self.kind = kind
        self._limit = workers + queue
        self._admitted = 0
        self._idle = workers
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._executor = ThreadPoolExecutor(
            workers, kind, initializer=_step_back, initargs=(niceness,)
        )

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        """
        Admit one request, which may then make several calls, one after another.

        Raises: Busy: too many requests are admitted.
        """
        if self._admitted >= self._limit:
            raise Busy
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def run(self, call: Callable[[], T], urgency: Urgency = Urgency.NOW) -> tuple[T, float]:
        """
        Run *call* in a thread. Returns: its result, and its duration in seconds.

        When cancelled before it starts, *call* never runs. When cancelled while it runs, its
        result is dropped, and its thread stays occupied until it is done.
        """
        arrived = time.perf_counter()
        with QUEUE_DEPTH.labels(self.kind).track_inprogress():
            await self._turn(urgency)
        started = time.perf_counter()
        WAIT_S.labels(self.kind).observe(started - arrived)
        try:
            future = asyncio.get_running_loop().run_in_executor(self._executor, call)
        except BaseException:
            self._next()
            raise
        future.add_done_callback(lambda _: self._next())
        result = await asyncio.shield(future)
        duration_s = time.perf_counter() - started
        DURATION_S.labels(self.kind).observe(duration_s)
        return result, duration_s

    async def _turn(self, urgency: Urgency) -> None:
        """Wait for a thread."""
        if self._idle:
            self._idle -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._numbers), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It had just been given a thread.
                self._next()
            raise

    def _next(self) -> None:
        """A thread is free."""
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._idle += 1

    def close(self) -> None:
        """Accept no more calls. Running calls finish."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def _step_back(niceness: int) -> None:
    """Lower the priority of the current thread."""
    if niceness and sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            before = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, min(before + niceness, 19))
