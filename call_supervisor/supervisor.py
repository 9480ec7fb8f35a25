"""Looks at the record four times a second and does what each call needs."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from call_record import calls, snapshot, workers
from call_record.database import DATABASE_DOWN
from call_record.record import Record
from call_record.snapshot import OpenCall, Snapshot
from call_record.tables import CallState
from call_supervisor import metrics
from call_supervisor.endings import Endings
from call_supervisor.liveness import Liveness, Need
from call_supervisor.redispatch import Redispatch
from call_supervisor.rooms import Rooms, SfuUnavailable, older_agents
from call_supervisor.timeouts import Timeouts
from call_supervisor.tracked_call import TrackedCall
from service_base.tasks import TaskSet
from voice_contract.room import RoomState

log = structlog.get_logger()

CARED_FOR_MAX = 16
"""Calls that are looked after at the same time."""
ASKED_MAX = 1_000
"""Rooms that webhooks may name between two looks. The next looks find any others."""
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
        timeouts: Timeouts,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._record = record
        self._rooms = rooms
        self._timeouts = timeouts
        self._now = now
        self._liveness = Liveness(timeouts)
        self._redispatch = Redispatch(record, rooms, timeouts)
        self._endings = Endings(record, rooms, timeouts)
        self._tracked_calls: dict[str, TrackedCall] = {}
        self._asked: set[str] = set()
        self._tasks = TaskSet()
        self._sweeping = False
        self._swept_s = float("-inf")
        self._looked_s = float("-inf")

    async def run(self) -> None:
        """Supervise until cancelled."""
        try:
            while True:
                started_s = self._now()
                await self.poll()
                await asyncio.sleep(max(0.0, started_s + self._timeouts.poll_s - self._now()))
        finally:
            await self._tasks.cancel()

    def look_at(self, room: str) -> None:
        """Something happened in that room: look there soon. A webhook has no other effect."""
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
        await self._tasks.wait()

    async def poll(self) -> None:
        """Look at the record once and begin what follows from it."""
        asked_s = self._now()
        try:
            found = await snapshot.take(self._record)
        except DATABASE_DOWN as error:
            self._record_unavailable(error)
            return
        self._looked_s = self._now()
        self._liveness.look(asked_s, self._looked_s, found.calls, found.workers)
        self._measure(found)
        for worker in self._liveness.silent_workers:
            self._begin(self._mark_gone(worker.worker_id, worker.presence))
        self._tracked_calls = {
            call.call_id: self._tracked_calls.get(call.call_id)
            or TrackedCall(since_s=self._looked_s)
            for call in found.calls
        }
        asked, self._asked = self._asked, set()
        for call in found.calls:
            tracked = self._tracked_calls[call.call_id]
            self._note(call, tracked)
            tracked.put_out = found.stays_out(call)
            # The rest waits for a quarter of a second.
            if self._is_due(call, tracked, asked) and len(self._tasks) < CARED_FOR_MAX:
                tracked.busy = True
                self._begin(self._care(call, tracked))
        for name in {*asked, *self._endings.due(self._looked_s)} - self._tracked_calls.keys():
            self._begin(self._close(name))
        if not self._sweeping and self._looked_s - self._swept_s >= self._timeouts.sweep_s:
            self._sweeping, self._swept_s = True, self._looked_s
            self._begin(self._sweep())

    # -- what a look says

    def _note(self, call: OpenCall, tracked: TrackedCall) -> None:
        if call.state is CallState.ENDING and tracked.ending_since_s is None:
            tracked.ending_since_s = self._looked_s
        if call.owner is not None and tracked.sent == call.attempt:
            tracked.sent = None
            if tracked.missed_since_s is not None:
                took_s = self._looked_s - tracked.missed_since_s
                tracked.missed_since_s = None
                metrics.RECOVERY_S.observe(took_s)
                log.info(
                    "agent.replaced",
                    call_id=call.call_id,
                    attempt=call.attempt,
                    took_ms=round(took_s * 1000),
                )
        tracked.steady(call, self._timeouts)

    def _is_due(self, call: OpenCall, tracked: TrackedCall, asked: set[str]) -> bool:
        if tracked.busy:
            return False
        if call.call_id in asked or (tracked.put_out and call.state is not CallState.ENDING):
            return True
        since_s = self._looked_s - tracked.looked_s
        if tracked.sfu_unavailable:
            return since_s >= self._timeouts.look_often_s
        need = self._need(call, tracked)
        # An agent that hangs may still be heard, so it is fenced without a pause.
        if need is Need.STILL or (need is not None and self._may_try(tracked)):
            return True
        return since_s >= self._look_every_s(call, tracked) or tracked.shown != self._state(
            call, tracked
        )

    def _look_every_s(self, call: OpenCall, tracked: TrackedCall) -> float:
        recent = call.attempt > 1 and self._looked_s - tracked.since_s < self._timeouts.often_for_s
        restless = tracked.trouble_since_s is not None or call.joined_at_ms is None
        return self._timeouts.look_often_s if recent or restless else self._timeouts.look_s

    def _need(self, call: OpenCall, tracked: TrackedCall) -> Need | None:
        if tracked.held == call.attempt and call.owner is None:
            return Need.UNCLAIMED
        return self._liveness.need(call)

    def _may_try(self, tracked: TrackedCall) -> bool:
        return tracked.may_try(self._now(), self._liveness.arrived_s)

    def _state(self, call: OpenCall, tracked: TrackedCall) -> RoomState:
        """What the page should show."""
        if call.state is CallState.ENDING:
            return RoomState(attempt=call.attempt, state="ending")
        if call.owner is not None:
            return RoomState(attempt=call.attempt, state="live")
        first = call.attempt == 1 and not call.renewals
        if not self._liveness.has_slot_for(call) and not (
            first and self._need(call, tracked) is None
        ):
            return RoomState(attempt=call.attempt, state="no-agent")
        return RoomState(attempt=call.attempt, state="connecting" if first else "recovering")

    # -- what follows

    async def _care(self, call: OpenCall, tracked: TrackedCall) -> None:
        try:
            if call.state is CallState.ENDING and self._is_left(call, tracked):
                await self._endings.seal(call)
                return
            people = await self._rooms.people(call.call_id)
            now_s = self._now()
            tracked.saw(now_s, people, call.caller, self._timeouts)
            if tracked.put_out and call.caller is not None:
                await self._rooms.remove(call.call_id, call.caller)
            elif call.caller in people and call.joined_at_ms is None:
                await calls.join(self._record, call.call_id)
            for identity in older_agents(call.call_id, people, call.attempt):
                await self._rooms.remove(call.call_id, identity)
                metrics.REMOVED.inc()
            if call.state is not CallState.ENDING:
                if reason := self._endings.reason(call, tracked, now_s):
                    await self._endings.end(call, reason)
                    return
                if need := self._need(call, tracked):
                    await self._replace(call, tracked, need)
                    return
            await self._show(call.call_id, tracked, self._state(call, tracked))
        except SfuUnavailable:
            tracked.blind(self._now())
            raise
        finally:
            tracked.busy = False

    def _is_left(self, call: OpenCall, tracked: TrackedCall) -> bool:
        """Whether no job is left to seal the journal."""
        slow_s = 0.0 if tracked.ending_since_s is None else self._looked_s - tracked.ending_since_s
        dead = self._liveness.need(call) is not None
        return call.owner is None or dead or slow_s >= self._timeouts.ending_max_s

    async def _replace(self, call: OpenCall, tracked: TrackedCall, need: Need) -> None:
        now_s = self._now()
        expected = call.caller in tracked.people or (
            call.joined_at_ms is None and now_s - tracked.since_s < self._timeouts.join_within_s
        )
        can_send = expected and self._liveness.has_slot_for(call) and self._may_try(tracked)
        if expected:
            tracked.troubled(now_s)
        elif need is Need.UNCLAIMED:
            tracked.trouble_since_s = None
        if need is Need.UNCLAIMED and not can_send:
            # There is no agent to fence, and none to send.
            await self._show(call.call_id, tracked, self._state(call, tracked))
            return
        was_sent = call.attempt in (1, tracked.sent)
        raised = await self._redispatch.fence(call, need, send=can_send, was_sent=was_sent)
        if raised is None:
            return
        attempt = tracked.held = raised.attempt
        await self._show(call.call_id, tracked, RoomState(attempt=attempt, state="recovering"))
        await self._redispatch.clear(call.call_id, attempt)
        if raised.worker is not None:
            await self._redispatch.send(call, attempt, raised.worker)
            tracked.tried(self._now(), attempt, self._timeouts)

    async def _show(self, call_id: str, tracked: TrackedCall, state: RoomState) -> None:
        if tracked.shown != state and await self._redispatch.show(call_id, state):
            tracked.shown = state

    async def _sweep(self) -> None:
        try:
            rooms = await self._rooms.all()
            for room in rooms:
                if tracked := self._tracked_calls.get(room.name):
                    tracked.shown = room.state
            await self._endings.sweep(rooms, set(self._tracked_calls), self._now())
        finally:
            self._sweeping = False

    async def _close(self, name: str) -> None:
        if not await self._endings.close(name, self._now()):
            log.info("room.unknown", room=name)

    async def _mark_gone(self, worker_id: str, presence: int) -> None:
        if await workers.mark_gone(self._record, worker_id, presence):
            log.warning("worker.gone", worker_id=worker_id)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(self._guarded(work), name="supervise")

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except SfuUnavailable as error:
            metrics.SFU_ERRORS.inc()
            log.warning("sfu.unavailable", reason=str(error))
        except (TimeoutError, *DATABASE_DOWN) as error:
            self._record_unavailable(error)

    def _record_unavailable(self, error: BaseException) -> None:
        """Jobs could not renew either: what stood still says nothing."""
        self._liveness.start_over()
        metrics.POLLS.labels("record-unavailable").inc()
        log.warning("record.unavailable", error=type(error).__name__)

    def _measure(self, found: Snapshot) -> None:
        metrics.POLLS.labels("done").inc()
        metrics.FREE_SLOTS.set(self._liveness.free_slots)
        for state in (CallState.REQUESTED, CallState.LIVE, CallState.ENDING):
            count = sum(call.state is state for call in found.calls)
            metrics.CALLS.labels(state.value).set(count)
        there = [worker for worker in found.workers if not worker.gone]
        draining = sum(worker.draining for worker in there)
        metrics.WORKERS.labels("draining").set(draining)
        metrics.WORKERS.labels("taking").set(len(there) - draining)
