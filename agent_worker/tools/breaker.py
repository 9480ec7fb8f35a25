"""The circuit breaker of a backend: after five failures in a row, requests pause for 10 s."""

from call_record.clock import Clock

FAILURES = 5
"""How many in a row open it."""
OPEN_S = 10.0


class Breaker:
    """
    Closed, it lets every try through. Open, it lets none through for 10 s, and then a single one,
    whose result closes it or opens it again. A cancelled try says nothing about the backend.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._opened_s: float | None = None
        self._probing = False

    @property
    def lets_through(self) -> bool:
        """Whether a try could pass now."""
        if self._opened_s is None:
            return True
        return not self._probing and self._clock.boot_s() - self._opened_s >= OPEN_S

    def enter(self) -> bool:
        """Begin a try, if it may pass; report its result by one of the other methods."""
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
        """The backend did not answer, or answered with an error."""
        self._failures += 1
        if self._failures >= FAILURES or self._probing:
            self._opened_s = self._clock.boot_s()
        self._probing = False

    def cancelled(self) -> None:
        """The try was cancelled before the backend answered."""
        self._probing = False
