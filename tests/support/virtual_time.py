"""An event loop in which waits take no time: its clock jumps to the next timer."""

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest
from aiosqlite import core

CLOCKS = ("monotonic", "perf_counter")
"""Of the module `time`: they follow. Not `time.time`: the framework orders a conversation by it."""

LOOK_S = 1e-6


class _Skipping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0
        self.statements = 0
        """How many statements of a database are at work in their threads."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(0)
        if ready or timeout is None or (self.statements and timeout > 0):
            return ready or super().select(None)
        self.skipped_s += max(0.0, timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    For tests that use the fixture `virtual_time`: what takes a minute takes exactly a minute, but
    only on the clocks.

    Timers overtake threads, processes and databases: not for tests that wait for those.
    """

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """The seconds that were skipped; looking takes one of a million, so that order shows."""
        self._skipping.skipped_s += LOOK_S
        return self._skipping.skipped_s


class DatabaseTimeLoop(VirtualTimeLoop):
    """The same, but no timer overtakes SQLite. Only within `database_time`."""

    def began(self) -> None:
        """A statement was given to its thread."""
        self._skipping.statements += 1

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Also when a statement has ended."""

        def ended() -> None:
            self._skipping.statements -= 1
            callback(*args)

        if callback in (core.set_result, core.set_exception):
            return super().call_soon_threadsafe(ended, context=context)
        return super().call_soon_threadsafe(callback, *args, context=context)


class _Statements(SimpleQueue[Any]):
    def put_nowait(self, item: Any) -> None:
        if item[0] is not None:
            item[0].get_loop().began()
        super().put_nowait(item)


@contextmanager
def database_time() -> Iterator[asyncio.Runner]:
    """Runs what it is given on a `DatabaseTimeLoop`; all clocks agree on how long it took."""
    with (
        pytest.MonkeyPatch.context() as patch,
        asyncio.Runner(loop_factory=DatabaseTimeLoop) as runner,
    ):
        loop = runner.get_loop()
        patch.setattr(core, "SimpleQueue", _Statements)
        for name in CLOCKS:
            patch.setattr(time, name, loop.time)
        yield runner
