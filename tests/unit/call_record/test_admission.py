"""Who may call now."""

import pytest
from sqlalchemy import select

from call_record import admission, calls, deny_list, erasure, journal, slots, tables, workers
from call_record.admission import (
    NO_LIMITS,
    Admitted,
    Answer,
    Applicant,
    Application,
    Limits,
    Queued,
    Refusal,
    admit,
)
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.support.calls import FakeClock, requested, the_call
from voice_contract.ids import new_call_id
from voice_contract.journal import CallRequested
from voice_contract.limits import DENY_S, JOIN_WITHIN_S

SAM = Applicant("sam", tenant="shop", display_name="Sam", return_proof_hash=b"h" * 32)


async def ask(record: Record, caller: str) -> Answer:
    return await admit(record, new_call_id(), Applicant(caller))


async def test_admit_writes_the_call_and_its_first_entry(record: Record) -> None:
    """What is known of the caller is there, and the chain begins."""
    await workers.register(record, "worker", 1)
    call_id = new_call_id()
    admitted = await admit(record, call_id, SAM)
    assert isinstance(admitted, Admitted) and admitted.is_new
    call = await the_call(record, call_id)
    assert admitted.call == call
    assert (call.state, call.attempt, call.owner) == (CallState.REQUESTED, 1, None)
    assert (call.caller, call.tenant, call.display_name) == ("sam", "shop", "Sam")
    assert call.return_proof_hash == b"h" * 32
    [first] = await journal.read(record, call_id)
    assert first.entry == CallRequested(caller="sam", tenant="shop", display_name="Sam")
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_admit_without_a_free_slot_is_refused(record: Record) -> None:
    """Honestly, and before anything is made."""
    assert isinstance(await ask(record, "a"), Queued)
    await workers.register(record, "worker", 1)
    assert isinstance(await ask(record, "a"), Admitted)
    assert isinstance(await ask(record, "b"), Queued)
    assert (await slots.read(record)).free == 0


async def test_admit_gives_the_callers_unjoined_call_again(record: Record) -> None:
    """A double click is one call, also when no slot is left."""
    await workers.register(record, "worker", 1)
    first = await ask(record, "sam")
    again = await ask(record, "sam")
    assert isinstance(first, Admitted) and isinstance(again, Admitted)
    assert again.call == first.call and not again.is_new
    await calls.join(record, first.call.call_id)
    assert isinstance(await ask(record, "sam"), Queued)


async def test_call_that_was_not_joined_for_long_makes_room_for_the_callers_next(
    clocked: Record, clock: FakeClock
) -> None:
    """It is over, and counts no more among the calls that the caller may have."""
    await workers.register(clocked, "worker", 1)
    limits = Limits(calls_a_caller=1)
    first = await admit(clocked, new_call_id(), SAM, limits)
    clock.seconds += 2 * JOIN_WITHIN_S + 1
    second = await admit(clocked, new_call_id(), SAM, limits)
    assert isinstance(first, Admitted) and isinstance(second, Admitted)
    assert second.is_new and second.call != first.call
    assert (await the_call(clocked, first.call.call_id)).state is CallState.ENDED


@pytest.mark.parametrize("state", ["requested", "live", "ending"])
async def test_slot_is_held_until_the_call_is_ended(record: Record, state: str) -> None:
    """Not a moment shorter or longer."""
    call_id = await requested(record, room=1)
    if state != "requested":
        await calls.claim(record, call_id, 1, "job", "worker")
    if state == "ending":
        await calls.end(record, call_id, "caller")
    assert isinstance(await ask(record, "b"), Queued)
    await calls.end(record, call_id, "caller")
    await journal.seal(record, call_id, 1, "caller")
    assert isinstance(await ask(record, "b"), Admitted)


async def test_slots_of_workers_that_drain_or_are_gone_do_not_count(record: Record) -> None:
    """Neither do the calls that a draining worker finishes."""
    call_id = await requested(record, room=1)
    await calls.claim(record, call_id, 1, "job", "worker")
    await workers.register(record, "other", 2)
    assert (await slots.read(record)).free == 2
    await slots.drain(record, "worker")
    assert (await slots.read(record)).free == 2
    await workers.mark_gone(record, "worker", 1)
    assert (await slots.read(record)).free == 1, "its call needs another agent"
    await workers.mark_gone(record, "other", 1)
    assert (await slots.read(record)).free == -1


async def test_admit_takes_no_other_tenants_caller_for_the_same(record: Record) -> None:
    """A name says who it is only within its tenant."""
    await workers.register(record, "worker", 2)
    ids = set()
    for tenant in ("shop", "bank"):
        admitted = await admit(record, new_call_id(), Applicant("sam", tenant=tenant))
        assert isinstance(admitted, Admitted) and admitted.is_new
        ids.add(admitted.call.call_id)
    assert len(ids) == 2


async def test_withdraw_ends_a_call_that_no_agent_has_and_only_such(record: Record) -> None:
    """Its slot is free at once, its journal sealed; an agent's call is the agent's to end."""
    call_id = await requested(record, room=1)
    assert await admission.withdraw(record, call_id, "sfu-unavailable")
    call = await the_call(record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "sfu-unavailable")
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
    assert (await slots.read(record)).free == 1
    assert not await admission.withdraw(record, call_id, "again")
    taken = await requested(record, room=1)
    await calls.claim(record, taken, 1, "job", "worker")
    assert not await admission.withdraw(record, taken, "caller")
    assert not await admission.withdraw(record, new_call_id(), "caller")
    assert (await the_call(record, taken)).state is CallState.LIVE


async def test_hang_up_ends_a_call_with_and_without_an_agent(record: Record) -> None:
    """`ended` where nobody has it, `ending` where an agent seals it."""
    states = []
    for claimed in (False, True):
        call_id = await requested(record)
        if claimed:
            await calls.claim(record, call_id, 1, "job", "worker")
        await admission.hang_up(record, call_id, "caller")
        await admission.hang_up(record, call_id, "caller")
        states.append((await the_call(record, call_id)).state)
    assert states == [CallState.ENDED, CallState.ENDING]


async def admitted(record: Record, caller: str, limits: Limits = NO_LIMITS) -> str:
    """The id of a call that must be admitted."""
    answer = await admit(record, new_call_id(), Applicant(caller), limits)
    assert isinstance(answer, Admitted), answer
    return answer.call.call_id


async def talk(record: Record, clock: FakeClock, caller: str, minutes: float) -> None:
    """A call of the caller's that took so long."""
    call_id = await admitted(record, caller)
    await calls.join(record, call_id)
    clock.seconds += minutes * 60
    await erasure.end(record, call_id, "caller")
    await admission.withdraw(record, call_id, "caller")


async def test_admit_beyond_the_callers_calls_at_once_is_refused(record: Record) -> None:
    """Calls that are over do not count; other callers' do not either."""
    await workers.register(record, "worker", 9)
    limits = Limits(calls_a_caller=1)
    first = await admitted(record, "sam", limits)
    await calls.claim(record, first, 1, "job", "worker")
    assert await admit(record, new_call_id(), Applicant("sam"), limits) is Refusal.TOO_MANY_CALLS
    await admitted(record, "kim", limits)
    await erasure.end(record, first, "caller")
    await admitted(record, "sam", limits)


async def test_admit_beyond_todays_minutes_is_refused_until_tomorrow(
    clocked: Record, clock: FakeClock
) -> None:
    """What was talked yesterday counts no more, a call under way counts as far as it is."""
    await workers.register(clocked, "worker", 9)
    clock.seconds = 0.0
    clock.seconds = 86_400 - clock.now_ms() / 1000 % 86_400 + 3_600
    limits = Limits(minutes_a_day=10)
    await talk(clocked, clock, "sam", 6)
    under_way = await admitted(clocked, "sam", limits)
    await calls.claim(clocked, under_way, 1, "job", "worker")
    await calls.join(clocked, under_way)
    clock.seconds += 5 * 60
    sam = Applicant("sam")
    assert await admit(clocked, new_call_id(), sam, limits) is Refusal.DAILY_LIMIT
    await admitted(clocked, "kim", limits)
    until_tomorrow_s = admission.seconds_until_tomorrow(clocked)
    assert 22 * 3_600 < until_tomorrow_s < 23 * 3_600
    clock.seconds += until_tomorrow_s
    await calls.end(clocked, under_way, "caller")
    await erasure.end(clocked, under_way, "caller")
    assert isinstance(await admit(clocked, new_call_id(), sam, limits), Admitted)


async def test_admit_call_over_midnight_counts_in_both_days(
    clocked: Record, clock: FakeClock
) -> None:
    """Each day has what was talked in it."""
    await workers.register(clocked, "worker", 9)
    clock.seconds = 0.0
    clock.seconds = 86_400 - clock.now_ms() / 1000 % 86_400 - 5 * 60
    await talk(clocked, clock, "sam", 9)
    await admitted(clocked, "sam", Limits(minutes_a_day=5))
    await admission.withdraw(clocked, (await calls.of_caller(clocked, "sam"))[-1].call_id, "")
    refused = await admit(clocked, new_call_id(), Applicant("sam"), Limits(minutes_a_day=4))
    assert refused is Refusal.DAILY_LIMIT


async def test_admit_call_that_was_never_joined_costs_no_minutes(
    clocked: Record, clock: FakeClock
) -> None:
    """Waiting for an agent is not talking."""
    await workers.register(clocked, "worker", 9)
    call_id = await admitted(clocked, "sam")
    clock.seconds += 3_600
    await admission.withdraw(clocked, call_id, "no-agent")
    await admitted(clocked, "sam", Limits(minutes_a_day=1))


async def test_admit_beyond_the_calls_of_everybody_is_refused(record: Record) -> None:
    """Although agents are free; told apart from agents that are not."""
    await workers.register(record, "worker", 9)
    limits = Limits(calls=1)
    await admitted(record, "sam", limits)
    refused = await admit(record, new_call_id(), Applicant("kim"), limits)
    assert refused == Queued(Refusal.SERVICE_BUSY, 1)


async def test_admit_of_a_caller_who_was_put_out_is_refused(
    clocked: Record, clock: FakeClock
) -> None:
    """For so long, in its tenant; from one call, or from all."""
    await workers.register(clocked, "worker", 9)
    call_id = await admitted(clocked, "sam")
    sam, other = Applicant("sam"), Applicant("sam", tenant="bank")
    await deny_list.deny(clocked, "sam", call_id=call_id)
    assert await admit(clocked, new_call_id(), sam) is Refusal.NOT_ALLOWED
    await admission.withdraw(clocked, call_id, "kicked")
    await admitted(clocked, "sam")
    await deny_list.deny(clocked, "sam")
    assert await admit(clocked, new_call_id(), sam) is Refusal.NOT_ALLOWED
    assert isinstance(await admit(clocked, new_call_id(), other), Admitted)
    clock.seconds += DENY_S + 1
    assert isinstance(await admit(clocked, new_call_id(), sam), Admitted)


async def test_admit_gives_no_call_again_that_could_end_any_moment(
    clocked: Record, clock: FakeClock
) -> None:
    """It is ended, its slot is the new one's."""
    await workers.register(clocked, "worker", 1)
    first = await admitted(clocked, "sam")
    clock.seconds += 2 * JOIN_WITHIN_S
    assert await admitted(clocked, "sam") == first
    clock.seconds += 1
    assert await admitted(clocked, "sam") != first
    ended = await the_call(clocked, first)
    assert (ended.state, ended.end_reason) == (CallState.ENDED, admission.NOT_JOINED)
    assert (await verify(clocked, first)).verdict is Verdict.INTACT


async def test_admit_all_counts_those_before(record: Record) -> None:
    """One transaction for many gives no more than there is, nor two calls to one caller."""
    await workers.register(record, "worker", 3)
    callers = ["a", "b", "a", "c", "d", "e"]
    answers = await admission.admit_all(
        record,
        [Application(new_call_id(), Applicant(caller)) for caller in callers],
        Limits(calls_a_caller=1),
    )
    first, second, again, third, *late = answers
    assert all(isinstance(one, Admitted) and one.is_new for one in (first, second, third))
    assert isinstance(again, Admitted) and isinstance(first, Admitted) and not again.is_new
    assert again.call == first.call
    assert late == [Queued(Refusal.AGENTS_BUSY, 1), Queued(Refusal.AGENTS_BUSY, 2)]
    assert (await slots.read(record)).free == 0
    going_on = await calls.not_ended(record)
    assert len(going_on) == 3
    for call in going_on:
        assert (await verify(record, call.call_id)).verdict is Verdict.INTACT


async def test_admit_that_refuses_again_writes_nothing(clocked: Record, clock: FakeClock) -> None:
    """So that a crowd that asks again and again hardly waits for the disk."""

    async def turns() -> int:
        async with clocked.database.reading() as connection:
            count: int = (await connection.execute(select(tables.admission.c.n))).scalar_one()
            return count

    await ask(clocked, "sam")
    assert await turns() == 1
    for _ in range(3):
        clock.seconds += 0.5
        await ask(clocked, "sam")
    assert await turns() == 1
    await workers.register(clocked, "worker", 1)
    await ask(clocked, "sam")
    assert await turns() == 2
