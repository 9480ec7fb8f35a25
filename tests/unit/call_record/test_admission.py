"""Who may call now."""

import pytest

from call_record import admission, calls, journal, workers
from call_record.admission import Admitted, Applicant, Refusal, admit
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.calls import requested, the_call
from voice_contract.ids import new_call_id
from voice_contract.journal import CallRequested

SAM = Applicant("sam", tenant="shop", display_name="Sam", return_proof_hash=b"h" * 32)


async def ask(record: Record, caller: str) -> Admitted | Refusal:
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
    assert await ask(record, "a") is Refusal.AGENTS_BUSY
    await workers.register(record, "worker", 1)
    assert isinstance(await ask(record, "a"), Admitted)
    assert await ask(record, "b") is Refusal.AGENTS_BUSY
    assert await admission.free_slots(record) == 0


async def test_admit_gives_the_callers_unjoined_call_again(record: Record) -> None:
    """A double click is one call, also when no slot is left."""
    await workers.register(record, "worker", 1)
    first = await ask(record, "sam")
    again = await ask(record, "sam")
    assert isinstance(first, Admitted) and isinstance(again, Admitted)
    assert again.call == first.call and not again.is_new
    await calls.join(record, first.call.call_id)
    assert await ask(record, "sam") is Refusal.AGENTS_BUSY


@pytest.mark.parametrize("state", ["requested", "live", "ending"])
async def test_slot_is_held_until_the_call_is_ended(record: Record, state: str) -> None:
    """Not a moment shorter or longer."""
    call_id = await requested(record, room=1)
    if state != "requested":
        await calls.claim(record, call_id, 1, "job", "worker")
    if state == "ending":
        await calls.end(record, call_id, "caller")
    assert await ask(record, "b") is Refusal.AGENTS_BUSY
    await calls.end(record, call_id, "caller")
    await journal.seal(record, call_id, 1, "caller")
    assert isinstance(await ask(record, "b"), Admitted)


async def test_slots_of_workers_that_drain_or_are_gone_do_not_count(record: Record) -> None:
    """Neither do the calls that a draining worker finishes."""
    call_id = await requested(record, room=1)
    await calls.claim(record, call_id, 1, "job", "worker")
    await workers.register(record, "other", 2)
    assert await admission.free_slots(record) == 2
    await workers.drain(record, "worker")
    assert await admission.free_slots(record) == 2
    await workers.mark_gone(record, "worker", 1)
    assert await admission.free_slots(record) == 1, "its call needs another agent"
    await workers.mark_gone(record, "other", 1)
    assert await admission.free_slots(record) == -1


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
    assert await admission.free_slots(record) == 1
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
