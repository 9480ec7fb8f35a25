"""What callers who prove no identity may hold, and tenants' quotas."""

import pytest

from call_record import admission, calls, workers
from call_record.admission import Admitted, Answer, Applicant, Application, Limits, Queued, Refusal
from call_record.record import Record
from tests.support.calls import the_call
from voice_contract.ids import new_call_id

HALF = Limits(network_share=0.5)
HERE, ELSEWHERE = ("here-32", "here-24"), ("there-32", "there-24")


async def ask(
    record: Record, networks: tuple[str, ...], count: int = 1, limits: Limits = HALF
) -> list[Answer]:
    """So many new callers from there, one after the other."""
    answers = []
    for _ in range(count):
        applicant = Applicant(new_call_id(), networks=networks)
        answers.append(await admission.admit(record, new_call_id(), applicant, limits))
    return answers


async def join(record: Record, answers: list[Answer]) -> None:
    for answer in answers:
        assert isinstance(answer, Admitted)
        await calls.join(record, answer.call.call_id)


async def in_calls(record: Record, networks: tuple[str, ...], count: int) -> None:
    """So many callers from there are in calls."""
    for _ in range(count):
        await join(record, await ask(record, networks))


async def test_one_network_holds_half_of_the_slots_and_others_get_the_rest(
    record: Record,
) -> None:
    """One address, or its neighbours together; who is signed in is not counted."""
    await workers.register(record, "worker", 10)
    await in_calls(record, HERE, 3)
    await in_calls(record, ("neighbour", "here-24"), 2)
    assert await ask(record, HERE, 2) == [Refusal.NETWORK_BUSY] * 2
    assert await ask(record, ("another", "here-24")) == [Refusal.NETWORK_BUSY]
    await in_calls(record, ELSEWHERE, 1)
    await in_calls(record, (), 4)
    assert isinstance((await ask(record, ()))[0], Queued)


async def test_calls_that_nobody_joins_are_a_small_share(record: Record) -> None:
    """They cost nothing to ask for. Once they are joined, more may follow."""
    await workers.register(record, "worker", 20)
    unused = await ask(record, HERE, 4)
    assert await ask(record, HERE) == [Refusal.NETWORK_BUSY]
    await join(record, unused)
    assert isinstance((await ask(record, HERE))[0], Admitted)


async def test_places_in_the_queue_count_too(record: Record) -> None:
    """Nobody is held up by a crowd from one address that waits; its first keep their places."""
    await workers.register(record, "worker", 4)
    await in_calls(record, ELSEWHERE, 2)
    await in_calls(record, (), 2)
    first = Applicant("first", networks=HERE)
    for _ in range(3):
        again = await admission.admit(record, new_call_id(), first, HALF)
        assert again == Queued(Refusal.AGENTS_BUSY, 1)
    assert (await ask(record, HERE))[0] == Queued(Refusal.AGENTS_BUSY, 2)
    assert await ask(record, HERE, 2) == [Refusal.NETWORK_BUSY] * 2
    assert (await ask(record, ("other",)))[0] == Queued(Refusal.AGENTS_BUSY, 3)


async def test_share_frees_itself_with_the_calls(record: Record) -> None:
    """And nothing of a network is left when the call is erased."""
    await workers.register(record, "worker", 2)
    [answer] = await ask(record, HERE)
    assert isinstance(answer, Admitted)
    assert (await the_call(record, answer.call.call_id)).networks == "here-32 here-24"
    assert await ask(record, HERE) == [Refusal.NETWORK_BUSY]
    await admission.hang_up(record, answer.call.call_id, "caller")
    assert isinstance((await ask(record, HERE))[0], Admitted)


async def test_without_a_share_one_network_may_have_all(record: Record) -> None:
    """Behind a company's proxy, for instance."""
    await workers.register(record, "worker", 3)
    answers = await ask(record, HERE, 3, Limits())
    assert all(isinstance(answer, Admitted) for answer in answers)


@pytest.mark.parametrize("together", [True, False])
async def test_tenant_has_no_more_calls_than_its_quota(record: Record, together: bool) -> None:
    """Others are not held up by it; a tenant without a quota has none."""
    await workers.register(record, "worker", 9)
    limits = Limits(calls_a_tenant={"shop": 2, "closed": 0})
    tenants = ["shop", "shop", "shop", "bank", "closed", None, "shop"]
    wishes = [
        Application(new_call_id(), Applicant(new_call_id(), tenant=tenant)) for tenant in tenants
    ]
    batches = [wishes] if together else [[wish] for wish in wishes]
    answers = [one for some in batches for one in await admission.admit_all(record, some, limits)]
    told = ["in" if isinstance(answer, Admitted) else answer for answer in answers]
    full = Refusal.TENANT_LIMIT
    assert told == ["in", "in", full, "in", full, "in", full]
