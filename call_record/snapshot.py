"""All calls that are not ended, all workers, and the deny list, read in one transaction."""

from collections.abc import Set
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import select

from call_record import deny_list, workers
from call_record.calls import Seen
from call_record.record import Record
from call_record.tables import OPEN, CallState
from call_record.tables import call as calls
from call_record.workers import Worker


class OpenCall(NamedTuple):
    """What a supervisor needs of a call; all of them are read four times a second."""

    call_id: str
    state: CallState
    attempt: int
    owner: str | None
    worker_id: str | None
    renewals: int
    caller: str | None
    tenant: str | None
    joined_at_ms: int | None

    @property
    def seen(self) -> Seen:
        """For `raise_attempt`."""
        return Seen(self.attempt, self.owner, self.renewals)


@dataclass(frozen=True)
class Snapshot:
    """What there was at one moment."""

    calls: list[OpenCall]
    """All that are not ended, in the order of their admission."""
    workers: list[Worker]
    """All that registered and did not leave."""
    put_out: Set[tuple[str | None, str, str | None]]
    """Tenant, caller and call of the deny list; no call: any."""

    def stays_out(self, call: OpenCall) -> bool:
        """Whether the caller of *call* stays out of it."""
        if call.caller is None or not self.put_out:
            return False
        who = (call.tenant, call.caller)
        return (*who, None) in self.put_out or (*who, call.call_id) in self.put_out


_CALLS = (
    select(*(calls.c[name] for name in OpenCall._fields))
    .where(calls.c.state.in_(OPEN))
    .order_by(calls.c.call_id)
)
_STATES = {state.value: state for state in CallState}


async def take(record: Record) -> Snapshot:
    """
    Read all calls that are not ended, all workers, and the deny list.

    In a writing transaction: while another process holds SQLite's write lock no job can renew, and
    a reader would take them for dead.
    """
    async with record.database.writing() as connection:
        rows = (await connection.execute(_CALLS)).all()
        there = await workers.heartbeats.select_all(connection)
        denied = await deny_list.of(connection, None, record.clock.now_ms())
    return Snapshot(
        calls=[OpenCall(row[0], _STATES[row[1]], *row[2:]) for row in rows],
        workers=there,
        put_out={(one.tenant, one.caller, one.call_id) for one in denied},
    )
