"""The two clocks of the record, injected so that tests can turn them."""

import time
from typing import Protocol


class Clock(Protocol):
    """A clock for people and one for deadlines."""

    def now_ms(self) -> int:
        """Unix time in milliseconds: for people, never compared."""

    def boot_s(self) -> float:
        """Seconds that pass also while the machine or the process sleeps."""


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def boot_s(self) -> float:
        """
        CLOCK_BOOTTIME: on Linux CLOCK_MONOTONIC stands still while the machine sleeps, and a lease
        must run out meanwhile. macOS has no CLOCK_BOOTTIME; its CLOCK_MONOTONIC counts sleep too.
        """
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
