"""A call's states and its one agent."""

import pytest

from call_record import calls, journal
from call_record.calls import Claim, Renewal, Seen
from call_record.record import Record
from call_record.tables import CallState
from tests.support.calls import fence, live, requested, the_call


async def kinds(record: Record, call_id: str) -> list[str]:
    return [one.kind for one in await journal.read(record, call_id)]


async def test_claim_of_a_requested_call_makes_it_live_and_says_so(record: Record) -> None:
    """State, owner and journal move together."""
    call_id = await requested(record)
    assert await calls.claim(record, call_id, 1, "job-1", "worker") is Claim.CLAIMED
    call = await the_call(record, call_id)
    assert (call.state, call.owner, call.worker_id) == (CallState.LIVE, "job-1", "worker")
    assert call.seen == Seen(1, "job-1", 1)
    assert await kinds(record, call_id) == ["call.requested", "call.claimed"]


async def test_claim_repeated_by_its_owner_changes_nothing(record: Record) -> None:
    """A claim whose answer was lost is asked for again."""
    call_id = await live(record)
    assert await calls.claim(record, call_id, 1, "job-1", "worker") is Claim.CLAIMED
    assert await kinds(record, call_id) == ["call.requested", "call.claimed"]


async def test_claim_that_does_not_match_says_why(record: Record) -> None:
    """The job must leave, for one reason or another."""
    call_id = await live(record)
    assert await calls.claim(record, call_id, 1, "job-2", "worker") is Claim.TAKEN
    assert await calls.claim(record, call_id, 2, "job-2", "worker") is Claim.STALE
    assert await calls.claim(record, "nobody", 1, "job-2", "worker") is Claim.STALE
    await calls.end(record, call_id, "caller")
    assert await calls.claim(record, call_id, 1, "job-2", "worker") is Claim.OVER
    assert (await the_call(record, call_id)).owner == "job-1"


async def test_claim_given_back_waits_for_the_next_attempt(record: Record) -> None:
    """Two jobs never share an attempt, so they never share an identity in the room."""
    call_id = await live(record)
    assert await calls.give_back(record, call_id, 1, "job-1")
    assert not await calls.give_back(record, call_id, 1, "job-1")
    call = await the_call(record, call_id)
    assert call.owner is None and call.renewals > 0
    assert await calls.claim(record, call_id, 1, "job-2", "worker") is Claim.TAKEN
    assert await fence(record, call_id, call.seen) == 2
    assert (await the_call(record, call_id)).seen == Seen(2, None, 0)
    assert await calls.claim(record, call_id, 2, "job-2", "worker") is Claim.CLAIMED


async def test_renew_counts_up_for_its_owner_alone(record: Record) -> None:
    """Another owner, another attempt, an ended call: the job has lost it."""
    call_id = await live(record)
    assert await calls.renew(record, call_id, 1, "job-1") is Renewal.RENEWED
    assert await calls.renew(record, call_id, 1, "job-2") is Renewal.LOST
    assert await calls.renew(record, call_id, 2, "job-1") is Renewal.LOST
    assert (await the_call(record, call_id)).renewals == 2
    await calls.end(record, call_id, "caller")
    assert await calls.renew(record, call_id, 1, "job-1") is Renewal.ENDING
    await journal.seal(record, call_id, 1, "caller")
    assert await calls.renew(record, call_id, 1, "job-1") is Renewal.LOST


async def test_raise_attempt_of_a_call_that_moved_changes_nothing(record: Record) -> None:
    """Of several supervisors one wins, and a job that renewed in between stays."""
    call_id = await live(record)
    seen = (await the_call(record, call_id)).seen
    await calls.renew(record, call_id, 1, "job-1")
    assert await fence(record, call_id, seen) is None
    seen = (await the_call(record, call_id)).seen
    assert await fence(record, call_id, seen) == 2
    assert await fence(record, call_id, seen) is None
    assert await calls.renew(record, call_id, 1, "job-1") is Renewal.LOST


async def test_raise_attempt_of_a_call_that_is_over_changes_nothing(record: Record) -> None:
    """Nobody is sent to a call that ends."""
    call_id = await live(record)
    await calls.end(record, call_id, "caller")
    assert await fence(record, call_id, (await the_call(record, call_id)).seen) is None


async def test_join_counts_the_first_time_alone(record: Record) -> None:
    """The page may reload as often as it likes."""
    call_id = await live(record)
    assert await calls.join(record, call_id)
    assert not await calls.join(record, call_id)
    assert (await kinds(record, call_id)).count("call.joined") == 1
    assert (await the_call(record, call_id)).joined_at_ms is not None


async def test_end_of_a_live_call_happens_once(record: Record) -> None:
    """Hang-up by RPC and its fallback may both arrive."""
    call_id = await requested(record)
    assert not await calls.end(record, call_id, "caller")
    await calls.claim(record, call_id, 1, "job-1", "worker")
    assert await calls.end(record, call_id, "caller")
    assert not await calls.end(record, call_id, "grace-over")
    assert (await the_call(record, call_id)).state is CallState.ENDING
    assert (await kinds(record, call_id))[-1] == "call.ending"


async def test_calls_are_found_by_caller_and_while_not_ended(record: Record) -> None:
    """For coming back, for operators, for the supervisor's poll."""
    mine, other = await live(record, "sam"), await live(record)
    assert [call.call_id for call in await calls.of_caller(record, "sam")] == [mine]
    await calls.end(record, mine, "caller")
    await journal.seal(record, mine, 1, "caller")
    assert [call.call_id for call in await calls.not_ended(record)] == [other]
    assert await calls.read(record, "nobody") is None


@pytest.mark.parametrize("state", ["live", "ended"])
async def test_seal_from_another_state_is_refused(record: Record, state: str) -> None:
    """A call goes through `ending`, and ends once."""
    call_id = await live(record)
    if state == "ended":
        await calls.end(record, call_id, "caller")
        await journal.seal(record, call_id, None, "caller")
    with pytest.raises(journal.StaleAttempt) as caught:
        await journal.seal(record, call_id, 1, "caller")
    assert caught.value.reason == state


async def test_end_by_a_stale_agent_changes_nothing(record: Record) -> None:
    """An agent that was replaced can not end the call of the one that has it."""
    call_id = await live(record)
    assert await fence(record, call_id, (await the_call(record, call_id)).seen) == 2
    assert not await calls.end(record, call_id, "caller", attempt=1)
    assert await calls.end(record, call_id, "caller", attempt=2)
