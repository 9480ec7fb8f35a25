"""
The deny list: callers who were put out of a call, or of all.

A room token cannot be revoked, and the SFU renews the token of a connected caller. So a caller who
was put out is remembered for longer than any of its tokens can live: the token service gives it no
new one, and the supervisor removes a caller who comes back with an old one.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.record import Record
from call_record.tables import deny_entry as entries
from voice_contract.limits import DENY_S

ANY_CALL = ""
NO_TENANT = ""
UNTIL_UNDONE_MS = 253_402_300_799_000
"""The last second of the year 9999."""


@dataclass(frozen=True)
class DenyEntry:
    """One entry: a caller who stays out of a call, or of all."""

    caller: str
    tenant: str | None
    call_id: str | None
    """None: out of every call."""
    until_ms: int
    """Unix time in milliseconds; `UNTIL_UNDONE_MS`: for good."""


async def deny(
    record: Record,
    caller: str,
    *,
    tenant: str | None = None,
    call_id: str | None = None,
    for_s: float | None = DENY_S,
) -> DenyEntry:
    """
    Keep *caller* out of a call, or out of all; what was said before for longer stays.

    Args: for_s: None: until it is undone.
    Returns: what is in force now.
    """
    now_ms = record.clock.now_ms()
    until_ms = UNTIL_UNDONE_MS if for_s is None else now_ms + round(for_s * 1000)
    async with record.database.writing() as connection:
        same = _same(caller, tenant, call_id)
        before_ms = await connection.scalar(select(entries.c.until_ms).where(*same))
        until_ms = max(until_ms, before_ms or 0)
        await connection.execute(delete(entries).where(*same))
        await connection.execute(delete(entries).where(entries.c.until_ms <= now_ms))
        await connection.execute(
            insert(entries).values(
                caller=caller,
                tenant=tenant or NO_TENANT,
                call_id=call_id or ANY_CALL,
                until_ms=until_ms,
            )
        )
    return DenyEntry(caller, tenant, call_id, until_ms)


async def allow(
    record: Record, caller: str, *, tenant: str | None = None, call_id: str | None = None
) -> list[DenyEntry]:
    """
    Let *caller* into that call again, or into every one.

    Returns: what was in force.
    """
    which = _same(caller, tenant, call_id)
    if call_id is None:
        # Also out of single calls.
        which = which[:2]
    async with record.database.writing() as connection:
        found = await of(connection, [caller], record.clock.now_ms())
        await connection.execute(delete(entries).where(*which))
    return [one for one in found if one.tenant == tenant and call_id in (None, one.call_id)]


async def denied(record: Record, caller: str, tenant: str | None, call_id: str) -> bool:
    """Whether *caller* stays out of that call."""
    async with record.database.reading() as connection:
        found = await of(connection, [caller], record.clock.now_ms())
    return any(one.tenant == tenant and one.call_id in (None, call_id) for one in found)


async def read_all(record: Record) -> list[DenyEntry]:
    """Every entry in force now."""
    async with record.database.reading() as connection:
        return await of(connection, None, record.clock.now_ms())


async def of(
    connection: AsyncConnection, callers: Collection[str] | None, now_ms: int
) -> list[DenyEntry]:
    """The entries in force for *callers* of all tenants; None: for every caller."""
    statement = select(entries).where(entries.c.until_ms > now_ms)
    if callers is not None:
        statement = statement.where(entries.c.caller.in_(callers))
    return [
        DenyEntry(row.caller, row.tenant or None, row.call_id or None, row.until_ms)
        for row in await connection.execute(statement)
    ]


def _same(caller: str, tenant: str | None, call_id: str | None) -> list[ColumnElement[bool]]:
    return [
        entries.c.caller == caller,
        entries.c.tenant == (tenant or NO_TENANT),
        entries.c.call_id == (call_id or ANY_CALL),
    ]
