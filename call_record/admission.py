"""Admission: one transaction decides who may call now."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import calls as live
from call_record import chain
from call_record.calls import Call, select_calls
from call_record.journal import draft, place
from call_record.record import Record
from call_record.tables import CallState, admission, worker
from call_record.tables import call as calls
from voice_contract.journal import CallEnded, CallRequested


class Refusal(StrEnum):
    """Why a call is not admitted; the values are problem codes."""

    AGENTS_BUSY = "agents-busy"
    """No worker that is there has a free slot."""


@dataclass(frozen=True)
class Applicant:
    """Who wants to call."""

    caller: str
    """The identity that the token service vouches for, or made for this call."""
    tenant: str | None = None
    display_name: str | None = None
    return_proof_hash: bytes | None = None
    """SHA-256 of the secret by which an anonymous caller comes back."""


@dataclass(frozen=True)
class Admitted:
    """The call that may begin."""

    call: Call
    is_new: bool
    """False: the caller's own call, asked for before and not joined yet."""


async def admit(record: Record, call_id: str, applicant: Applicant) -> Admitted | Refusal:
    """
    Admit *applicant* with a new call of that id, or with the one that it has not joined yet.

    Calls wait here for one another, so no slot is given twice.
    """
    async with record.database.writing() as connection:
        await connection.execute(
            update(admission).where(admission.c.id == 1).values(n=admission.c.n + 1)
        )
        unjoined = await select_calls(
            connection,
            (calls.c.caller == applicant.caller)
            & calls.c.tenant.is_not_distinct_from(applicant.tenant)
            & (calls.c.state == CallState.REQUESTED)
            & calls.c.joined_at_ms.is_(None),
        )
        if unjoined:
            return Admitted(unjoined[0], is_new=False)
        if await _free_slots(connection) <= 0:
            return Refusal.AGENTS_BUSY
        await _insert(connection, record, call_id, applicant)
        [new] = await select_calls(connection, calls.c.call_id == call_id)
        return Admitted(new, is_new=True)


async def withdraw(record: Record, call_id: str, reason: str) -> bool:
    """
    `requested` to `ended`: the slot of a call that no agent has is free at once.

    Returns: False: an agent has it, or had it.
    """
    async with record.database.writing() as connection:
        state = select(calls.c.state).where(calls.c.call_id == call_id).with_for_update()
        if (await connection.execute(state)).scalar_one_or_none() != CallState.REQUESTED:
            return False
        entry = draft(CallEnded(reason=reason), record.clock.now_ms())
        await place(connection, record.keys, call_id, None, [entry])
    return True


async def hang_up(record: Record, call_id: str, reason: str) -> None:
    """End the call for its caller, whether or not an agent has it; one that is over stays so."""
    if not await withdraw(record, call_id, reason):
        await live.end(record, call_id, reason)


async def free_slots(record: Record) -> int:
    """Slots that are free now; negative when workers went away under their calls."""
    async with record.database.reading() as connection:
        return await _free_slots(connection)


async def _free_slots(connection: AsyncConnection) -> int:
    """
    Slots of the workers that take calls, less the calls that have or will need one of them: all
    but those that a draining worker finishes.
    """
    capacity = select(func.coalesce(func.sum(worker.c.capacity), 0)).where(
        worker.c.gone.is_(False), worker.c.draining.is_(False)
    )
    finishing = select(worker.c.worker_id).where(
        worker.c.gone.is_(False), worker.c.draining.is_(True)
    )
    taken = select(func.count()).where(
        calls.c.state.in_((CallState.REQUESTED, CallState.LIVE, CallState.ENDING)),
        or_(calls.c.worker_id.is_(None), calls.c.worker_id.not_in(finishing)),
    )
    total: int = (await connection.execute(capacity)).scalar_one()
    used: int = (await connection.execute(taken)).scalar_one()
    return total - used


async def _insert(
    connection: AsyncConnection, record: Record, call_id: str, applicant: Applicant
) -> None:
    now_ms = record.clock.now_ms()
    key_id = record.keys.current
    await connection.execute(
        insert(calls).values(
            call_id=call_id,
            state=CallState.REQUESTED,
            attempt=1,
            renewals=0,
            caller=applicant.caller,
            tenant=applicant.tenant,
            display_name=applicant.display_name,
            return_proof_hash=applicant.return_proof_hash,
            admitted_at_ms=now_ms,
            key_id=key_id,
            head_seq=0,
            head_mac=chain.genesis(record.keys.key(key_id), call_id),
        )
    )
    entry = CallRequested(
        caller=applicant.caller, tenant=applicant.tenant, display_name=applicant.display_name
    )
    await place(connection, record.keys, call_id, 1, [draft(entry, now_ms)])
