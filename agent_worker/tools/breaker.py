"""The circuit breaker of a backend: after failures in a row it is left alone for a while."""

from call_record.clock import Clock

FAILURES = 5
"""So many in a row open it."""
OPEN_S = 10.0


class Breaker:
    """
    Closed it lets every call through. Open it lets none through for 10 s, then one alone, by
    which it closes or opens again. A call that was cancelled says nothing about the backend.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._opened_s: float | None = None
        self._probing = False

    @property
    def lets_through(self) -> bool:
        """Whether a call could pass now."""
        if self._opened_s is None:
            return True
        return not self._probing and self._clock.boot_s() - self._opened_s >= OPEN_S

    def enter(self) -> bool:
        """Begin a call, if it may pass; tell how it went with one of the others."""
        if not self.lets_through:
            return False
        self._probing = self._opened_s is not None
        return True

    def succeeded(self) -> None:
        """The backend answered."""
        self._failures = 0
        self._opened_s = None
        self._probing = False

    def failed(self) -> None:
        """It did not answer, or broke."""
        self._failures += 1
        if self._failures >= FAILURES or self._probing:
            self._opened_s = self._clock.boot_s()
        self._probing = False

    def cancelled(self) -> None:
        """Nobody waited for the answer."""
        self._probing = False
