"""Starts tasks and keeps them until they end: the event loop itself only holds them weakly."""

import asyncio
import contextvars
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


def is_cancelled(error: BaseException) -> bool:
    """Whether *error* cancels the current task. A function may raise a cancellation of its own."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)


class TaskSet:
    """
    The background tasks of one owner. `len` counts those that have not ended.

    A task should handle the exceptions that it expects; any other one is logged with the task's
    name, without the exception's text, which may hold what a caller said.

    Args:
        isolated: Run each task in a fresh context with the log fields of now. What a library keeps
            in context variables, such as LiveKit's current speech, does not reach into the task.
    """

    def __init__(self, *, isolated: bool = False) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._log_fields = structlog.contextvars.get_contextvars() if isolated else None

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> "asyncio.Task[T]":
        """Run *work* in the background."""
        context = None
        if self._log_fields is not None:
            context = contextvars.Context()
            context.run(structlog.contextvars.bind_contextvars, **self._log_fields)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait until all have ended, those started meanwhile too; for *timeout_s* at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._running:
                    await asyncio.wait(self._running)

    async def cancel(self) -> None:
        """Cancel all, those started meanwhile too, and wait until they have ended."""
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def __len__(self) -> int:
        return len(self._running)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            stack = "".join(traceback.format_tb(error.__traceback__))
            log.error("task.failed", task=task.get_name(), error=type(error).__name__, stack=stack)
