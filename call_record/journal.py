"""The journal of a call: entries are appended in order and sealed at the end; anybody reads."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import hash_chain
from call_record.keys import KeyRing
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as calls
from call_record.tables import journal as entries
from voice_contract.journal import CallEnded, Entry, decode, encode

SEAL = "call.ended"
"""The kind of the last entry."""

Fence = Literal["missing", "attempt", "ended", "live"]


class StaleAttempt(Exception):
    """
    This writer appends nothing any more; a try whose answer was lost may have.

    `reason` says why. `missing`: there is no such call. `attempt`: another agent was sent to it.
    `ended`: its journal is sealed. `live`: it was to be sealed, but it is not `ending`.
    """

    def __init__(self, reason: Fence) -> None:
        super().__init__(reason)
        self.reason = reason


class RolledBack(Exception):
    """
    Entries that were durable are gone: the database is as it was before them.

    `head` is where the journal ends now. `lost`: at least so many are gone.
    """

    def __init__(self, head: "Head", lost: int) -> None:
        super().__init__(lost)
        self.head = head
        self.lost = lost


@dataclass(frozen=True)
class Head:
    """Where a call's journal ends."""

    attempt: int
    state: CallState
    seq: int
    """0: the journal is empty."""
    mac: bytes
    key_id: str


@dataclass(frozen=True)
class Draft:
    """An entry as it will be stored, before it is linked into the chain."""

    kind: str
    body: str
    at_ms: int
    salt: bytes


@dataclass(frozen=True)
class Recorded:
    """An entry as it was read."""

    seq: int
    at_ms: int
    attempt: int
    kind: str
    entry: Entry | None
    """None: erased."""
    mac: bytes


def draft(entry: Entry, at_ms: int) -> Draft:
    """
    Make *entry* ready to be stored.

    Raises: EntryTooLarge.
    """
    kind, body = encode(entry)
    return Draft(kind, body, at_ms, os.urandom(hash_chain.SALT_BYTES))


async def append(record: Record, call_id: str, attempt: int | None, new: Sequence[Entry]) -> Head:
    """
    Append entries, at least one, in one transaction; durable on return.

    Args: attempt: the writer's own; None: the writer is not an agent, so it cannot be stale.
    Raises: StaleAttempt, EntryTooLarge, UnknownKey; what `DATABASE_DOWN` lists.
    """
    now_ms = record.clock.now_ms()
    drafts = [draft(entry, now_ms) for entry in new]
    async with record.database.writing() as connection:
        return await append_in(connection, record.keys, call_id, attempt, drafts)


async def seal(record: Record, call_id: str, attempt: int | None, reason: str) -> Head:
    """
    Append the last entry and end the call, in one transaction; from `requested` or `ending`.

    Raises: as `append`.
    """
    return await append(record, call_id, attempt, [CallEnded(reason=reason)])


async def head(record: Record, call_id: str) -> Head | None:
    """Where the journal ends now; None: there is no such call."""
    async with record.database.reading() as connection:
        return await _head(connection, call_id)


async def read(record: Record, call_id: str, *, after_seq: int = 0) -> list[Recorded]:
    """The entries after *after_seq*, in order."""
    async with record.database.reading() as connection:
        return await select_entries(connection, call_id, entries.c.seq > after_seq)


async def select_entries(
    connection: AsyncConnection, call_id: str, condition: ColumnElement[bool]
) -> list[Recorded]:
    """The call's entries for which *condition* is true, in order."""
    statement = (
        select(entries).where(entries.c.call_id == call_id, condition).order_by(entries.c.seq)
    )
    return [recorded(row) for row in await connection.execute(statement)]


def recorded(row: Any) -> Recorded:
    """The entry of a row of the journal."""
    kind = _text(row.kind)
    entry = None if row.body is None else decode(kind, _text(row.body))
    return Recorded(row.seq, row.at_ms, row.attempt, kind, entry, row.mac)


def _text(value: str | bytes) -> str:
    """SQLite gives back bytes where somebody has stored such; no reader stops there."""
    return value if isinstance(value, str) else value.decode(errors="replace")


def opening(keys: KeyRing, call_id: str, first: Draft) -> tuple[Head, dict[str, Any]]:
    """Where the journal of a new call ends after *first*, its first entry; and that entry's row."""
    mac = hash_chain.genesis(keys.key(keys.current), call_id)
    empty = Head(1, CallState.REQUESTED, 0, mac, keys.current)
    [row] = _links(keys.key(keys.current), call_id, empty, [first])
    return replace(empty, seq=row["seq"], mac=row["mac"]), row


async def append_in(
    connection: AsyncConnection,
    keys: KeyRing,
    call_id: str,
    attempt: int | None,
    drafts: Sequence[Draft],
    known: Head | None = None,
) -> Head:
    """
    Append within the caller's writing transaction.

    Args: known: where the caller last saw the journal end. Then drafts that are found to be stored
        after it are left out: a commit whose answer was lost can be tried again.
    Raises: StaleAttempt, UnknownKey. RolledBack: the journal does not go on from *known*.
    """
    if known is not None and (moved := await _advance(connection, keys, call_id, known, drafts)):
        return moved
    # The lock also makes PostgreSQL's commit wait for synchronous standbys, where nothing else is
    # left to be written: what a lost answer left open is as durable as any other entry.
    now = await _head(connection, call_id, lock=True)
    if now is None:
        raise StaleAttempt("missing")
    is_ended = now.state is CallState.ENDED
    if attempt not in (None, now.attempt):
        raise StaleAttempt("ended" if is_ended else "attempt")
    if known is not None:
        stored = await _stored(connection, call_id, known, now)
        drafts = [draft for draft in drafts if draft.salt not in stored]
        if not drafts:
            return now
    if is_ended:
        raise StaleAttempt("ended")
    moved = await _advance(connection, keys, call_id, now, drafts)
    if moved is None:
        raise StaleAttempt("live")
    return moved


async def _advance(
    connection: AsyncConnection, keys: KeyRing, call_id: str, known: Head, drafts: Sequence[Draft]
) -> Head | None:
    """Fence, order and chain: move the head from where it is known to be, if it is there."""
    rows = _links(keys.key(known.key_id), call_id, known, drafts)
    seq, mac = rows[-1]["seq"], rows[-1]["mac"]
    move = update(calls).where(
        calls.c.call_id == call_id,
        calls.c.attempt == known.attempt,
        calls.c.head_seq == known.seq,
        calls.c.head_mac == known.mac,
    )
    state = known.state
    last = drafts[-1]
    if SEAL in (draft.kind for draft in drafts[:-1]):
        raise ValueError(f"{SEAL} must be the last entry")
    if last.kind == SEAL:
        state = CallState.ENDED
        entry = decode(last.kind, last.body)
        move = move.where(calls.c.state.in_((CallState.REQUESTED, CallState.ENDING))).values(
            state=state,
            ended_at_ms=last.at_ms,
            end_reason=entry.reason if isinstance(entry, CallEnded) else "",
        )
    else:
        move = move.where(calls.c.state != CallState.ENDED)
    moved = await connection.execute(move.values(head_seq=seq, head_mac=mac))
    if not moved.rowcount:
        return None
    await connection.execute(insert(entries), rows)
    return Head(known.attempt, state, seq, mac, known.key_id)


def _links(key: bytes, call_id: str, known: Head, drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """The rows of the drafts, each of which follows the one before."""
    rows: list[dict[str, Any]] = []
    seq, mac = known.seq, known.mac
    for draft in drafts:
        seq += 1
        mac = hash_chain.mac(
            key,
            mac,
            seq=seq,
            at_ms=draft.at_ms,
            attempt=known.attempt,
            kind=draft.kind,
            digest=hash_chain.digest(draft.salt, draft.body),
        )
        row = {"call_id": call_id, "seq": seq, "attempt": known.attempt, "mac": mac}
        rows.append(row | vars(draft))
    return rows


async def _head(connection: AsyncConnection, call_id: str, *, lock: bool = False) -> Head | None:
    statement = select(
        calls.c.attempt, calls.c.state, calls.c.head_seq, calls.c.head_mac, calls.c.key_id
    ).where(calls.c.call_id == call_id)
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    return Head(row.attempt, CallState(row.state), row.head_seq, row.head_mac, row.key_id)


async def _stored(
    connection: AsyncConnection, call_id: str, known: Head, now: Head
) -> set[bytes | None]:
    """
    The salts of the entries after *known*.

    Raises: RolledBack: its own entry is not there any more.
    """
    statement = select(entries.c.seq, entries.c.salt, entries.c.mac).where(
        entries.c.call_id == call_id, entries.c.seq >= known.seq, entries.c.seq <= now.seq
    )
    rows = (await connection.execute(statement.order_by(entries.c.seq))).all()
    ends_otherwise = now.seq == known.seq and now.mac != known.mac
    if not rows or rows[0].mac != known.mac or ends_otherwise:
        raise RolledBack(now, max(1, known.seq - now.seq))
    return {row.salt for row in rows[1:]}
