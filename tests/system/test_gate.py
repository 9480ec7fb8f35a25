"""The gate in whole calls: over the SFU, in the agent's voice, with the shop's ledger as judge."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2 as httpx
import pytest
from livekit import api, rtc

from devstack.ask import speak
from devstack.caller import Caller, joined
from examples.storefront.agent.actions import ShowOrder
from tests.support.call_steps import ask, effects, entries, greeted, speech_url
from tests.support.confirmation_cards import cards, pushed_card, rpc, vote
from tests.support.gate_agent import EXPIRES_S
from tests.support.local_stack import LocalStack, running_stack
from tests.support.log_lines import loud
from voice_contract.actions import ActionReport, ClientAction
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import (
    ClientActionOutcome,
    ConfirmationAnswered,
    ConfirmationRefused,
)
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD


@pytest.fixture
async def caller(caller: Caller) -> Caller:
    """Whose page shows cards."""
    await cards(caller)
    return caller


@asynccontextmanager
async def stranger_in(stack: LocalStack, room: str) -> AsyncIterator[rtc.Room]:
    """Somebody else in the caller's room, with every right that a participant can have."""
    token = (
        api.AccessToken(stack.key.api_key, stack.key.secret)
        .with_identity("stranger")
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )
    stranger = rtc.Room()
    await stranger.connect(stack.sfu_url, token)
    try:
        yield stranger
    finally:
        await stranger.disconnect()


async def test_spoken_yes_after_another_question_cancels_the_order_once(
    stack: LocalStack, caller: Caller
) -> None:
    """Asked, talked about something else meanwhile, "yes" said aloud: one effect, told."""
    await caller.send_text("I would like to cancel my order number nine")
    await caller.agent_line(containing="Cancel order 9?")
    await pushed_card(caller)
    await caller.send_text("Where is order eight?")
    await caller.agent_line(containing="Order 8 is on its way")
    assert await effects(stack, caller) == []
    await ask(stack, caller, "yes please", "All right")
    await caller.agent_line(containing="Order 9 is cancelled")
    assert await effects(stack, caller) == ["order.cancelled"]
    answers = [one for one in await entries(stack, caller) if isinstance(one, ConfirmationAnswered)]
    assert [(one.approved, one.by) for one in answers] == [(True, "voice")]
    assert loud(stack, caller.room.name) == []


async def test_stranger_learns_nothing_and_steers_nothing(
    stack: LocalStack, caller: Caller
) -> None:
    """
    No action, no card, and no word of either side reaches a second participant, and its vote is
    refused and on record. The caller's own vote counts, and gets the same answer again.
    """
    async with stranger_in(stack, caller.room.name) as stranger:
        heard: list[object] = []
        for topic in ("parley.message", "lk.transcription", "lk.agent.session"):
            stranger.register_text_stream_handler(topic, lambda *what: heard.append(what))
            stranger.register_byte_stream_handler(topic, lambda *what: heard.append(what))
        stranger.on("transcription_received", lambda *what: heard.append(what))
        stranger.on("data_received", heard.append)
        await caller.send_text("Where is order eight?")
        await caller.agent_line(containing="Order 8 is on its way")
    assert heard == []
    (action,) = [one for one in caller.messages if isinstance(one, ClientAction)]
    assert ShowOrder.model_validate(action.action.model_dump()).number == 8
    report = ActionReport(id=action.id, outcome="done").model_dump_json()
    assert await rpc(caller, ACTION_OUTCOME_METHOD, report) == ""
    await caller.send_text("cancel order ten")
    card = await pushed_card(caller)
    assert [(one.name, one.value) for one in card.arguments] == [("order number", "10")]
    wish = ConfirmationVote(id=card.id, digest=card.digest, approved=True).model_dump_json()
    async with stranger_in(stack, caller.room.name) as stranger:
        assert caller.agent is not None
        for method in (CONFIRMATIONS_METHOD, CONFIRM_METHOD, ACTION_OUTCOME_METHOD):
            with pytest.raises(rtc.RpcError) as refused:
                await stranger.local_participant.perform_rpc(
                    destination_identity=caller.agent.identity, method=method, payload=wish
                )
            assert refused.value.code == 1403
    assert await vote(caller, card, True, digest="0" * 64) == "changed"
    assert await effects(stack, caller) == []
    assert [await vote(caller, card, approved) for approved in (True, False)] == ["approved"] * 2
    await caller.agent_line(containing="Order 10 is cancelled")
    assert await effects(stack, caller) == ["order.cancelled"]
    written = await entries(stack, caller)
    outcomes = [one for one in written if isinstance(one, ClientActionOutcome)]
    assert [(one.action_id, one.outcome) for one in outcomes] == [(action.id, "done")]
    refusals = [one for one in written if isinstance(one, ConfirmationRefused)]
    assert [(one.sender, one.reason) for one in refusals] == [
        ("stranger", "stranger"),
        (caller.room.local_participant.identity, "changed"),
    ]


@pytest.mark.long
async def test_card_survives_a_reload(stack: LocalStack) -> None:
    """The page leaves and comes back: the same card, with less time, and it can be answered."""
    async with httpx.AsyncClient() as browser:
        async with joined(stack.page_url, http=browser, hang_up=False) as before:
            await greeted(before)
            await cards(before)
            await before.send_text("cancel order twelve")
            card = await pushed_card(before)
            call_id = before.room.name
        async with joined(stack.page_url, http=browser, call_id=call_id) as after:
            (shown,) = await cards(after)
            assert (shown.id, shown.digest) == (card.id, card.digest)
            assert shown.expires_in_ms < card.expires_in_ms
            assert await vote(after, shown, True) == "approved"
            await after.agent_line(containing="Order 12 is cancelled")
            assert await effects(stack, after) == ["order.cancelled"]


@pytest.mark.long
async def test_card_goes_to_the_device_that_takes_the_call_over(stack: LocalStack) -> None:
    """The same card with the time that is left; its answers, however many, are one effect."""
    async with httpx.AsyncClient() as browser:
        async with joined(stack.page_url, http=browser, hang_up=False) as first:
            await greeted(first)
            await cards(first)
            wished_at = time.monotonic()
            await first.send_text("refund 2 dollars for order 5")
            card, seen_at = await pushed_card(first), time.monotonic()
            call_id = first.room.name
            async with joined(stack.page_url, http=browser, call_id=call_id) as second:
                await asyncio.wait_for(first.left.wait(), 30)
                least_s = time.monotonic() - seen_at
                (shown,) = await cards(second)
                most_s = time.monotonic() - wished_at
                assert shown.model_copy(update={"expires_in_ms": card.expires_in_ms}) == card
                gone_s = (card.expires_in_ms - shown.expires_in_ms) / 1000
                assert least_s - 0.1 <= gone_s <= most_s + 0.1
                votes = [await vote(second, shown, approved) for approved in (True, False, True)]
                assert votes == ["approved"] * 3
                await second.agent_line(containing="2 dollars for order 5 are on their way")
                assert await cards(second) == []
                assert await effects(stack, second) == ["order.refunded"]


# -- with an agent whose write takes its time, and whose questions close soon


@pytest.fixture(scope="module")
def slow_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The stack with that agent."""
    folder = tmp_path_factory.mktemp("gate")
    with running_stack(
        folder, PARLEY_AGENT="tests.support.gate_agent", PARLEY_START_EXAMPLE="storefront"
    ) as started:
        yield started


@pytest.mark.long
async def test_barge_in_while_a_write_runs_leaves_it_alone_and_it_is_told_later(
    slow_stack: LocalStack,
) -> None:
    """Done once; the next question is answered before, not after the write."""
    async with joined(slow_stack.page_url) as caller:
        await greeted(caller)
        await caller.say(await speak(speech_url(slow_stack), "let me speak to a real person"))
        await asyncio.sleep(1.2)
        # Once: asking again would interrupt the result, which then is told again.
        await caller.say(
            await speak(speech_url(slow_stack), "what is the status of my order number eight")
        )
        await caller.agent_line(containing="Order 8 is on its way")
        await caller.agent_line(containing="asked a colleague to call you back")
        assert await effects(slow_stack, caller) == ["callback.requested"]
    said = [line.text for line in caller.lines if line.speaker == "agent"]
    order, colleague = (
        [number for number, text in enumerate(said) if words in text]
        for words in ("Order 8", "asked a colleague")
    )
    assert order[0] < colleague[0] and len(colleague) == 1


@pytest.mark.long
async def test_vote_after_the_time_does_nothing(slow_stack: LocalStack) -> None:
    """The agent says that it did nothing; the card is gone."""
    async with joined(slow_stack.page_url) as caller:
        await greeted(caller)
        await cards(caller)
        await caller.send_text("cancel my appointment")
        card = await pushed_card(caller)
        assert card.expires_in_ms <= EXPIRES_S * 1000
        await caller.agent_line(containing="I got no answer, so I did not do it")
        assert await vote(caller, card, True) == "expired"
        assert await cards(caller) == []
        assert await effects(slow_stack, caller) == []
