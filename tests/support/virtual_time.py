"""An event loop in which waits take no time: its clock jumps to the next timer."""

import asyncio
import selectors
from typing import Any

CLOCKS = ("monotonic", "perf_counter")
"""Of the module `time`: they follow. Not `time.time`: the framework orders a conversation by it."""

LOOK_S = 1e-6


class _Skipping(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, Any]]:
        ready = super().select(0)
        if ready or timeout is None:
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
