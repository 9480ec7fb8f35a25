"""Backends as the gate sees them: each has a breaker, and so many places for calls at once."""

import asyncio

from agent_worker.tools.breaker import Breaker
from call_record.clock import Clock

AT_ONCE = 4
"""Calls of one backend that run at the same time, of one call."""


class Backend:
    """What the tools of one backend share."""

    def __init__(self, clock: Clock) -> None:
        self.breaker = Breaker(clock)
        self.permits = asyncio.Semaphore(AT_ONCE)


class Backends:
    """By name, made when they are first spoken of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Backend] = {}

    def of(self, name: str) -> Backend:
        """The backend of that name."""
        if name not in self._known:
            self._known[name] = Backend(self._clock)
        return self._known[name]
