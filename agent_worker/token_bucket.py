"""
A token bucket: a burst at once, and from then on so many a second.

`limits`, which counts requests at the door, has windows only and reads the machine's clock itself.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """*burst* at once, and *per_s* a second from then on."""

    burst: int
    per_s: float


class TokenBucket:
    """
    Lets through what *rate* allows.

    Args: now_s: a clock that never goes back, in seconds.
    """

    def __init__(self, rate: Rate, now_s: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now_s = now_s
        self._left = float(rate.burst)
        self._counted_at_s = now_s()

    def take(self) -> bool:
        """Whether one more is allowed now. If so, it is counted."""
        now_s = self._now_s()
        refilled = self._left + (now_s - self._counted_at_s) * self._rate.per_s
        self._left = min(self._rate.burst, refilled)
        self._counted_at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
