"""Whether this worker's callers are answered in time, and how many calls it therefore offers."""

import time
from collections import deque
from collections.abc import Callable
from statistics import median

import structlog

log = structlog.get_logger()

CALLS_A_CORE = 2.5
"""What a core serves in time, with local speech beside the worker."""
WINDOW_S = 60.0
"""Older answers say nothing about now."""
TURNS = 8
TURNS_MIN = 4
"""One slow answer is the model's or a tool's; several in a row are the machine's."""
LAGS = 5
LAG_MAX_S = 0.25
"""An event loop that is that late does not get its share of the machine."""
BACK_AT = 0.75
"""Of the budgets: what has to be reached again before new calls are taken."""


def default_capacity(cores: float) -> int:
    """As many calls as that many cores serve in time, and at least one."""
    return max(1, int(CALLS_A_CORE * cores))


class ServiceLevel:
    """
    A place is what can be served: a worker whose calls are answered late takes no new ones.

    Args:
        capacity: how many calls it takes while all are answered in time.
        turn_budget_s: from the end of the caller's words to the agent's first sound; 0: no limit.
        now: a clock that never goes back, in seconds.
    """

    def __init__(
        self, capacity: int, turn_budget_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = capacity
        self._turn_budget_s = turn_budget_s or float("inf")
        self._now = now
        self._turns: deque[tuple[float, float]] = deque(maxlen=TURNS)
        self._lags: deque[float] = deque(maxlen=LAGS)
        self._is_late = False

    def answered(self, latency_s: float) -> None:
        """A caller heard an answer after that time."""
        self._turns.append((self._now(), latency_s))

    def lagged(self, lag_s: float) -> None:
        """The worker's event loop was that late."""
        self._lags.append(lag_s)

    def offered(self, calls: int) -> int:
        """
        How many calls to take in all, while there are *calls*: the capacity, or no more than there
        are, but one.
        """
        turn_s, lag_s = self._turn_s(), median(self._lags or [0.0])
        share = BACK_AT if self._is_late else 1.0
        is_late = turn_s > self._turn_budget_s * share or lag_s > LAG_MAX_S * share
        if is_late is not self._is_late:
            self._is_late = is_late
            log.warning(
                "worker.late" if is_late else "worker.in_time",
                calls=calls,
                turn_ms=round(turn_s * 1000),
                lag_ms=round(lag_s * 1000),
            )
        return max(1, min(calls, self._capacity)) if is_late else self._capacity

    def _turn_s(self) -> float:
        """The median of the last turns; 0: there are too few."""
        since_s = self._now() - WINDOW_S
        turns_s = [latency_s for at_s, latency_s in self._turns if at_s >= since_s]
        return median(turns_s) if len(turns_s) >= TURNS_MIN else 0.0
