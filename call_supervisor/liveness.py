"""What one supervisor has seen by its own monotonic clock: who stands still, who came."""

from collections.abc import Sequence
from enum import StrEnum

from call_record.calls import Seen
from call_record.snapshot import OpenCall
from call_record.stillness import StillnessWatch
from call_record.workers import Worker
from call_supervisor.timeouts import Timeouts


class Need(StrEnum):
    """Why a call needs another agent."""

    STILL = "still"
    """Its renewals stand still: the job is dead, cut off, or hangs."""
    GIVEN_BACK = "given-back"
    """The job died or gave up, or the worker did not take it, and says so."""
    UNCLAIMED = "unclaimed"
    """No job took the attempt: the dispatch was lost, or no worker was there for it."""


class Liveness:
    """
    Observes calls and workers over successful looks at the record.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._calls = StillnessWatch[Seen](timeouts.gap_s)
        self._workers = StillnessWatch[int](timeouts.gap_s)
        self.arrived_s = float("-inf")
        """When a worker was last seen to come."""
        self._present: dict[str, Worker] | None = None
        self._silent: list[Worker] = []
        self._taking: set[str] = set()
        self.free_slots = 0
        """Slots of the workers that take calls, less the calls that they have."""

    def start_over(self) -> None:
        """Forget how long anything stood still: the record cannot be written."""
        self._calls.start_over()
        self._workers.start_over()

    def look(
        self,
        asked_s: float,
        answered_s: float,
        calls: Sequence[OpenCall],
        workers: Sequence[Worker],
    ) -> None:
        """The record answered at *answered_s* what it was asked at *asked_s*."""
        self._calls.look({call.call_id: call.seen for call in calls}, asked_s, answered_s)
        presence = {worker.worker_id: worker.presence for worker in workers}
        self._workers.look(presence, asked_s, answered_s)
        there = [worker for worker in workers if not worker.gone]
        still = self._workers.still(self._timeouts.still_s)
        self._silent = [worker for worker in there if worker.worker_id in still]
        present = {worker.worker_id: worker for worker in there if worker not in self._silent}
        if self._present is not None and present.keys() - self._present.keys():
            self.arrived_s = answered_s
        self._present = present
        self._taking = {name for name, worker in present.items() if not worker.draining}
        self.free_slots = sum(present[name].capacity for name in self._taking) - sum(
            call.worker_id in self._taking for call in calls
        )

    @property
    def silent_workers(self) -> Sequence[Worker]:
        """Workers that stand still and are not marked as gone yet."""
        return self._silent

    def has_slot_for(self, call: OpenCall) -> bool:
        """Whether another agent can be had for *call*; its own slot will do."""
        return self.free_slots + (call.worker_id in self._taking) > 0

    def need(self, call: OpenCall) -> Need | None:
        """Why *call*, as of the last look, needs another agent; None: it does not."""
        still_s = self._calls.still_s(call.call_id)
        if call.owner is not None:
            # A worker that is gone took its jobs along.
            starting = call.renewals <= 1 and call.worker_id in (self._present or ())
            limit_s = self._timeouts.starting_s if starting else self._timeouts.still_s
            return Need.STILL if still_s >= limit_s else None
        if call.renewals:
            return Need.GIVEN_BACK
        is_there = call.worker_id in (self._present or ())
        return Need.UNCLAIMED if not is_there or still_s >= self._timeouts.claim_s else None
