"""Seeing that an executor is dead, by one's own clock alone."""

from collections.abc import Iterable
from dataclasses import dataclass

from call_record.executors import Executor

DEAD_S = 4.0
"""An executor that counts no further for so long is dead; it counts each second."""
GAP_S = 2.5
"""Who did not look for so long has not seen them stand still: perhaps all were stopped."""


@dataclass(frozen=True)
class _Seen:
    presence: int
    since_s: float


class Liveness:
    """Observes the others. *now_s* below is monotonic time in seconds."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._seen: dict[str, _Seen] = {}
        self._looked_s = 0.0

    def look(self, executors: Iterable[Executor], now_s: float) -> list[Executor]:
        """Returns: those that stood still for too long."""
        if now_s - self._looked_s > GAP_S:
            self._seen.clear()
        self._looked_s = now_s
        dead = []
        seen: dict[str, _Seen] = {}
        for one in executors:
            if one.executor_id == self._own_id or one.gone:
                continue
            last = self._seen.get(one.executor_id)
            if last is None or last.presence != one.presence:
                last = _Seen(one.presence, now_s)
            seen[one.executor_id] = last
            if now_s - last.since_s >= DEAD_S:
                dead.append(one)
        self._seen = seen
        return dead
