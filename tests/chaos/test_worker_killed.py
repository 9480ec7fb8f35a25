"""SIGKILL of the whole worker at random moments of a call."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.chaos.conversation import Conversation, conversation
from tests.chaos.fleet import Fleet
from tests.chaos.results import measured
from tests.support.call_steps import greeted
from tests.support.confirmation_cards import cards, pushed_card, vote
from voice_contract.confirmations import PendingConfirmation

Step = Callable[[Conversation], Awaitable[None]]
RUNS = 50


async def in_the_greeting(call: Conversation) -> None:
    """Somewhere in its first words."""
    await call.first_sound(0)
    await asyncio.sleep(random.uniform(0, 2))


async def in_speech(call: Conversation) -> None:
    """In the middle of an answer."""
    asked_at = time.monotonic()
    await call.caller.send_text("Where is order eight?")
    await call.first_sound(asked_at)
    await asyncio.sleep(random.uniform(0.1, 1.5))


async def in_thought(call: Conversation) -> None:
    """When the caller has just stopped speaking."""
    await call.say("what is the status of my order number eight")
    await asyncio.sleep(random.uniform(0, 0.5))


async def in_a_pause(call: Conversation) -> None:
    """While the agent listens."""
    await asyncio.sleep(random.uniform(0, 2))


async def in_a_tool_before_its_effect(call: Conversation) -> None:
    """The request is on its way, and arrives when nobody waits for it any more."""
    line = call.fleet.shop_line
    line.asked.clear()
    line.hold(requests=True)
    await call.caller.send_text(A_PERSON)
    assert await asyncio.to_thread(line.asked.wait, 10)


async def in_a_tool_after_its_effect(call: Conversation) -> None:
    """It is done, and the answer does not arrive."""
    line = call.fleet.shop_line
    line.answered.clear()
    line.hold(answers=True)
    await call.caller.send_text(A_PERSON)
    assert await asyncio.to_thread(line.answered.wait, 10)


async def with_a_question_open(call: Conversation) -> None:
    """The caller was asked whether it shall be done."""
    await call.ask("Refund 1 dollars for order 5", REFUND)
    await asyncio.sleep(random.uniform(0, 1))


async def greets_again(call: Conversation) -> None:
    """Nothing was said before; the caller is told that a machine speaks."""
    await call.caller.agent_line(containing="automated assistant")
    await call.ask("Where is order eight?", "Order 8")


async def remembers(call: Conversation) -> None:
    """What was said before is known."""
    await asyncio.sleep(1)
    await call.ask("When will it arrive?", "Order 8")


async def has_done_it_once(call: Conversation) -> None:
    """The result is told, and there is one."""
    await call.caller.agent_line(containing="asked a colleague")
    assert await call.effects() == ["callback.requested"]


async def asks_again(call: Conversation) -> None:
    """The question is put once more, and the answer counts."""
    before = len(call.caller.lines)
    await call.caller.agent_line(after=before, containing=REFUND)
    assert await call.effects() == []
    await call.ask("yes", "Done")
    assert await call.effects() == ["order.refunded"]


A_PERSON = "I want to talk to a person"
REFUND = "Refund"
MOMENTS: tuple[tuple[Step, Step], ...] = (
    (in_the_greeting, greets_again),
    (in_speech, remembers),
    (in_thought, remembers),
    (in_a_pause, remembers),
    (in_a_tool_before_its_effect, has_done_it_once),
    (in_a_tool_after_its_effect, has_done_it_once),
    (with_a_question_open, asks_again),
)


async def survives(fleet: Fleet, moment: Step, then: Step) -> float:
    """
    A call whose worker is killed at *moment* goes on with another agent that knows what was said.

    Returns: the seconds from the kill to the new agent's first sound at the caller.
    """
    async with conversation(fleet) as call:
        if moment is not in_the_greeting:
            await greeted(call.caller)
            await call.ask("Where is order eight?", "Order 8")
        await moment(call)
        worker = call.worker
        took_s = await call.break_(worker.kill)
        fleet.relays.mend()
        # Ready again by the time of the next test.
        worker.start()
        await then(call)
        await call.hang_up()
    return took_s


async def test_call_survives_its_worker_briefly(fleet: Fleet) -> None:
    """The short form, at the moment that asks for most."""
    measured("worker killed", await survives(fleet, in_a_tool_after_its_effect, has_done_it_once))


@asynccontextmanager
async def with_a_card_open(
    fleet: Fleet,
) -> AsyncIterator[tuple[Conversation, PendingConfirmation, float]]:
    """A call whose page shows a card, with when it was wished, and which ends well."""
    async with conversation(fleet) as call:
        await greeted(call.caller)
        await cards(call.caller)
        wished_at = time.monotonic()
        await call.caller.send_text("Refund 1 dollars for order 5")
        yield call, await pushed_card(call.caller), wished_at
        await call.caller.agent_line(containing="1 dollar for order 5")
        assert await call.effects() == ["order.refunded"]
        assert await cards(call.caller) == []
        await call.hang_up()


@pytest.mark.long
async def test_card_survives_its_worker(fleet: Fleet) -> None:
    """The same card with the time that is left; its answers, however many, are one effect."""
    async with with_a_card_open(fleet) as (call, card, wished_at):
        shown_at = time.monotonic()
        await asyncio.sleep(random.uniform(0, 2))
        worker = call.worker
        took_s = await call.break_(worker.kill)
        worker.start()
        measured("worker killed", took_s, "card open")
        least_s = time.monotonic() - shown_at
        (again,) = await cards(call.caller)
        most_s = time.monotonic() - wished_at
        assert again.model_copy(update={"expires_in_ms": card.expires_in_ms}) == card
        gone_s = (card.expires_in_ms - again.expires_in_ms) / 1000
        assert least_s - 0.1 <= gone_s <= most_s + 0.1
        votes = [await vote(call.caller, again, approved) for approved in (True, False, True)]
        assert votes == ["approved"] * 3


@pytest.mark.long
async def test_answer_whose_worker_died_has_one_effect(fleet: Fleet) -> None:
    """The page had no reply and sends it again, to the new agent: it is told what counts."""
    async with with_a_card_open(fleet) as (call, card, _):
        fleet.shop_line.asked.clear()
        fleet.shop_line.hold(requests=True)
        assert await vote(call.caller, card, True) == "approved"
        assert await asyncio.to_thread(fleet.shop_line.asked.wait, 10)
        await asyncio.sleep(0.5)
        worker = call.worker
        took_s = await call.break_(worker.kill)
        fleet.relays.mend()
        worker.start()
        measured("worker killed", took_s, "card answered")
        assert await cards(call.caller) == []
        votes = [await vote(call.caller, card, approved) for approved in (True, False)]
        assert votes == ["approved"] * 2


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(RUNS))
async def test_call_survives_its_worker(fleet: Fleet, run: int) -> None:
    """Fifty times, at every moment."""
    moment, then = MOMENTS[run % len(MOMENTS)]
    took_s = await survives(fleet, moment, then)
    measured("worker killed", took_s, moment.__name__)
    measured(f"worker killed {moment.__name__.replace('_', ' ')}", took_s)
    assert took_s < 8
