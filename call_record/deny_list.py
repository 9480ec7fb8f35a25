"""
Callers who stay out.

There is no revoking a room token, and the SFU renews those of callers who are in: so who was put
out is remembered for longer than any token of theirs can live. The token service gives them none;
the supervisor removes who comes back with an old one.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.record import Record
from call_record.tables import denial as denials
from voice_contract.limits import DENY_S

ANY_CALL = ""
NO_TENANT = ""


@dataclass(frozen=True)
class DenyEntry:
    """Who stays out of what."""

    caller: str
    tenant: str | None
    call_id: str | None
    """None: out of every call."""
    until_ms: int


async def deny(
    record: Record,
    caller: str,
    *,
    tenant: str | None = None,
    call_id: str | None = None,
    for_s: float = DENY_S,
) -> None:
    """Keep *caller* out of a call, or out of all; said again, the time begins anew."""
    row = {"caller": caller, "tenant": tenant or NO_TENANT, "call_id": call_id or ANY_CALL}
    now_ms = record.clock.now_ms()
    async with record.database.writing() as connection:
        same = [denials.c[name] == value for name, value in row.items()]
        await connection.execute(delete(denials).where(*same))
        await connection.execute(delete(denials).where(denials.c.until_ms <= now_ms))
        await connection.execute(
            insert(denials).values(**row, until_ms=now_ms + round(for_s * 1000))
        )


async def denied(record: Record, caller: str, tenant: str | None, call_id: str) -> bool:
    """Whether *caller* stays out of that call."""
    async with record.database.reading() as connection:
        found = await of(connection, [caller], record.clock.now_ms())
    return any(one.tenant == tenant and one.call_id in (None, call_id) for one in found)


async def read_all(record: Record) -> list[DenyEntry]:
    """Everybody who stays out now."""
    async with record.database.reading() as connection:
        return await of(connection, None, record.clock.now_ms())


async def of(
    connection: AsyncConnection, callers: Collection[str] | None, now_ms: int
) -> list[DenyEntry]:
    """Who of *callers*, of all tenants, stays out now; None: who at all does."""
    statement = select(denials).where(denials.c.until_ms > now_ms)
    if callers is not None:
        statement = statement.where(denials.c.caller.in_(callers))
    return [
        DenyEntry(row.caller, row.tenant or None, row.call_id or None, row.until_ms)
        for row in await connection.execute(statement)
    ]
