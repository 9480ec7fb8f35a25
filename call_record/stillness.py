"""Seeing that something stands still: a job's renewals, a worker's or an executor's presence."""

from collections.abc import Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class StillnessWatch(Generic[V]):
    """
    Since when each of several values has been seen unchanged.

    It goes by the watcher's own monotonic clock, in seconds, and counts answered looks only: no
    clock of another process is compared.

    Args: gap_s: A watcher that did not look for longer starts over: everybody may have been
        stopped, itself included.
    """

    def __init__(self, gap_s: float) -> None:
        self._gap_s = gap_s
        self._seen: dict[str, tuple[V, float]] = {}
        self._asked_s = 0.0
        self._answered_s = float("-inf")

    def start_over(self) -> None:
        """Forget how long anything stood still: nobody could move."""
        self._answered_s = float("-inf")

    def look(self, values: Mapping[str, V], asked_s: float, answered_s: float) -> None:
        """The *values*, by key, that were asked for at *asked_s* and came at *answered_s*."""
        before = self._seen if asked_s - self._answered_s <= self._gap_s else {}
        self._asked_s, self._answered_s = asked_s, answered_s
        self._seen = {
            key: before[key] if before.get(key, (None,))[0] == value else (value, answered_s)
            for key, value in values.items()
        }

    def since_s(self, key: str) -> float:
        """When the present value was first seen."""
        return self._seen[key][1]

    def still_s(self, key: str) -> float:
        """For how long the value has surely not moved: from that answer to the last question."""
        return self._asked_s - self.since_s(key)

    def still(self, limit_s: float) -> list[str]:
        """What has not moved for *limit_s* or longer."""
        return [key for key in self._seen if self.still_s(key) >= limit_s]
