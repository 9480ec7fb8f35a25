"""Whether a journal is as it was written."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol, get_type_hints

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import hash_chain
from call_record.journal import SEAL, Recorded, recorded
from call_record.keys import KeyRing, UnknownKey
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as calls
from call_record.tables import journal as entries
from call_record.tables import tombstone as tombstones
from voice_contract.journal import CallRequested


class Caller(Protocol):
    """Whose call it is."""

    @property
    def caller(self) -> str | None: ...
    @property
    def tenant(self) -> str | None: ...
    @property
    def display_name(self) -> str | None: ...


@dataclass(frozen=True)
class Link:
    """A row of the journal, believed in nothing."""

    call_id: str
    seq: int
    at_ms: int
    attempt: int
    kind: str
    body: str | None
    salt: bytes | None
    digest: bytes | None
    mac: bytes


@dataclass(frozen=True)
class Tail:
    """What a call's own row says of its journal's end, and of whose call it is."""

    state: str
    key_id: str
    head_seq: int
    head_mac: bytes
    caller: str | None
    tenant: str | None
    display_name: str | None


@dataclass(frozen=True)
class Tombstone:
    """What is left of a call that was erased."""

    call_id: str
    at_ms: int
    why: str
    last_seq: int
    last_mac: bytes
    key_id: str
    mac: bytes


class Verdict(StrEnum):
    """What `verify` found."""

    INTACT = "intact"
    ERASED = "erased"
    """Intact; what was said and done was erased, and a tombstone says why."""
    REMOVED = "removed"
    """A tombstone is all that is left."""
    BROKEN = "broken"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """The verdict and what it rests on."""

    verdict: Verdict
    entries: int = 0
    erased: int = 0
    seq: int | None = None
    """The first entry that is broken; None: not one entry's fault."""
    problem: str = ""
    last_mac: bytes = b""
    tombstone: Tombstone | None = None


@dataclass(frozen=True)
class Evidence:
    """All that the database holds of a call's journal."""

    tail: Tail | None
    links: Sequence[Link]
    tombstone: Tombstone | None


_TYPES = {row: get_type_hints(row) for row in (Link, Tail, Tombstone)}


class _Broken(Exception):
    def __init__(self, seq: int | None, problem: str) -> None:
        super().__init__(problem)
        self.seq = seq
        self.problem = problem


async def verify(record: Record, call_id: str, *, expect_mac: bytes | None = None) -> Finding:
    """
    Check the journal of a call against its keys.

    Args: expect_mac: a MAC that was exported earlier. A chain alone cannot show that its end was
        cut off together with the head; that this MAC is missing does.
    """
    return judge(record.keys, call_id, await _collected(record, call_id), expect_mac=expect_mac)


async def read_verified(record: Record, call_id: str) -> tuple[Finding, list[Recorded]]:
    """What was found, and the entries in order, as far as they are as they were written."""
    evidence = await _collected(record, call_id)
    finding = judge(record.keys, call_id, evidence)
    whole = finding.verdict is not Verdict.BROKEN
    believed = len(evidence.links) if whole else (finding.seq or 1) - 1
    return finding, [recorded(link) for link in evidence.links[:believed]]


def is_of(first: Recorded | None, who: Caller) -> bool:
    """Whether a call whose journal begins with *first* is the call of *who*, and nobody else's."""
    entry = first.entry if first else None
    return isinstance(entry, CallRequested) and (who.caller, who.tenant, who.display_name) == (
        entry.caller,
        entry.tenant,
        entry.display_name,
    )


def judge(
    keys: KeyRing, call_id: str, evidence: Evidence, *, expect_mac: bytes | None = None
) -> Finding:
    """As `verify`, of what was read."""
    tomb = evidence.tombstone
    if evidence.tail is None and tomb is None and not evidence.links:
        return Finding(Verdict.MISSING)
    try:
        if tomb is not None:
            _check_tombstone(keys, call_id, tomb)
        if evidence.tail is not None and not _is_typed(evidence.tail):
            raise _Broken(None, "a field of the call's row is of another type")
        if evidence.tail is None:
            return _removed(evidence, tomb, expect_mac)
        macs = _check_chain(keys, call_id, evidence.tail.key_id, evidence.links)
        _check_tail(evidence.tail, evidence.links, macs[-1], tomb)
        erased = sum(link.body is None for link in evidence.links)
        if erased and tomb is None:
            raise _Broken(None, "entries are erased, and no tombstone says why")
        _check_caller(evidence.tail, evidence.links, tomb)
        if expect_mac is not None and expect_mac not in macs[1:]:
            raise _Broken(None, "no entry has the expected MAC: the end was cut off")
    except (_Broken, UnknownKey) as error:
        seq = error.seq if isinstance(error, _Broken) else None
        return Finding(
            Verdict.BROKEN, len(evidence.links), seq=seq, problem=str(error), tombstone=tomb
        )
    verdict = Verdict.ERASED if tomb else Verdict.INTACT
    return Finding(verdict, len(evidence.links), erased, last_mac=macs[-1], tombstone=tomb)


def _removed(evidence: Evidence, tomb: Tombstone | None, expect_mac: bytes | None) -> Finding:
    if evidence.links or tomb is None:
        raise _Broken(None, "there are entries and no call")
    if expect_mac is not None and not hmac.compare_digest(expect_mac, tomb.last_mac):
        raise _Broken(None, "the tombstone does not have the expected MAC")
    return Finding(Verdict.REMOVED, last_mac=tomb.last_mac, tombstone=tomb)


def _check_chain(keys: KeyRing, call_id: str, key_id: str, links: Sequence[Link]) -> list[bytes]:
    """Returns: the MACs from the genesis on."""
    key = keys.key(key_id)
    macs = [hash_chain.genesis(key, call_id)]
    for position, link in enumerate(links, 1):
        if not _is_typed(link):
            raise _Broken(position, "a field of the entry is of another type")
        if link.seq != position:
            raise _Broken(position, "the entry is missing or out of order")
        if link.call_id != call_id:
            raise _Broken(position, "the entry is of another call")
        digest = _digest(position, link)
        expected = hash_chain.mac(
            key,
            macs[-1],
            seq=link.seq,
            at_ms=link.at_ms,
            attempt=link.attempt,
            kind=link.kind,
            digest=digest,
        )
        if not hmac.compare_digest(expected, link.mac):
            raise _Broken(position, "the entry or what is before it was changed")
        macs.append(expected)
    return macs


def _is_typed(row: Link | Tail | Tombstone) -> bool:
    """
    Whether each field is of its column's type. SQLite stores any type in any column, and bytes have
    the MAC of the same text, but are of no kind that a reader knows.
    """
    return all(isinstance(getattr(row, name), one) for name, one in _TYPES[type(row)].items())


def _digest(position: int, link: Link) -> bytes:
    match link.body, link.salt, link.digest:
        case str(body), bytes(salt), None:
            return hash_chain.digest(salt, body)
        case None, None, bytes(digest):
            return digest
        case _:
            raise _Broken(position, "the entry is neither whole nor erased")


def _check_tail(tail: Tail, links: Sequence[Link], last_mac: bytes, tomb: Tombstone | None) -> None:
    last_seq = len(links)
    if (tail.head_seq, tail.head_mac) != (last_seq, last_mac):
        raise _Broken(last_seq + 1, "entries after this one are missing, or were added")
    sealed = bool(links) and links[-1].kind == SEAL
    if sealed != (tail.state == CallState.ENDED):
        raise _Broken(last_seq, "the call's state and the journal's seal contradict each other")
    if tomb and (tomb.last_seq, tomb.last_mac) != (last_seq, last_mac):
        raise _Broken(last_seq, "the journal does not end as its tombstone says")


def _check_caller(tail: Tail, links: Sequence[Link], tomb: Tombstone | None) -> None:
    """The call's row is whose the first entry says, or nobody's when the call was erased."""
    if tomb is not None:
        right = (tail.caller, tail.tenant, tail.display_name) == (None, None, None)
    else:
        right = is_of(recorded(links[0]) if links else None, tail)
    if not right:
        raise _Broken(1, "the call's row does not have this entry's caller")


def _check_tombstone(keys: KeyRing, call_id: str, tomb: Tombstone) -> None:
    if not _is_typed(tomb):
        raise _Broken(None, "a field of the tombstone is of another type")
    expected = hash_chain.tombstone_mac(
        keys.key(tomb.key_id),
        call_id=call_id,
        at_ms=tomb.at_ms,
        why=tomb.why,
        last_seq=tomb.last_seq,
        last_mac=tomb.last_mac,
    )
    if not hmac.compare_digest(expected, tomb.mac):
        raise _Broken(None, "the tombstone was changed or is not ours")


async def _collected(record: Record, call_id: str) -> Evidence:
    async with record.database.reading() as connection:
        return await collect(connection, call_id)


async def collect(connection: AsyncConnection, call_id: str) -> Evidence:
    """Read it, in the caller's transaction."""
    tail = (
        await connection.execute(
            select(*(calls.c[one.name] for one in fields(Tail))).where(calls.c.call_id == call_id)
        )
    ).one_or_none()
    links = await connection.execute(
        select(entries).where(entries.c.call_id == call_id).order_by(entries.c.seq)
    )
    tomb = (
        await connection.execute(select(tombstones).where(tombstones.c.call_id == call_id))
    ).one_or_none()
    return Evidence(
        Tail(**tail._mapping) if tail else None,
        [Link(**row._mapping) for row in links],
        Tombstone(**tomb._mapping) if tomb else None,
    )
