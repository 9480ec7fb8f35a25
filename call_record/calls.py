"""
Calls: their states, and their one live agent.

Each transition is one conditional UPDATE; one that does not match changes nothing. What belongs in
the journal is appended in the same transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, bindparam, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import slots, workers
from call_record.journal import Draft, append_in, draft
from call_record.record import Record
from call_record.tables import OPEN, CallState
from call_record.tables import call as calls
from call_record.workers import Worker
from voice_contract.journal import CallClaimed, CallEnding, CallJoined


class Seen(NamedTuple):
    """What a supervisor watches: standing still, it means that the job is dead."""

    attempt: int
    owner: str | None
    """None with `renewals` 0: not claimed yet. None with more: given back, or refused."""
    renewals: int


@dataclass(frozen=True)
class Call:
    """A call as it was read."""

    call_id: str
    state: CallState
    attempt: int
    owner: str | None
    worker_id: str | None
    """The worker that was chosen for it or has it; None: another one is to be chosen."""
    renewals: int
    caller: str | None
    """None: erased."""
    tenant: str | None
    display_name: str | None
    return_proof_hash: bytes | None
    networks: str | None
    """Keyed names of those that an anonymous caller came from, with blanks between."""
    admitted_at_ms: int
    joined_at_ms: int | None
    ended_at_ms: int | None
    end_reason: str | None
    key_id: str
    head_seq: int
    head_mac: bytes
    taken: bool
    """Whether after-call work was made for it, or none is to be made."""

    @property
    def seen(self) -> Seen:
        """For `raise_attempt`."""
        return Seen(self.attempt, self.owner, self.renewals)


class Held(NamedTuple):
    """What a job that has a call renews."""

    call_id: str
    attempt: int
    owner: str


class Raised(NamedTuple):
    """A call's next attempt."""

    attempt: int
    worker: Worker | None
    """Chosen for it; None: none has a free slot, or none was to be sent."""


class Claim(StrEnum):
    """The answer to a claim. Only `CLAIMED` lets a job speak."""

    CLAIMED = "claimed"
    STALE = "stale"
    """A later attempt was sent, or there is no such call."""
    TAKEN = "taken"
    """Another job has it, or had it and gave it back."""
    OVER = "over"
    """The call is ending or ended."""


class Renewal(StrEnum):
    """The answer to a renewal."""

    RENEWED = "renewed"
    ENDING = "ending"
    """Renewed, but the call is over for the caller: no new effects, seal and leave."""
    LOST = "lost"
    """The call is another's or has ended: leave the room first, then shut down."""


_HAS_A_JOB = (CallState.LIVE, CallState.ENDING)
_WORKER_OF = select(calls.c.worker_id).where(calls.c.call_id == bindparam("id"))


async def read(record: Record, call_id: str) -> Call | None:
    """The call; None: there is none of that id."""
    found = await _select(record, calls.c.call_id == call_id)
    return found[0] if found else None


async def of_caller(record: Record, caller: str) -> list[Call]:
    """The caller's calls, in the order of their admission."""
    return await _select(record, calls.c.caller == caller)


async def not_ended(record: Record) -> list[Call]:
    """Every call that is not ended, in the order of their admission."""
    return await _select(record, calls.c.state.in_(OPEN))


async def claim(record: Record, call_id: str, attempt: int, owner: str, worker_id: str) -> Claim:
    """
    Take the call: `requested` or `live` to `live`, once for each attempt.

    Args: owner: unique to the job. Claiming again with the same one is answered the same.
    """
    entry = CallClaimed(owner=owner, worker_id=worker_id)
    taken = (
        update(calls)
        .where(
            calls.c.call_id == call_id,
            calls.c.attempt == attempt,
            calls.c.owner.is_(None),
            calls.c.renewals == 0,
            calls.c.state.in_((CallState.REQUESTED, CallState.LIVE)),
        )
        .values(owner=owner, worker_id=worker_id, renewals=1, state=CallState.LIVE)
    )
    async with record.database.writing() as connection:
        if (await connection.execute(taken)).rowcount:
            await append_in(connection, record.keys, call_id, attempt, [_draft(record, entry)])
            await workers.trust(connection, worker_id)
            return Claim.CLAIMED
    now = await read(record, call_id)
    if now is None or now.attempt != attempt:
        return Claim.STALE
    if now.state in (CallState.ENDING, CallState.ENDED):
        return Claim.OVER
    return Claim.CLAIMED if now.owner == owner else Claim.TAKEN


async def renew(record: Record, call_id: str, attempt: int, owner: str) -> Renewal:
    """Show that the job lives."""
    statement = (
        update(calls)
        .where(_held(call_id, attempt, owner))
        .values(renewals=calls.c.renewals + 1)
        .returning(calls.c.state)
    )
    async with record.database.writing() as connection:
        state = (await connection.execute(statement)).scalar_one_or_none()
    return _renewal(state)


async def renew_all(record: Record, held: Collection[Held]) -> dict[Held, Renewal]:
    """
    Show that several jobs live, in one statement.

    Returns: the answer to each. One whose call somebody else is just writing to is left out, and is
        to be renewed again soon: a job that hangs in a transaction must not hold up all others.
    """
    ids = [one.call_id for one in held]
    locked = calls.alias()
    still_held = (
        select(locked.c.call_id)
        .where(
            locked.c.call_id.in_(ids),
            tuple_(locked.c.call_id, locked.c.attempt, locked.c.owner).in_(
                [tuple(one) for one in held]
            ),
            locked.c.state.in_(_HAS_A_JOB),
        )
        .with_for_update(skip_locked=True, key_share=True)
    )
    row = (calls.c.call_id, calls.c.attempt, calls.c.owner, calls.c.state)
    renewing = (
        update(calls)
        .where(calls.c.call_id.in_(still_held))
        .values(renewals=calls.c.renewals + 1)
        .returning(*row)
    )
    async with record.database.statement() as connection:
        renewed = {Held(*one[:3]): one.state for one in await connection.execute(renewing)}
    busy: set[Held] = set()
    if missing := [one.call_id for one in held if one not in renewed]:
        looking = select(*row).where(calls.c.call_id.in_(missing), calls.c.state.in_(_HAS_A_JOB))
        async with record.database.reading() as connection:
            busy = {Held(*one[:3]) for one in await connection.execute(looking)} - renewed.keys()
    return {one: _renewal(renewed.get(one)) for one in held if one in renewed or one not in busy}


async def give_back(record: Record, call_id: str, attempt: int, owner: str) -> bool:
    """Give up the claim, for a job that died. Returns: whether it was held."""
    statement = (
        update(calls)
        .where(_held(call_id, attempt, owner))
        .values(owner=None, worker_id=None, renewals=calls.c.renewals + 1)
    )
    return await _changed(record, statement)


async def refuse(record: Record, call_id: str, attempt: int, worker_id: str) -> bool:
    """
    The worker that was chosen does not take the call: another one is to be chosen now.

    Returns: whether the call still waited for it.
    """
    statement = (
        update(calls)
        .where(
            calls.c.call_id == call_id,
            calls.c.attempt == attempt,
            calls.c.owner.is_(None),
            calls.c.renewals == 0,
            calls.c.worker_id == worker_id,
            calls.c.state.in_((CallState.REQUESTED, CallState.LIVE)),
        )
        .values(worker_id=None, renewals=1)
    )
    return await _changed(record, statement)


async def raise_attempt(
    record: Record, call_id: str, seen: Seen, *, send: bool = True, was_lost: bool = False
) -> Raised | None:
    """
    Send for another agent; whatever the last one does from now on is stale.

    The next worker is chosen under the lock of admission, before any new call.

    Args:
        seen: what stood still. When it moved, nothing is changed.
        send: False: no agent is to be sent now, so no slot is taken.
        was_lost: the last attempt was sent and nobody took it, so its worker becomes suspect.
    Returns: None: it moved, or the call is over.
    """
    async with record.database.writing() as connection:
        held = await slots.hold(connection)
        last = (await connection.execute(_WORKER_OF, {"id": call_id})).scalar_one_or_none()
        held.give_up(last)
        worker = held.choose(rather_not=last) if send else None
        raised = Raised(seen.attempt + 1, worker)
        statement = (
            update(calls)
            .where(
                calls.c.call_id == call_id,
                calls.c.attempt == seen.attempt,
                calls.c.owner.is_not_distinct_from(seen.owner),
                calls.c.renewals == seen.renewals,
                calls.c.state.in_((CallState.REQUESTED, CallState.LIVE)),
            )
            .values(
                attempt=raised.attempt,
                owner=None,
                worker_id=worker.worker_id if worker else None,
                renewals=0,
            )
        )
        if not (await connection.execute(statement)).rowcount:
            return None
        if was_lost and last is not None:
            await workers.suspect(connection, last)
        return raised


async def join(record: Record, call_id: str) -> bool:
    """The caller is in the room. Returns: whether for the first time."""
    now_ms = record.clock.now_ms()
    return await _changed(
        record,
        update(calls)
        .where(
            calls.c.call_id == call_id,
            calls.c.joined_at_ms.is_(None),
            calls.c.state != CallState.ENDED,
        )
        .values(joined_at_ms=now_ms),
        call_id,
        draft(CallJoined(), now_ms),
    )


async def end(record: Record, call_id: str, reason: str, *, attempt: int | None = None) -> bool:
    """
    `live` to `ending`: the call is over for the caller.

    Args: attempt: of the agent that ends it, which may be stale; None: no agent ends it.
    Returns: whether it was live. False too when it is ending or ended already.
    """
    statement = update(calls).where(calls.c.call_id == call_id, calls.c.state == CallState.LIVE)
    if attempt is not None:
        statement = statement.where(calls.c.attempt == attempt)
    return await _changed(
        record,
        statement.values(state=CallState.ENDING),
        call_id,
        _draft(record, CallEnding(reason=reason)),
    )


def _renewal(state: str | None) -> Renewal:
    if state is None:
        return Renewal.LOST
    return Renewal.ENDING if state == CallState.ENDING else Renewal.RENEWED


def _held(call_id: str, attempt: int, owner: str) -> ColumnElement[bool]:
    return (
        (calls.c.call_id == call_id)
        & (calls.c.attempt == attempt)
        & (calls.c.owner == owner)
        & calls.c.state.in_(_HAS_A_JOB)
    )


def _draft(record: Record, entry: CallClaimed | CallEnding) -> Draft:
    return draft(entry, record.clock.now_ms())


async def _changed(
    record: Record, statement: Any, call_id: str | None = None, entry: Draft | None = None
) -> bool:
    """Run an UPDATE and, if it matched, append the entry that tells of it."""
    async with record.database.writing() as connection:
        changed = bool((await connection.execute(statement)).rowcount)
        if changed and call_id is not None and entry is not None:
            await append_in(connection, record.keys, call_id, None, [entry])
    return changed


async def _select(record: Record, condition: ColumnElement[bool]) -> list[Call]:
    async with record.database.reading() as connection:
        return await select_calls(connection, condition)


async def select_calls(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Call]:
    """The calls for which *condition* is true, in the order of their admission."""
    statement = select(calls).where(condition).order_by(calls.c.call_id)
    rows: Sequence[Row[Any]] = (await connection.execute(statement)).all()
    return [Call(**{**row._mapping, "state": CallState(row.state)}) for row in rows]
