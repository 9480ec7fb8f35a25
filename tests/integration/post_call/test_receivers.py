"""Receivers that are down, slow, busy, rude: told once in the end, or parked with the reason."""

import asyncio
import json

import pytest

from call_record.follow_up import StepState
from tests.integration.post_call.conftest import SECRETS, PostCallWorkplace, running
from tests.support.ended_calls import REFUND_UNKNOWN, ended
from tests.support.local_stack import free_ports


async def test_receivers_of_every_kind_are_told_once_or_parked(
    workplace: PostCallWorkplace,
) -> None:
    """In one call: each endpoint has its own trouble, and none holds up the others."""
    workplace.endpoints("steady", "first", "second", "third", "fourth", "fifth")
    await workplace.script(
        first=["500", "500", "accept"],
        second=["429", "accept"],
        third=["hang", "accept"],
        fourth=["lost", "cut", "accept"],
        fifth=["400"],
    )
    workplace.start()
    call_id = await ended(workplace.record, REFUND_UNKNOWN)
    await workplace.settled(call_id)
    steps = await workplace.steps(call_id)
    for name in ("steady", "first", "second", "third", "fourth"):
        assert steps[f"webhook:{name}"].state is StepState.DONE, steps
        assert await workplace.accepted(call_id, name) == 1
    tries = [len(await workplace.received(call_id, name)) for name in ("first", "second", "third")]
    assert tries == [3, 2, 2]
    # What was accepted before the line was cut came again under the same id.
    assert [one["did"] for one in await workplace.received(call_id, "fourth")] == [
        "lost",
        "cut",
        "accept",
    ]
    busy, later = [one["at_s"] for one in await workplace.received(call_id, "second")]
    assert later - busy >= 1.0
    parked = steps["webhook:fifth"]
    assert (parked.state, parked.reason, parked.tries) == (StepState.PARKED, "HTTP 400", 1)
    assert steps["ticket"].state is steps["crm"].state is StepState.DONE
    assert await workplace.effects(call_id) == [
        "activity.logged",
        "contact.created",
        "ticket.opened",
    ]


@pytest.mark.parametrize(
    "down_s", [1, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(180)])]
)
async def test_receiver_that_comes_back_is_told(workplace: PostCallWorkplace, down_s: int) -> None:
    """Nobody listens at its address for a while; meanwhile all else is done."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    workplace.endpoints("steady", first=f"{url}/hooks/first")
    workplace.variables["PARLEY_POST_CALL_TRIES"] = "60"
    workplace.start()
    call_id = await ended(workplace.record, REFUND_UNKNOWN)
    async with asyncio.timeout(60):
        while await workplace.accepted(call_id, "steady") < 1:
            await asyncio.sleep(0.05)
    await asyncio.sleep(down_s)
    assert (await workplace.steps(call_id))["webhook:first"].state is StepState.OPEN
    with running(f"{url}/ledger", "tests.support.receiver", str(port), json.dumps(SECRETS)):
        await workplace.settled(call_id)
        workplace.receiver_url = url
        assert await workplace.accepted(call_id, "first") == 1
        assert len(await workplace.received(call_id, "first")) == 1
    assert (await workplace.steps(call_id))["webhook:first"].state is StepState.DONE
