"""
The work after a call, as all may see it: its steps, what they found, what they left elsewhere.

The post-call service writes here; the token service reads it, and erasing reaches it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, insert, select, update
from sqlalchemy import func as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.record import Record
from call_record.tables import OPEN
from call_record.tables import call as calls
from call_record.tables import follow_up as work
from call_record.tables import follow_up_step as steps
from call_record.tables import tombstone as tombstones
from voice_contract.follow_up import ActionItem, CallSummary, FollowUp

SUMMARY = "summary"
ACTION_ITEMS = "action_items"
TICKET = "ticket"
SHOWN = (SUMMARY, ACTION_ITEMS, TICKET)
"""Steps that the caller waits for."""
ERASED = "erased"
"""The reason of steps that were not done because the call was erased."""
REASON_MAX_CHARS = 200


class WorkState(StrEnum):
    """Of all the work after a call."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    """A step is parked."""


class StepState(StrEnum):
    """Of one step."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    """Not needed, or not to be done; `reason` says why."""
    PARKED = "parked"
    """Given up until somebody says `retry` or `skip`."""


@dataclass(frozen=True)
class Step:
    """A step as it was read."""

    call_id: str
    step: str
    position: int
    state: StepState
    tries: int
    reason: str
    """Why it is parked or skipped, or what to know of how it was done. No personal data."""
    dropped: int
    """Things that a model made up and that were left out."""
    target: str | None
    external_id: str | None
    at_ms: int


@dataclass(frozen=True)
class Run:
    """Work that is to be queued."""

    call_id: str
    run: int


@dataclass(frozen=True)
class Results:
    """What the work found so far."""

    summary: CallSummary | None
    action_items: list[ActionItem]


@dataclass(frozen=True)
class Counts:
    """For metrics."""

    waiting: int
    parked: int
    """Steps."""


# Taking calls that have ended.


async def take(record: Record, *, ended_after_ms: int = 0, limit: int = 100) -> int:
    """
    Make the work of calls that have ended since, oldest first; erased ones have none.

    Returns: for how many calls work was made.
    """
    async with record.database.reading() as connection:
        found = list(await connection.scalars(untaken(ended_after_ms, limit)))
    if not found:
        return 0
    # One process at a time: another one may have been faster. A call may have been removed. One of
    # another version may have made the work without saying so.
    needs_none = exists().where(tombstones.c.call_id == calls.c.call_id) | exists().where(
        work.c.call_id == calls.c.call_id
    )
    rows = (
        select(calls.c.call_id, needs_none)
        .where(calls.c.call_id.in_(found), ~calls.c.taken)
        .order_by(calls.c.call_id)
        .with_for_update(of=calls)
    )
    row = {"state": WorkState.WAITING, "run": 0, "queued": -1}
    async with record.database.writing() as connection:
        still = (await connection.execute(rows)).all()
        taken = [call_id for call_id, _ in still]
        await connection.execute(update(calls).where(calls.c.call_id.in_(taken)).values(taken=True))
        new = [{"call_id": call_id, **row} for call_id, is_done in still if not is_done]
        if new:
            await connection.execute(insert(work), new)
    return len(new)


def untaken(ended_after_ms: int, limit: int) -> Select[Any]:
    """What `take` looks for, several times a second: it must not look through all calls."""
    return (
        select(calls.c.call_id)
        # Only ended ones have an end; asked for by their state, all of them would be read.
        .where(~calls.c.taken, calls.c.ended_at_ms > ended_after_ms)
        .order_by(calls.c.ended_at_ms)
        .limit(limit)
    )


async def is_quiet(record: Record) -> bool:
    """Whether no call goes on and no work waits: for a second there can be nothing to do."""
    going_on = exists().where(calls.c.state.in_(OPEN))
    has_ended = exists().where(~calls.c.taken, calls.c.ended_at_ms > 0)
    waits = exists().where(work.c.state == WorkState.WAITING)
    async with record.database.reading() as connection:
        return not await connection.scalar(select(going_on | has_ended | waits))


async def unqueued(record: Record, *, limit: int = 100) -> list[Run]:
    """Work that no workflow was made for yet."""
    statement = (
        select(work.c.call_id, work.c.run)
        .where(work.c.state == WorkState.WAITING, work.c.queued < work.c.run)
        .order_by(work.c.call_id)
        .limit(limit)
    )
    async with record.database.reading() as connection:
        return [Run(*row) for row in await connection.execute(statement)]


async def waiting(record: Record, *, after: str = "", limit: int = 500) -> list[Run]:
    """Work that a workflow was made for and that is not finished, by call id."""
    statement = (
        select(work.c.call_id, work.c.run)
        .where(
            work.c.state == WorkState.WAITING,
            work.c.queued == work.c.run,
            work.c.call_id > after,
        )
        .order_by(work.c.call_id)
        .limit(limit)
    )
    async with record.database.reading() as connection:
        return [Run(*row) for row in await connection.execute(statement)]


async def set_queued(record: Record, runs: Iterable[Run]) -> None:
    """These have a workflow now."""
    async with record.database.writing() as connection:
        for one in runs:
            await connection.execute(
                update(work)
                .where(work.c.call_id == one.call_id, work.c.queued < one.run)
                .values(queued=one.run)
            )


async def run_again(record: Record, lost: Run) -> bool:
    """The workflow of *lost* came to nothing: another one is to be made."""
    statement = (
        update(work)
        .where(
            work.c.call_id == lost.call_id,
            work.c.run == lost.run,
            work.c.state == WorkState.WAITING,
        )
        .values(run=lost.run + 1)
    )
    async with record.database.writing() as connection:
        return bool((await connection.execute(statement)).rowcount)


async def give_up(record: Record, lost: Run, reason: str) -> None:
    """The workflows of a call keep failing: park the steps that are open."""
    left = update(steps).where(steps.c.call_id == lost.call_id, steps.c.state == StepState.OPEN)
    async with record.database.writing() as connection:
        parked = await connection.execute(left.values(state=StepState.PARKED, reason=reason))
        if parked.rowcount:
            await _conclude(connection, lost.call_id)


# Doing the steps.


async def plan(record: Record, call_id: str, names: Sequence[str]) -> list[str]:
    """
    Write down the steps of a call, in order, unless that was done before.

    Returns: those that are open; none for a call that was erased or removed.
    """
    async with record.database.writing() as connection:
        # Erasing begins with this row too.
        there = await connection.scalar(
            select(calls.c.call_id).where(calls.c.call_id == call_id).with_for_update()
        )
        if there is None:
            return []
        found = await _read(connection, steps.c.call_id == call_id)
        if not found and not await _buried(connection, call_id):
            row = {
                "call_id": call_id,
                "state": StepState.OPEN,
                "tries": 0,
                "reason": "",
                "dropped": 0,
                "at_ms": record.clock.now_ms(),
            }
            await connection.execute(
                insert(steps), [{"step": n, "position": p, **row} for p, n in enumerate(names)]
            )
            return list(names)
    return [one.step for one in found if one.state is StepState.OPEN]


async def begin(record: Record, call_id: str, step: str, target: str | None) -> int | None:
    """
    A step is tried; whatever it leaves at *target* is known to be there perhaps.

    Returns: how often it was tried, this time included; None: it is not open any more.
    """
    statement = (
        update(steps)
        .where(_open(call_id, step))
        .values(tries=steps.c.tries + 1, target=target, at_ms=record.clock.now_ms())
        .returning(steps.c.tries)
    )
    async with record.database.writing() as connection:
        tries: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return tries


async def settle(
    record: Record,
    call_id: str,
    step: str,
    state: StepState,
    *,
    reason: str = "",
    dropped: int = 0,
    external_id: str | None = None,
    found: Mapping[str, Any] | None = None,
) -> bool:
    """
    A step is done, skipped or parked.

    Args:
        reason: no personal data. found: `summary` or `action_items`, as JSON.
    Returns: False: it was not open any more; nothing is stored.
    """
    statement = (
        update(steps)
        .where(_open(call_id, step))
        .values(
            state=state,
            reason=reason[:REASON_MAX_CHARS],
            dropped=dropped,
            external_id=external_id,
            at_ms=record.clock.now_ms(),
        )
    )
    async with record.database.writing() as connection:
        if not (await connection.execute(statement)).rowcount:
            return False
        if found:
            await connection.execute(update(work).where(work.c.call_id == call_id).values(found))
    return True


async def finish(record: Record, call_id: str) -> WorkState | None:
    """
    All steps are settled: so is the work.

    Returns: its state; None: the call was removed.
    """
    async with record.database.writing() as connection:
        await _conclude(connection, call_id)
        state = await connection.scalar(select(work.c.state).where(work.c.call_id == call_id))
    return None if state is None else WorkState(state)


# Reading.


async def read_steps(record: Record, call_id: str) -> list[Step]:
    """The steps of a call, in order."""
    async with record.database.reading() as connection:
        return await _read(connection, steps.c.call_id == call_id)


async def read_results(record: Record, call_id: str) -> Results:
    """What the work found so far."""
    statement = select(work.c.summary, work.c.action_items).where(work.c.call_id == call_id)
    async with record.database.reading() as connection:
        row = (await connection.execute(statement)).one_or_none()
    return _results(*row) if row else Results(None, [])


async def read_follow_up(record: Record, call_id: str) -> FollowUp | None:
    """
    What the caller may see. Whose call it is must be checked before.

    Returns: None: there is no such call, or it was erased.
    """
    statement = (
        select(calls.c.call_id, work.c.summary, work.c.action_items)
        .outerjoin(work, work.c.call_id == calls.c.call_id)
        .where(calls.c.call_id == call_id, ~exists().where(tombstones.c.call_id == calls.c.call_id))
    )
    async with record.database.reading() as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        found = await _read(connection, (steps.c.call_id == call_id) & steps.c.step.in_(SHOWN))
    results = _results(row.summary, row.action_items)
    states = {one.state for one in found}
    state = WorkState.READY
    if not found or StepState.OPEN in states:
        state = WorkState.WAITING
    elif StepState.PARKED in states:
        state = WorkState.FAILED
    tickets = [one.external_id for one in found if one.step == TICKET]
    return FollowUp(
        state=state.value,
        summary=results.summary,
        action_items=results.action_items,
        ticket=tickets[0] if tickets else None,
    )


async def read_unsettled(record: Record, *, failed: bool, limit: int = 1_000) -> list[Step]:
    """Parked steps, and with *failed* False open ones too, by call."""
    states = [StepState.PARKED] if failed else [StepState.PARKED, StepState.OPEN]
    unsettled = select(work.c.call_id).where(
        work.c.state.in_((WorkState.WAITING, WorkState.FAILED))
    )
    async with record.database.reading() as connection:
        return await _read(
            connection, steps.c.state.in_(states) & steps.c.call_id.in_(unsettled), limit=limit
        )


async def count(record: Record) -> Counts:
    """How much there is to do, and to look at."""
    unsettled = work.c.state.in_((WorkState.WAITING, WorkState.FAILED))
    parked = sql.sum(case((steps.c.state == StepState.PARKED, 1), else_=0))
    async with record.database.reading() as connection:
        open_work = await connection.scalar(
            select(sql.count()).select_from(work).where(work.c.state == WorkState.WAITING)
        )
        parked_steps = await connection.scalar(
            select(parked).select_from(work.join(steps)).where(unsettled)
        )
    return Counts(open_work or 0, int(parked_steps or 0))


# Dead letters.


async def retry(record: Record, call_id: str, step: str | None = None) -> int:
    """
    Try parked steps again, all or one of them, with all their tries.

    Returns: how many there were.
    """
    again = update(steps).where(_parked(call_id, step))
    async with record.database.writing() as connection:
        opened = (await connection.execute(again.values(state=StepState.OPEN, reason=""))).rowcount
        if opened:
            await connection.execute(
                update(work)
                .where(work.c.call_id == call_id)
                .values(
                    state=WorkState.WAITING,
                    # A workflow under way comes to its end first; then another one is made.
                    run=case((work.c.state == WorkState.WAITING, work.c.run), else_=work.c.run + 1),
                )
            )
    return opened


async def skip(record: Record, call_id: str, step: str | None = None) -> int:
    """
    Leave parked steps undone for good, all or one of them.

    Returns: how many there were.
    """
    left = update(steps).where(_parked(call_id, step))
    async with record.database.writing() as connection:
        skipped = (
            await connection.execute(left.values(state=StepState.SKIPPED, reason="by hand"))
        ).rowcount
        if skipped:
            await _conclude(connection, call_id)
    return skipped


# Erasing.


async def outside(connection: AsyncConnection, call_ids: Sequence[str]) -> list[Step]:
    """What the work of these calls left, or may have left, in other systems."""
    return await _read(connection, steps.c.call_id.in_(call_ids) & steps.c.target.is_not(None))


async def erase(connection: AsyncConnection, record: Record, call_id: str) -> None:
    """
    Erase what was found, and do no more. What was left outside stays listed.

    Within the caller's writing transaction.
    """
    await connection.execute(
        update(steps)
        .where(steps.c.call_id == call_id, steps.c.state.in_((StepState.OPEN, StepState.PARKED)))
        .values(state=StepState.SKIPPED, reason=ERASED, at_ms=record.clock.now_ms())
    )
    await connection.execute(
        update(work).where(work.c.call_id == call_id).values(summary=None, action_items=None)
    )
    await _conclude(connection, call_id)


async def remove(connection: AsyncConnection, call_ids: Sequence[str]) -> None:
    """Remove all of it. Within the caller's writing transaction."""
    await connection.execute(delete(steps).where(steps.c.call_id.in_(call_ids)))
    await connection.execute(delete(work).where(work.c.call_id.in_(call_ids)))


async def _conclude(connection: AsyncConnection, call_id: str) -> None:
    """Ready or failed, if no step is open; else it waits as it did."""
    of_call = steps.c.call_id == call_id
    parked = exists().where(of_call, steps.c.state == StepState.PARKED)
    await connection.execute(
        update(work)
        .where(
            work.c.call_id == call_id,
            ~exists().where(of_call, steps.c.state == StepState.OPEN),
        )
        .values(state=case((parked, WorkState.FAILED), else_=WorkState.READY))
    )


async def _buried(connection: AsyncConnection, call_id: str) -> bool:
    statement = select(tombstones.c.call_id).where(tombstones.c.call_id == call_id)
    return await connection.scalar(statement) is not None


async def _read(
    connection: AsyncConnection, condition: ColumnElement[bool], *, limit: int | None = None
) -> list[Step]:
    statement: Select[Any] = (
        select(steps).where(condition).order_by(steps.c.call_id, steps.c.position).limit(limit)
    )
    rows = await connection.execute(statement)
    return [Step(**{**row._mapping, "state": StepState(row.state)}) for row in rows]


def _open(call_id: str, step: str) -> ColumnElement[bool]:
    return and_(steps.c.call_id == call_id, steps.c.step == step, steps.c.state == StepState.OPEN)


def _parked(call_id: str, step: str | None) -> ColumnElement[bool]:
    parked = (steps.c.call_id == call_id) & (steps.c.state == StepState.PARKED)
    return parked if step is None else parked & (steps.c.step == step)


def items_json(items: Sequence[ActionItem]) -> str:
    """As `settle` takes them."""
    return json.dumps([item.model_dump() for item in items])


def _results(summary: str | None, items: str | None) -> Results:
    return Results(
        None if summary is None else CallSummary.model_validate_json(summary),
        [ActionItem.model_validate(one) for one in json.loads(items or "[]")],
    )
