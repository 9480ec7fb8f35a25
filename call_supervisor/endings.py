"""Ends the calls that no agent ends, and closes the rooms of ended calls."""

import structlog

from call_record import calls, journal
from call_record.record import Record
from call_record.snapshot import OpenCall
from call_record.tables import CallState
from call_record.timeline import fold
from call_supervisor import metrics
from call_supervisor.rooms import OpenRoom, Rooms
from call_supervisor.timeouts import Timeouts
from call_supervisor.tracked_call import TrackedCall

log = structlog.get_logger()


class Endings:
    """Ends calls that are over."""

    def __init__(self, record: Record, rooms: Rooms, timeouts: Timeouts) -> None:
        self._record = record
        self._rooms = rooms
        self._timeouts = timeouts
        self._ended: dict[str, float] = {}
        """Rooms of ended calls, and when they were first seen."""

    def reason(self, call: OpenCall, tracked: TrackedCall, now_s: float) -> str | None:
        """Why *call*, requested or live, is over; None: it is not."""
        if tracked.put_out:
            return "put-out"
        joined = call.joined_at_ms is not None
        absent_s = tracked.absent_for_s(now_s)
        if joined and absent_s >= self._timeouts.grace_s:
            return "caller-gone"
        if not joined and min(absent_s, now_s - tracked.since_s) >= self._timeouts.unjoined_s:
            return "no-caller"
        sought_s = 0.0 if tracked.trouble_since_s is None else now_s - tracked.trouble_since_s
        if call.owner is None and sought_s >= self._timeouts.no_agent_s:
            return "no-agent"
        return None

    async def end(self, call: OpenCall, reason: str) -> None:
        """End a call: its job seals it; a call without a job is sealed here."""
        if call.state is CallState.REQUESTED:
            await self.seal(call, reason)
        elif await calls.end(self._record, call.call_id, reason):
            log.info("call.over", call_id=call.call_id, reason=reason)

    async def seal(self, call: OpenCall, reason: str | None = None) -> None:
        """
        Seal the journal of a call that no living job has, and close its room.

        Args: reason: None: the one for which it is ending.
        """
        if reason is None:
            reason = await self._why(call.call_id)
        try:
            await journal.seal(self._record, call.call_id, None, reason)
        except journal.StaleAttempt as stale:
            log.info("call.not_sealed", call_id=call.call_id, reason=stale.reason)
            return
        metrics.ENDED.labels(reason).inc()
        log.info("call.ended", call_id=call.call_id, reason=reason, by="supervisor")
        await self._delete(call.call_id)

    async def sweep(self, rooms: list[OpenRoom], open_calls: set[str], now_s: float) -> None:
        """Close the rooms of ended calls. Rooms that belong to no call are left alone."""
        others = [room.name for room in rooms if room.name not in open_calls]
        unknown = 0
        for name in others:
            unknown += not await self.close(name, now_s)
        metrics.UNKNOWN_ROOMS.set(unknown)
        self._ended = {name: since_s for name, since_s in self._ended.items() if name in others}

    async def close(self, name: str, now_s: float) -> bool:
        """
        Close the room if its call ended a while ago, also on anybody who joins it later.

        Returns: False: the room belongs to no call.
        """
        call = await calls.read(self._record, name)
        if call is None:
            return False
        if call.state is CallState.ENDED:
            since_s = self._ended.setdefault(name, now_s)
            if now_s - since_s >= self._timeouts.delete_after_s:
                await self._delete(name)
        return True

    def due(self, now_s: float) -> list[str]:
        """Rooms of ended calls that are to be closed now."""
        return [
            name
            for name, since_s in self._ended.items()
            if now_s - since_s >= self._timeouts.delete_after_s
        ]

    async def _delete(self, call_id: str) -> None:
        await self._rooms.delete(call_id)
        self._ended.pop(call_id, None)
        metrics.ROOMS_DELETED.inc()
        log.info("room.deleted", call_id=call_id)

    async def _why(self, call_id: str) -> str:
        ending = fold(await journal.read(self._record, call_id)).ending
        return ending.entry.reason if ending else "unknown"
