"""What one supervisor has itself seen, by its own monotonic clock: who stands still, who came."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from call_record.calls import Call, Seen
from call_record.workers import Worker
from call_supervisor.timeouts import Timeouts

V = TypeVar("V")


class Need(StrEnum):
    """Why a call needs another agent."""

    STILL = "still"
    """Its renewals stand still: the job is dead, cut off, or hangs."""
    GIVEN_BACK = "given-back"
    """The job died or gave up, and its worker says so."""
    UNCLAIMED = "unclaimed"
    """No job took the attempt: the dispatch was lost."""


class _Stillness(Generic[V]):
    """Since when each value has been seen unchanged."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[V, float]] = {}

    def look(self, values: Mapping[str, V], answered_s: float, *, anew: bool) -> None:
        """The values as they were read; *anew*: what was seen before does not count."""
        before = {} if anew else self._seen
        self._seen = {
            key: before[key] if before.get(key, (None,))[0] == value else (value, answered_s)
            for key, value in values.items()
        }

    def since_s(self, key: str) -> float:
        """When the present value was first seen."""
        return self._seen[key][1]


class Liveness:
    """
    Observes calls and workers over successful looks at the record.

    No clock of another process is compared: what counts is that the same value was seen twice.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._calls = _Stillness[Seen]()
        self._workers = _Stillness[int]()
        self._asked_s = 0.0
        self._answered_s: float | None = None
        self.arrived_s = float("-inf")
        """When a worker was last seen to come."""
        self._present: dict[str, Worker] | None = None
        self._silent: list[Worker] = []
        self.free_slots = 0
        """Of workers that take calls, less the calls that they have."""

    def start_anew(self) -> None:
        """Forget for how long anything stood still: the record cannot be written."""
        self._answered_s = None

    def look(
        self, asked_s: float, answered_s: float, calls: Sequence[Call], workers: Sequence[Worker]
    ) -> None:
        """The record answered at *answered_s* what it was asked at *asked_s*."""
        anew = self._answered_s is None or asked_s - self._answered_s > self._timeouts.gap_s
        self._asked_s, self._answered_s = asked_s, answered_s
        self._calls.look({call.call_id: call.seen for call in calls}, answered_s, anew=anew)
        self._workers.look(
            {worker.worker_id: worker.presence for worker in workers}, answered_s, anew=anew
        )
        there = [worker for worker in workers if not worker.gone]
        self._silent = [
            worker
            for worker in there
            if asked_s - self._workers.since_s(worker.worker_id) >= self._timeouts.still_s
        ]
        present = {worker.worker_id: worker for worker in there if worker not in self._silent}
        if self._present is not None and present.keys() - self._present.keys():
            self.arrived_s = answered_s
        self._present = present
        taking = {name for name, worker in present.items() if not worker.draining}
        self.free_slots = sum(present[name].capacity for name in taking) - sum(
            call.worker_id in taking for call in calls
        )

    @property
    def silent_workers(self) -> Sequence[Worker]:
        """Workers that stand still and are not marked as gone yet."""
        return self._silent

    def still_for_s(self, call: Call) -> float:
        """For how long the call has surely been as it is."""
        return self._asked_s - self._calls.since_s(call.call_id)

    def need(self, call: Call) -> Need | None:
        """Why *call*, as of the last look, needs another agent; None: it does not."""
        still_s = self.still_for_s(call)
        if call.owner is not None:
            # A worker that is gone took its jobs along.
            starting = call.renewals <= 1 and call.worker_id in (self._present or ())
            limit_s = self._timeouts.starting_s if starting else self._timeouts.still_s
            return Need.STILL if still_s >= limit_s else None
        if call.renewals:
            return Need.GIVEN_BACK
        arrived = self.arrived_s > self._calls.since_s(call.call_id)
        limit_s = self._timeouts.claim_after_arrival_s if arrived else self._timeouts.claim_s
        return Need.UNCLAIMED if still_s >= limit_s else None
