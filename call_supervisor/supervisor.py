"""Looks at the record four times a second, and does for each call what it needs."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from call_record import calls, snapshot, workers
from call_record.calls import Call
from call_record.database import DATABASE_DOWN
from call_record.record import Record
from call_record.snapshot import Snapshot
from call_record.tables import CallState
from call_supervisor import metrics
from call_supervisor.endings import Endings
from call_supervisor.liveness import Liveness, Need
from call_supervisor.redispatch import Redispatch
from call_supervisor.rooms import Rooms, SfuUnavailable, older_agents
from call_supervisor.timeouts import Timeouts
from call_supervisor.tracked_call import TrackedCall
from voice_contract.room import RoomState

log = structlog.get_logger()

AT_ONCE = 16
"""Calls that are cared for at the same time."""
ASKED_MAX = 1_000
"""Rooms that webhooks may name between two looks; what is more, the next looks find."""
READY_WITHIN_S = 3.0


class CallSupervisor:
    """
    Sees that every accepted call has exactly one live agent until it ends.

    Several may run on one record: each action begins with a conditional UPDATE that one wins, or
    can be done twice.

    Args: now: the monotonic clock.
    """

    def __init__(
        self,
        record: Record,
        rooms: Rooms,
        times: Timeouts,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._rooms = rooms
        self._times = times
        self._now = now
        self._watch = Liveness(times)
        self._recovery = Redispatch(record, rooms, times)
        self._ends = Endings(record, rooms, times)
        self._cases: dict[str, TrackedCall] = {}
        self._asked: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeping = False
        self._swept_s = float("-inf")
        self._looked_s = float("-inf")

    async def run(self) -> None:
        """Supervise until cancelled."""
        try:
            while True:
                started_s = self._now()
                await self.poll()
                await asyncio.sleep(max(0.0, started_s + self._times.poll_s - self._now()))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def look_at(self, room: str) -> None:
        """Something happened in that room: look there soon. No more follows from a webhook."""
        if len(self._asked) < ASKED_MAX:
            self._asked.add(room)

    async def reads_the_record(self) -> None:
        """
        Return when the record was read a moment ago.

        Raises: RuntimeError: it was not.
        """
        if self._now() - self._looked_s > READY_WITHIN_S:
            raise RuntimeError("the record does not answer")

    async def settle(self) -> None:
        """Wait until everything that is under way is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def poll(self) -> None:
        """Look at the record once and begin what follows from it."""
        asked_s = self._now()
        try:
            found = await snapshot.take(self._record)
        except DATABASE_DOWN as error:
            self._record_away(error)
            return
        self._looked_s = self._now()
        self._watch.look(asked_s, self._looked_s, found.calls, found.workers)
        self._measure(found)
        for worker in self._watch.silent_workers:
            self._begin(self._mark_gone(worker.worker_id, worker.presence))
        self._cases = {
            call.call_id: self._cases.get(call.call_id) or TrackedCall(since_s=self._looked_s)
            for call in found.calls
        }
        asked, self._asked = self._asked, set()
        for call in found.calls:
            case = self._cases[call.call_id]
            self._note(call, case)
            case.put_out = found.stays_out(call)
            # The rest waits for a quarter of a second.
            if self._is_due(call, case, asked) and len(self._tasks) < AT_ONCE:
                case.busy = True
                self._begin(self._care(call, case))
        for name in {*asked, *self._ends.due(self._looked_s)} - self._cases.keys():
            self._begin(self._close(name))
        if not self._sweeping and self._looked_s - self._swept_s >= self._times.sweep_s:
            self._sweeping, self._swept_s = True, self._looked_s
            self._begin(self._sweep())

    # -- what a look says

    def _note(self, call: Call, case: TrackedCall) -> None:
        if call.state is CallState.ENDING and case.ending_since_s is None:
            case.ending_since_s = self._looked_s
        if call.owner is not None and case.sent == call.attempt:
            case.sent = None
            if case.missed_since_s is not None:
                took_s = self._looked_s - case.missed_since_s
                case.missed_since_s = None
                metrics.RECOVERY_S.observe(took_s)
                log.info(
                    "agent.replaced",
                    call_id=call.call_id,
                    attempt=call.attempt,
                    took_ms=round(took_s * 1000),
                )
        case.steady(call, self._times)

    def _is_due(self, call: Call, case: TrackedCall, asked: set[str]) -> bool:
        if case.busy:
            return False
        if call.call_id in asked or (case.put_out and call.state is not CallState.ENDING):
            return True
        since_s = self._looked_s - case.looked_s
        if case.away:
            return since_s >= self._times.look_often_s
        need = self._need(call, case)
        # Who hangs may still be heard, so it is fenced without a pause.
        if need is Need.STILL or (need is not None and self._may_try(case)):
            return True
        return since_s >= self._look_every_s(call, case) or case.shown != self._state(call, case)

    def _look_every_s(self, call: Call, case: TrackedCall) -> float:
        recent = call.attempt > 1 and self._looked_s - case.since_s < self._times.often_for_s
        restless = case.trouble_since_s is not None or call.joined_at_ms is None
        return self._times.look_often_s if recent or restless else self._times.look_s

    def _need(self, call: Call, case: TrackedCall) -> Need | None:
        if case.held == call.attempt and call.owner is None:
            return Need.UNCLAIMED
        return self._watch.need(call)

    def _may_try(self, case: TrackedCall) -> bool:
        return case.may_try(self._now(), self._watch.arrived_s)

    def _state(self, call: Call, case: TrackedCall) -> RoomState:
        """What the page should show."""
        if call.state is CallState.ENDING:
            return RoomState(attempt=call.attempt, state="ending")
        if call.owner is not None:
            return RoomState(attempt=call.attempt, state="live")
        first = call.attempt == 1 and not call.renewals
        if self._watch.free_slots <= 0 and not (first and self._need(call, case) is None):
            return RoomState(attempt=call.attempt, state="no-agent")
        return RoomState(attempt=call.attempt, state="connecting" if first else "recovering")

    # -- what follows

    async def _care(self, call: Call, case: TrackedCall) -> None:
        try:
            if call.state is CallState.ENDING and self._is_left(call, case):
                await self._ends.seal(call)
                return
            people = await self._rooms.people(call.call_id)
            now_s = self._now()
            case.saw(now_s, people, call.caller, self._times)
            if case.put_out and call.caller is not None:
                await self._rooms.remove(call.call_id, call.caller)
            elif call.caller in people and call.joined_at_ms is None:
                await calls.join(self._record, call.call_id)
            for identity in older_agents(call.call_id, people, call.attempt):
                await self._rooms.remove(call.call_id, identity)
                metrics.REMOVED.inc()
            if call.state is not CallState.ENDING:
                if reason := self._ends.reason(call, case, now_s):
                    await self._ends.end(call, reason)
                    return
                if need := self._need(call, case):
                    await self._replace(call, case, need)
                    return
            await self._show(call.call_id, case, self._state(call, case))
        except SfuUnavailable:
            case.blind(self._now())
            raise
        finally:
            case.busy = False

    def _is_left(self, call: Call, case: TrackedCall) -> bool:
        """Whether nobody is there to seal the journal."""
        slow_s = 0.0 if case.ending_since_s is None else self._looked_s - case.ending_since_s
        dead = self._watch.need(call) is not None
        return call.owner is None or dead or slow_s >= self._times.ending_max_s

    async def _replace(self, call: Call, case: TrackedCall, need: Need) -> None:
        now_s = self._now()
        expected = call.caller in case.people or (
            call.joined_at_ms is None and now_s - case.since_s < self._times.join_within_s
        )
        can_send = expected and self._watch.free_slots > 0 and self._may_try(case)
        if expected:
            case.troubled(now_s)
        elif need is Need.UNCLAIMED:
            case.trouble_since_s = None
        if need is Need.UNCLAIMED and not can_send:
            # Nobody to fence, nobody to send.
            await self._show(call.call_id, case, self._state(call, case))
            return
        attempt = await self._recovery.fence(call, need)
        if attempt is None:
            return
        case.held = attempt
        await self._show(call.call_id, case, RoomState(attempt=attempt, state="recovering"))
        await self._recovery.clear(call.call_id, attempt)
        if can_send:
            await self._recovery.send(call, attempt)
            case.tried(self._now(), attempt, self._times)

    async def _show(self, call_id: str, case: TrackedCall, state: RoomState) -> None:
        if case.shown != state and await self._recovery.show(call_id, state):
            case.shown = state

    async def _sweep(self) -> None:
        try:
            rooms = await self._rooms.all()
            for room in rooms:
                if case := self._cases.get(room.name):
                    case.shown = room.state
            await self._ends.sweep(rooms, set(self._cases), self._now())
        finally:
            self._sweeping = False

    async def _close(self, name: str) -> None:
        if not await self._ends.close(name, self._now()):
            log.info("room.unknown", room=name)

    async def _mark_gone(self, worker_id: str, presence: int) -> None:
        if await workers.mark_gone(self._record, worker_id, presence):
            log.warning("worker.gone", worker_id=worker_id)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SfuUnavailable as error:
            metrics.SFU_ERRORS.inc()
            log.warning("sfu.away", reason=str(error))
        except (TimeoutError, *DATABASE_DOWN) as error:
            self._record_away(error)
        except Exception as error:
            log.error("supervisor.failed", exc_info=error)

    def _record_away(self, error: BaseException) -> None:
        """Jobs could not renew either: what stood still says nothing."""
        self._watch.start_anew()
        metrics.POLLS.labels("record-away").inc()
        log.warning("record.away", error=type(error).__name__)

    def _measure(self, found: Snapshot) -> None:
        metrics.POLLS.labels("done").inc()
        metrics.FREE_SLOTS.set(self._watch.free_slots)
        for state in (CallState.REQUESTED, CallState.LIVE, CallState.ENDING):
            count = sum(call.state is state for call in found.calls)
            metrics.CALLS.labels(state.value).set(count)
        there = [worker for worker in found.workers if not worker.gone]
        draining = sum(worker.draining for worker in there)
        metrics.WORKERS.labels("draining").set(draining)
        metrics.WORKERS.labels("taking").set(len(there) - draining)
