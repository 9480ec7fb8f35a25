"""All calls, workers and deny-list entries, read in one transaction."""

from dataclasses import dataclass

from call_record import deny_list, workers
from call_record.calls import Call, select_calls
from call_record.deny_list import DenyEntry
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as calls
from call_record.workers import Worker


@dataclass(frozen=True)
class Snapshot:
    """What there was at one moment."""

    calls: list[Call]
    """All that are not ended, in the order of their admission."""
    workers: list[Worker]
    """All that registered and did not leave."""
    deny_entries: list[DenyEntry]
    """The deny list."""

    def stays_out(self, call: Call) -> bool:
        """Whether the caller of *call* stays out of it."""
        return any(
            (one.caller, one.tenant) == (call.caller, call.tenant)
            and one.call_id in (None, call.call_id)
            for one in self.deny_entries
        )


async def take(record: Record) -> Snapshot:
    """
    Read all calls that are not ended, all workers, and the deny list.

    In a writing transaction: while another process holds SQLite's write lock no job can renew, and
    a reader would take them for dead.
    """
    going_on = (CallState.REQUESTED, CallState.LIVE, CallState.ENDING)
    async with record.database.writing() as connection:
        return Snapshot(
            calls=await select_calls(connection, calls.c.state.in_(going_on)),
            workers=await workers.heartbeats.select_all(connection),
            deny_entries=await deny_list.of(connection, None, record.clock.now_ms()),
        )
