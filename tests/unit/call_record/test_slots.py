"""Which worker a call is sent to."""

import asyncio

import pytest

from call_record import calls, slots, workers
from call_record.admission import Admitted, Applicant, Queued, Refusal, admit
from call_record.calls import Claim
from call_record.record import Record
from call_record.slots import NOBODY, Slots
from call_record.workers import Worker
from tests.support.calls import the_call
from voice_contract.ids import new_call_id


def a_worker(
    name: str,
    capacity: int = 2,
    *,
    draining: bool = False,
    gone: bool = False,
    suspect: bool = False,
) -> Worker:
    return Worker(name, capacity, 1, draining, gone, f"deployed-{name}", suspect)


def chosen(held: Slots, *, rather_not: str | None = None) -> str | None:
    worker = held.choose(rather_not=rather_not)
    return worker.worker_id if worker else None


async def ask(record: Record) -> Admitted:
    call_id = new_call_id()
    admitted = await admit(record, call_id, Applicant(f"caller-{call_id}"))
    assert isinstance(admitted, Admitted)
    return admitted


def test_worker_with_most_free_slots_is_chosen() -> None:
    """Calls spread, and none goes to a worker that is full."""
    held = Slots([a_worker("a", 2), a_worker("b", 4)], {"b": 1})
    order = []
    while name := chosen(held):
        held.take(name)
        order.append(name)
    assert order == ["b", "a", "b", "a", "b"]
    assert (held.capacity, held.used, held.free, held.calls) == (6, 6, 0, 6)


def test_worker_that_goes_is_never_chosen() -> None:
    """Neither one that drains nor one that is gone, however free it is."""
    held = Slots([a_worker("a", draining=True), a_worker("b", gone=True)], {})
    assert chosen(held) is None
    assert held.deployment("a") == held.deployment("b") == held.deployment(None) == NOBODY


def test_suspect_worker_is_chosen_last_but_it_is_chosen() -> None:
    """It may be well, and it is better than no agent."""
    held = Slots([a_worker("a", 9, suspect=True), a_worker("b", 1), a_worker("c", 2)], {})
    assert chosen(held, rather_not="c") == "b"
    held.take("b")
    assert chosen(held, rather_not="c") == "c"
    held.take("c")
    held.take("c")
    assert chosen(held) == "a"


def test_call_that_waits_for_an_agent_comes_before_new_ones() -> None:
    """Its slot is kept for it."""
    held = Slots([a_worker("a", 2)], {"a": 1, None: 1})
    assert held.free == 0
    assert chosen(held) == "a"


async def test_admission_notes_the_worker_and_tells_its_deployment(record: Record) -> None:
    """The dispatch goes to that one alone."""
    await workers.register(record, "a", 1, "x" * 32)
    await workers.register(record, "b", 2, "y" * 32)
    answers = [await ask(record) for _ in range(3)]
    assert [one.call.worker_id for one in answers] == ["b", "a", "b"]
    assert [one.deployment for one in answers] == ["y" * 32, "x" * 32, "y" * 32]
    again = await admit(record, new_call_id(), Applicant(answers[0].call.caller or ""))
    assert isinstance(again, Admitted) and again.deployment == "y" * 32
    late = await admit(record, new_call_id(), Applicant("late"))
    assert late == Queued(Refusal.AGENTS_BUSY, 1)


async def test_call_that_its_worker_refuses_is_sent_to_another(record: Record) -> None:
    """At the supervisor's next look, which sees it as given back."""
    await workers.register(record, "a", 2)
    call_id = (await ask(record)).call.call_id
    await workers.register(record, "b", 1)
    assert not await calls.refuse(record, call_id, 1, "b")
    assert await calls.refuse(record, call_id, 1, "a")
    call = await the_call(record, call_id)
    assert (call.worker_id, call.owner, call.renewals) == (None, None, 1)
    assert await calls.claim(record, call_id, 1, "late", "a") is Claim.TAKEN
    raised = await calls.raise_attempt(record, call_id, call.seen)
    assert raised is not None and raised.worker is not None
    assert (await the_call(record, call_id)).worker_id == raised.worker.worker_id


async def test_worker_that_takes_no_call_is_suspect_until_it_does(record: Record) -> None:
    """Others come first meanwhile; also a new registration ends it."""
    await workers.register(record, "a", 3)
    call = (await ask(record)).call
    await workers.register(record, "b", 1)
    raised = await calls.raise_attempt(record, call.call_id, call.seen, was_lost=True)
    assert raised is not None and raised.worker is not None
    assert raised.worker.worker_id == "b"
    assert [one.suspect for one in await workers.read_all(record)] == [True, False]
    other = (await ask(record)).call
    assert other.worker_id == "a"
    await calls.claim(record, other.call_id, 1, "job", "a")
    assert [one.suspect for one in await workers.read_all(record)] == [False, False]


async def test_next_agent_goes_elsewhere_if_it_can(record: Record) -> None:
    """What made the last one stand still may be the worker's; a lone worker gets it again."""
    await workers.register(record, "a", 5)
    call = (await ask(record)).call
    await calls.claim(record, call.call_id, 1, "job", "a")
    for others, expected in ((0, "a"), (1, "b")):
        if others:
            await workers.register(record, "b", 1)
        seen = (await the_call(record, call.call_id)).seen
        raised = await calls.raise_attempt(record, call.call_id, seen)
        assert raised is not None and raised.worker is not None
        assert raised.worker.worker_id == expected


async def test_attempt_without_an_agent_holds_no_slot_of_a_worker(record: Record) -> None:
    """Where nobody is to be sent, or nobody has a free slot."""
    await workers.register(record, "a", 1)
    call = (await ask(record)).call
    raised = await calls.raise_attempt(record, call.call_id, call.seen, send=False)
    assert raised is not None and raised.worker is None
    assert (await the_call(record, call.call_id)).worker_id is None
    assert (await slots.read(record)).free == 0


@pytest.mark.parametrize("state", ["requested", "live", "refused"])
async def test_draining_worker_waits_for_calls_that_were_sent_to_it(
    record: Record, state: str
) -> None:
    """One that it has, or does not take, is on its way no more."""
    await workers.register(record, "a", 1)
    call_id = (await ask(record)).call.call_id
    if state == "live":
        await calls.claim(record, call_id, 1, "job", "a")
    elif state == "refused":
        await calls.refuse(record, call_id, 1, "a")
    assert await slots.drain(record, "a")
    assert await slots.on_their_way(record, "a") == (1 if state == "requested" else 0)


async def test_no_slot_is_given_twice_between_admission_and_recovery(record: Record) -> None:
    """Both choose behind the same lock."""
    await workers.register(record, "old", 4)
    stranded = [(await ask(record)).call for _ in range(4)]
    await workers.mark_gone(record, "old", 1)
    await workers.register(record, "new", 5)

    async def recover(call_id: str) -> str | None:
        seen = (await the_call(record, call_id)).seen
        raised = await calls.raise_attempt(record, call_id, seen)
        return raised.worker.worker_id if raised and raised.worker else None

    async def apply() -> str | None:
        answer = await admit(record, new_call_id(), Applicant(new_call_id()))
        return answer.call.worker_id if isinstance(answer, Admitted) else None

    recovered, admitted = await asyncio.gather(
        asyncio.gather(*(recover(call.call_id) for call in stranded)),
        asyncio.gather(*(apply() for _ in range(4))),
    )
    assert recovered == ["new"] * 4
    assert sorted(map(str, admitted)) == ["None", "None", "None", "new"]
