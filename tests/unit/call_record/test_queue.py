"""Who waits for a slot, and in which order."""

import pytest
from sqlalchemy import select

from call_record import admission, calls, deny_list, erasure, tables, workers
from call_record.admission import Admitted, Answer, Applicant, Application, Limits, Queued, Refusal
from call_record.queue import (
    FORGET_AFTER_MS,
    FORGET_SOON_AFTER_MS,
    LENGTH_MAX,
    SOON,
    Queue,
    QueueEntry,
)
from call_record.record import Record
from tests.support.calls import FakeClock
from voice_contract.ids import new_call_id

FORGET_AFTER_S = FORGET_AFTER_MS / 1000
SOON_S = FORGET_SOON_AFTER_MS / 1000


async def ask(record: Record, *callers: str, limits: Limits = admission.NO_LIMITS) -> list[Answer]:
    """All in one transaction."""
    wishes = [Application(new_call_id(), Applicant(caller)) for caller in callers]
    return await admission.admit_all(record, wishes, limits)


def positions(answers: list[Answer]) -> list[int | None]:
    """Of those who must wait; 0: admitted."""
    return [answer.position if isinstance(answer, Queued) else 0 for answer in answers]


async def end(record: Record, answer: Answer) -> None:
    assert isinstance(answer, Admitted)
    await admission.hang_up(record, answer.call.call_id, "caller")


async def test_who_asked_first_gets_the_next_slot(record: Record) -> None:
    """Whoever else asks in between, together or alone."""
    await workers.register(record, "worker", 1)
    first, *late = await ask(record, "a", "zoe", "ben")
    assert positions(late) == [1, 2]
    assert positions(await ask(record, "new", "ben")) == [3, 2]
    await end(record, first)
    assert positions(await ask(record, "new", "ben")) == [3, 2]
    [second] = await ask(record, "zoe")
    assert isinstance(second, Admitted)
    await end(record, second)
    assert positions(await ask(record, "new", "ben")) == [2, 0]


async def test_slots_for_several_go_to_as_many_of_the_first(record: Record) -> None:
    """They need not ask in their order."""
    await workers.register(record, "worker", 1)
    await ask(record, "a", "b", "c", "d")
    await workers.register(record, "more", 2)
    assert positions(await ask(record, "d", "c", "b")) == [3, 0, 0]


async def test_who_does_not_ask_again_is_forgotten(clocked: Record, clock: FakeClock) -> None:
    """A slot is kept for that long at most; who keeps asking stays, however long it takes."""
    await workers.register(clocked, "worker", 1)
    [first, *_] = await ask(clocked, "a", "b", "c")
    for _ in range(10):
        clock.seconds += SOON_S / 2
        await ask(clocked, "c")
    assert positions(await ask(clocked, "c", "b")) == [1, 2]
    await end(clocked, first)
    clock.seconds += SOON_S + 0.001
    assert positions(await ask(clocked, "d")) == [0]


async def test_who_is_far_behind_may_ask_less_often(clocked: Record, clock: FakeClock) -> None:
    """As it is told to."""
    waiting = [f"c{number}" for number in range(SOON + 2)]
    await ask(clocked, *waiting)
    clock.seconds += SOON_S - 1
    await ask(clocked, *waiting[:SOON])
    clock.seconds += SOON_S - 1
    await ask(clocked, *waiting[:SOON])
    assert positions(await ask(clocked, *waiting)) == [1, 2, 3, 4, 5]
    clock.seconds += FORGET_AFTER_S + 0.001
    assert positions(await ask(clocked, waiting[-1])) == [1]


async def test_retention_leaves_nothing_of_who_has_left_the_queue(
    clocked: Record, clock: FakeClock
) -> None:
    """And all of those who wait."""
    await ask(clocked, "a")
    clock.seconds += SOON_S - 1
    await ask(clocked, "b")
    clock.seconds += FORGET_AFTER_S - SOON_S + 1.001
    await erasure.remove_ended_before(clocked, 0, "retention")
    async with clocked.database.reading() as connection:
        left = (await connection.execute(select(tables.queue_entry.c.caller))).scalars().all()
    assert left == ["b"]


async def test_queue_is_for_those_whom_a_slot_would_help(record: Record) -> None:
    """Others are told why not, and hold up nobody."""
    await workers.register(record, "worker", 1)
    limits = Limits(calls_a_caller=1)
    [answer] = await ask(record, "a", limits=limits)
    assert isinstance(answer, Admitted)
    await calls.join(record, answer.call.call_id)
    await deny_list.deny(record, "mallory")
    refused = await ask(record, "a", "mallory", "b", limits=limits)
    assert refused == [
        Refusal.TOO_MANY_CALLS,
        Refusal.NOT_ALLOWED,
        Queued(Refusal.AGENTS_BUSY, 1),
    ]


async def test_callers_of_two_tenants_with_one_name_are_two(record: Record) -> None:
    """In the queue too."""
    wishes = [
        Application(new_call_id(), Applicant("sam", tenant=tenant)) for tenant in ("x", "y", None)
    ]
    for _ in range(2):
        assert positions(await admission.admit_all(record, wishes)) == [1, 2, 3]


@pytest.mark.parametrize("limit", [1, None])
async def test_busy_of_both_kinds_is_one_queue(record: Record, limit: int | None) -> None:
    """As many calls as there may be, or as there are slots for."""
    await workers.register(record, "worker", 9 if limit else 1)
    limits = Limits(calls=limit)
    _, *late = await ask(record, "a", "b", "c", limits=limits)
    expected = Refusal.SERVICE_BUSY if limit else Refusal.AGENTS_BUSY
    assert late == [Queued(expected, 1), Queued(expected, 2)]


def test_queue_has_an_end() -> None:
    """Whoever comes then is told no position, and takes no memory."""
    queue = Queue([QueueEntry(None, f"c{n}", n, 0) for n in range(LENGTH_MAX)], 5, 0)
    assert queue.wait((None, "late")) is None
    assert not queue.changed
    queue.leave((None, "c0"))
    assert queue.wait((None, "late")) == LENGTH_MAX
