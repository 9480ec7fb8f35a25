"""
Forgetting: what was said and done is erased, or whole calls are removed.

Both leave a tombstone: that it was done, when, why, and with which MAC the journal ended. Both
reach what the work after the call found. All is done in short transactions, so that no call in
progress waits for it.
"""

import asyncio
from collections.abc import Callable
from enum import StrEnum

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import calls as live
from call_record import executors, follow_up, hash_chain, journal, queue, workers
from call_record.record import Record
from call_record.tables import CallState, deny_entry
from call_record.tables import call as calls
from call_record.tables import journal as entries
from call_record.tables import tombstone as tombstones

ENTRIES_A_BATCH = 500
CALLS_A_BATCH = 50
PAUSE_S = 0.12
"""Between transactions: a process that waits for SQLite's write lock looks again after 0.1 s."""


class Erasure(StrEnum):
    """The answer to `erase`."""

    ERASED = "erased"
    NOT_ENDED = "not-ended"
    """The call is in progress; end it first."""
    MISSING = "missing"
    """There is no such call, or it was removed before."""


async def end(record: Record, call_id: str, reason: str) -> None:
    """
    End and seal a call from outside. Its agent leaves at its next renewal.

    One that is ended or missing stays so.
    """
    try:
        await live.end(record, call_id, reason)
        await journal.seal(record, call_id, None, reason)
    except journal.StaleAttempt:
        pass


async def erase(record: Record, call_id: str, why: str) -> Erasure:
    """
    Erase the bodies of an ended call's journal and what its row says of the caller.

    Interrupted, it is completed by doing it again. Doing it twice changes nothing.

    Args: why: at most 200 characters, kept for good: no personal data.
    """
    async with record.database.writing() as connection:
        row = (
            await connection.execute(
                select(calls).where(calls.c.call_id == call_id).with_for_update()
            )
        ).one_or_none()
        if row is None:
            return Erasure.MISSING
        if row.state != CallState.ENDED:
            return Erasure.NOT_ENDED
        await _bury(connection, record, [live.Call(**row._mapping)], why)
        await connection.execute(
            update(calls)
            .where(calls.c.call_id == call_id)
            .values(
                caller=None,
                tenant=None,
                display_name=None,
                return_proof_hash=None,
                networks=None,
            )
        )
        await follow_up.erase(connection, record, call_id)
    while True:
        if not await _erase_batch(record, call_id):
            return Erasure.ERASED
        await asyncio.sleep(PAUSE_S)


async def left_outside(record: Record, call_id: str) -> list[follow_up.Step]:
    """What the work after the call left, or may have left, in other systems; not erased there."""
    async with record.database.reading() as connection:
        return await follow_up.outside(connection, [call_id])


async def remove_ended_before(
    record: Record,
    before_ms: int,
    why: str,
    tell: Callable[[list[follow_up.Step]], None] = lambda _: None,
) -> int:
    """
    Remove the calls that ended before that Unix time in milliseconds, oldest first; workers and
    executors that are gone; deny-list entries that have run out; who has left the queue.

    Args: tell: what the removed calls' work left in other systems, before that is forgotten.
    Returns: how many calls were removed.
    """
    async with record.database.writing() as connection:
        await workers.heartbeats.forget_gone(connection)
        await executors.heartbeats.forget_gone(connection)
        now_ms = record.clock.now_ms()
        await connection.execute(delete(deny_entry).where(deny_entry.c.until_ms <= now_ms))
        await queue.remove_forgotten(connection, now_ms)
    removed = 0
    while batch := await _remove_batch(record, before_ms, why, tell):
        removed += batch
        await asyncio.sleep(PAUSE_S)
    return removed


async def _erase_batch(record: Record, call_id: str) -> bool:
    async with record.database.writing() as connection:
        rows = (
            await connection.execute(
                select(entries.c.seq, entries.c.salt, entries.c.body)
                .where(entries.c.call_id == call_id, entries.c.body.is_not(None))
                .limit(ENTRIES_A_BATCH)
            )
        ).all()
        if rows:
            await connection.execute(
                update(entries)
                .where(entries.c.call_id == call_id, entries.c.seq == bindparam("at_seq"))
                .values(body=None, salt=None, digest=bindparam("of_body")),
                [
                    {"at_seq": row.seq, "of_body": hash_chain.digest(row.salt, row.body)}
                    for row in rows
                ],
            )
    return bool(rows)


async def _remove_batch(
    record: Record,
    before_ms: int,
    why: str,
    tell: Callable[[list[follow_up.Step]], None],
) -> int:
    async with record.database.writing() as connection:
        found = await live.select_calls(
            connection,
            calls.c.call_id.in_(
                select(calls.c.call_id)
                .where(calls.c.state == CallState.ENDED, calls.c.ended_at_ms < before_ms)
                .order_by(calls.c.ended_at_ms)
                .limit(CALLS_A_BATCH)
            ),
        )
        chosen: list[live.Call] = []
        for call in found:
            if chosen and sum(one.head_seq for one in chosen) + call.head_seq > ENTRIES_A_BATCH:
                break
            chosen.append(call)
        if chosen:
            await _bury(connection, record, chosen, why)
            ids = [call.call_id for call in chosen]
            tell(await follow_up.outside(connection, ids))
            await follow_up.remove(connection, ids)
            await connection.execute(delete(entries).where(entries.c.call_id.in_(ids)))
            await connection.execute(delete(calls).where(calls.c.call_id.in_(ids)))
    return len(chosen)


async def _bury(
    connection: AsyncConnection, record: Record, ended: list[live.Call], why: str
) -> None:
    """Leave a tombstone for each call that has none."""
    ids = [call.call_id for call in ended]
    statement = select(tombstones.c.call_id).where(tombstones.c.call_id.in_(ids))
    buried = set(await connection.scalars(statement))
    at_ms = record.clock.now_ms()
    rows = [
        {
            "call_id": call.call_id,
            "at_ms": at_ms,
            "why": why,
            "last_seq": call.head_seq,
            "last_mac": call.head_mac,
            "key_id": call.key_id,
            "mac": hash_chain.tombstone_mac(
                record.keys.key(call.key_id),
                call_id=call.call_id,
                at_ms=at_ms,
                why=why,
                last_seq=call.head_seq,
                last_mac=call.head_mac,
            ),
        }
        for call in ended
        if call.call_id not in buried
    ]
    if rows:
        await connection.execute(insert(tombstones), rows)
