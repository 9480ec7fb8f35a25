"""
The backends of one call's tools: each has a circuit breaker and a concurrency limit.

Both are kept per call and backend. Each call runs in a process of its own, so a call learns nothing
from another one's failures, and a backend gets up to `AT_ONCE` tries from every call at a time.
"""

import asyncio

from agent_worker.tools.breaker import Breaker
from call_record.clock import Clock

AT_ONCE = 4
"""How many tries one call may have at one backend at the same time."""


class Backend:
    """What a call's tools with the same backend share."""

    def __init__(self, clock: Clock) -> None:
        self.breaker = Breaker(clock)
        self.permits = asyncio.Semaphore(AT_ONCE)


class Backends:
    """The backends of one call by name, each made when it is first used."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Backend] = {}

    def of(self, name: str) -> Backend:
        """The backend of that name."""
        if name not in self._known:
            self._known[name] = Backend(self._clock)
        return self._known[name]
