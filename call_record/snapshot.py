"""Everything that goes on now, read at once."""

from dataclasses import dataclass

from sqlalchemy import select

from call_record.calls import Call, select_calls
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as calls
from call_record.tables import worker as workers
from call_record.workers import Worker


@dataclass(frozen=True)
class Snapshot:
    """Calls and workers as they were at one moment."""

    calls: list[Call]
    """All that are not ended, in the order of their admission."""
    workers: list[Worker]
    """All that registered and did not leave."""


async def take(record: Record) -> Snapshot:
    """
    Read all calls that are not ended, and all workers.

    In a transaction that could write: while SQLite's write lock is held by somebody, jobs cannot
    renew, and who only reads would take them for dead.
    """
    going_on = (CallState.REQUESTED, CallState.LIVE, CallState.ENDING)
    async with record.database.writing() as connection:
        rows = await connection.execute(select(workers).order_by(workers.c.worker_id))
        return Snapshot(
            calls=await select_calls(connection, calls.c.state.in_(going_on)),
            workers=[Worker(**row._mapping) for row in rows],
        )
