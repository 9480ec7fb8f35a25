"""A yes, a no, and neither, in whole calls: in the caller's voice, with the shop's ledger."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.ask import speak
from devstack.caller import Caller, joined
from tests.support.agreeing_agent import AGREES
from tests.support.call_steps import ask, effects, entries, greeted, speech_url
from tests.support.confirmation_cards import acknowledge, cards, pushed_card, vote
from tests.support.local_stack import LocalStack, running_stack
from tests.support.sounds import echo
from voice_contract.confirmations import Confirmations
from voice_contract.journal import ConfirmationAnswered, ConfirmationExpired, Entry

pytestmark = pytest.mark.long


@pytest.fixture
async def caller(caller: Caller) -> Caller:
    """Whose page shows cards."""
    await cards(caller)
    return caller


def answers(written: list[Entry | None]) -> list[tuple[bool, str]]:
    """What was answered, and how."""
    found = [one for one in written if isinstance(one, ConfirmationAnswered)]
    return [(one.approved, one.by) for one in found]


@pytest.mark.parametrize("words", ["yes, refund it", "okay", "sounds good"])
async def test_yes_as_people_say_it_is_one(stack: LocalStack, caller: Caller, words: str) -> None:
    """One effect, by voice on record."""
    await caller.send_text("refund 2 dollars for order 5")
    await caller.agent_line(containing="Refund 2 dollars of order 5?")
    # An answer in the echo of the question is asked again.
    await asyncio.sleep(1)
    await ask(stack, caller, words, "All right")
    await caller.agent_line(containing="2 dollars for order 5 are on their way")
    assert await effects(stack, caller) == ["order.refunded"]
    assert answers(await entries(stack, caller)) == [(True, "voice")]


async def test_thumb_up_is_a_yes_and_correction_a_no(stack: LocalStack, caller: Caller) -> None:
    """ "I meant order five": only that is refunded, and the page is told of both endings."""
    await caller.send_text("refund 2 dollars for order 3")
    await caller.agent_line(containing="Refund 2 dollars of order 3?")
    await caller.send_text("no, I meant order five")
    await caller.agent_line(containing="Refund 2 dollars of order 5?")
    await acknowledge(caller, await pushed_card(caller))
    await caller.send_text("\U0001f44d\U0001f3fd")
    await caller.agent_line(containing="2 dollars for order 5 are on their way")
    assert await effects(stack, caller) == ["order.refunded"]
    assert answers(await entries(stack, caller)) == [(False, "text"), (True, "text")]
    told = [one for one in caller.messages if isinstance(one, Confirmations)][-1]
    assert [(one.state, one.by) for one in told.decided] == [
        ("declined", "text"),
        ("approved", "text"),
    ]


async def test_yes_that_is_clicked_and_said_approves_nothing_else(
    stack: LocalStack, caller: Caller
) -> None:
    """While it is said, the next card opens, and the page shows it."""
    await caller.send_text("refund 2 dollars for order 5")
    await caller.agent_line(containing="Refund 2 dollars of order 5?")
    card = await pushed_card(caller)
    await acknowledge(caller, card)
    saying = asyncio.create_task(caller.say(await speak(speech_url(stack), "yes please", 0.6)))
    await asyncio.sleep(0.3)
    assert await vote(caller, card, True) == "approved"
    await caller.send_text("ask a mechanic about my brakes")
    async with asyncio.timeout(20):
        while (second := await pushed_card(caller)).id == card.id:
            await asyncio.sleep(0.02)
    await acknowledge(caller, second)
    await saying
    await caller.agent_line(containing="2 dollars for order 5 are on their way")
    await asyncio.sleep(3)
    assert await effects(stack, caller) == ["order.refunded"]
    assert answers(await entries(stack, caller)) == [(True, "screen")]


async def test_call_back_is_offered_before_it_is_ordered(stack: LocalStack, caller: Caller) -> None:
    """Gibberish three times orders nothing; the caller's yes does."""
    for _ in range(3):
        await caller.send_text("florble wumpus granth")
        await asyncio.sleep(3)
    await caller.agent_line(containing="Shall a colleague call you back?")
    assert await effects(stack, caller) == []
    await ask(stack, caller, "no thank you", "What else can I do for you?")
    assert await effects(stack, caller) == []
    assert answers(await entries(stack, caller)) == [(False, "voice")]


async def test_question_that_is_not_answered_is_reworded_and_has_a_way_out(
    stack: LocalStack, caller: Caller
) -> None:
    """Not the same words five times; in the end a person is offered, and the offer expires."""
    await ask(stack, caller, "I would like to book an appointment", "Which day would suit you?")
    await caller.send_text("book an appointment")
    await caller.agent_line(containing="Sorry, I need a day")
    await caller.send_text("book an appointment")
    await caller.agent_line(containing="Please say a date")
    await caller.send_text("book an appointment")
    await caller.agent_line(containing="Shall a colleague call you back?")
    await ask(stack, caller, "yes please", "All right")
    await caller.agent_line(containing="asked a colleague to call you back")
    assert await effects(stack, caller) == ["callback.requested"]
    written = await entries(stack, caller)
    assert answers(written) == [(True, "voice")]
    assert not any(isinstance(one, ConfirmationExpired) for one in written)


@pytest.fixture(scope="module")
def agreeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose agent says yes, so that its echo does."""
    folder: Path = tmp_path_factory.mktemp("agreeing")
    with running_stack(
        folder, PARLEY_AGENT="tests.support.agreeing_agent", PARLEY_START_EXAMPLE="storefront"
    ) as started:
        yield started


async def test_echo_of_the_agent_approves_nothing(agreeing: LocalStack) -> None:
    """
    A loudspeaker's, at -12 dB and after 150 ms: the agent may talk to itself, and agrees to
    nothing. Without the echo, the caller's own yes counts.
    """
    async with joined(agreeing.page_url) as caller:
        await greeted(caller)
        await cards(caller)
        await caller.send_text("refund 2 dollars for order 5")
        await caller.agent_line(containing="Refund 2 dollars of order 5?")
        await acknowledge(caller, await pushed_card(caller))
        caller.noise = echo(caller.ear, level_db=-12, after_s=0.15)
        for _ in range(3):
            await caller.send_text("florble wumpus granth")
            await asyncio.sleep(6)
        said = " ".join(line.text for line in caller.lines if line.speaker == "agent")
        assert AGREES[:6] in said, "there was a yes to echo"
        assert not any(approved for approved, _ in answers(await entries(agreeing, caller)))
        assert await effects(agreeing, caller) == []
        caller.noise = None
        await asyncio.sleep(3)
        await caller.send_text("refund 2 dollars for order 5")
        await caller.agent_line(len(caller.lines), containing="Refund 2 dollars of order 5?")
        await asyncio.sleep(1)
        await ask(agreeing, caller, "yes please", "All right")
        await caller.agent_line(containing="2 dollars for order 5 are on their way")
        assert answers(await entries(agreeing, caller))[-1] == (True, "voice")
