"""
Sends another agent to a call: fences the last one, removes it from the room, dispatches the next.

This process may die after any step. It leaves an attempt that nobody claims, which every supervisor
sees and treats like a lost dispatch: nothing is half done.
"""

import asyncio
import time

import structlog

from call_record import calls
from call_record.calls import Raised
from call_record.record import Record
from call_record.snapshot import OpenCall
from call_record.workers import Worker
from call_supervisor import metrics
from call_supervisor.liveness import Need
from call_supervisor.rooms import Rooms, SfuUnavailable, older_agents
from call_supervisor.timeouts import Timeouts
from voice_contract.dispatch import DispatchMetadata
from voice_contract.room import RoomState

log = structlog.get_logger()


class Redispatch:
    """Replaces the agents of calls."""

    def __init__(self, record: Record, rooms: Rooms, timeouts: Timeouts) -> None:
        self._record = record
        self._rooms = rooms
        self._timeouts = timeouts

    async def fence(
        self, call: OpenCall, need: Need, *, send: bool, was_sent: bool
    ) -> Raised | None:
        """
        Raise the attempt: from now on the record takes nothing from the last agent.

        Args: send: whether an agent follows now. was_sent: whether the last one was dispatched.
        Returns: the new attempt; None: the call has moved, or another supervisor was faster.
        Raises: TimeoutError: it took too long: what was seen may be out of date.
        """
        was_lost = need is Need.UNCLAIMED and was_sent
        async with asyncio.timeout(self._timeouts.write_s):
            raised = await calls.raise_attempt(
                self._record, call.call_id, call.seen, send=send, was_lost=was_lost
            )
        if raised is not None:
            metrics.RECOVERIES.labels(need.value).inc()
            log.warning(
                "agent.missing",
                call_id=call.call_id,
                attempt=call.attempt,
                cause=need.value,
                worker_id=call.worker_id,
            )
        return raised

    async def clear(self, call_id: str, attempt: int) -> None:
        """
        Remove every older agent from the room. They are gone on return.

        Raises: SfuUnavailable: one may still be there, so none may be sent.
        """
        for identity in older_agents(call_id, await self._rooms.people(call_id), attempt):
            await self._rooms.remove(call_id, identity)
            metrics.REMOVED.inc()
            log.info("agent.removed", call_id=call_id, identity=identity)
        try:
            await self._rooms.withdraw(call_id, attempt)
        except SfuUnavailable as error:
            # A dispatch that is left is refused by its attempt.
            log.warning("dispatch.not_withdrawn", call_id=call_id, reason=str(error))

    async def send(self, call: OpenCall, attempt: int, worker: Worker) -> None:
        """
        Dispatch the agent of *attempt* to *worker*. Its claim says that it came.

        Raises: SfuUnavailable.
        """
        started = time.monotonic()
        assert call.caller is not None, "erased while it goes on"
        await self._rooms.dispatch(
            DispatchMetadata(call_id=call.call_id, attempt=attempt, caller=call.caller),
            worker.deployment,
        )
        log.info(
            "agent.sent",
            call_id=call.call_id,
            attempt=attempt,
            worker_id=worker.worker_id,
            took_ms=round((time.monotonic() - started) * 1000),
        )

    async def show(self, call_id: str, state: RoomState) -> bool:
        """Tell the caller's page. Returns: whether the SFU took it."""
        try:
            await self._rooms.show(call_id, state)
        except SfuUnavailable as error:
            log.warning("room.not_shown", call_id=call_id, reason=str(error))
            return False
        return True
