"""SIGKILL of the whole worker at random moments of a call."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from tests.asking import greeted
from tests.chaos.conversation import Conversation, conversation
from tests.chaos.fleet import Fleet
from tests.chaos.results import measured

Moment = Callable[[Conversation], Awaitable[None]]
RUNS = 50


async def in_the_greeting(call: Conversation) -> None:
    """Somewhere in its first words."""
    await call.first_sound(0)
    await asyncio.sleep(random.uniform(0, 2))


async def in_speech(call: Conversation) -> None:
    """In the middle of an answer."""
    asked_at = await call.say("where is order number eight")
    await call.first_sound(asked_at)
    await asyncio.sleep(random.uniform(0.1, 1.5))


async def in_thought(call: Conversation) -> None:
    """When the caller has just stopped speaking."""
    await call.say("where is order number eight")
    await asyncio.sleep(random.uniform(0, 0.5))


async def in_a_pause(call: Conversation) -> None:
    """While the agent listens."""
    await asyncio.sleep(random.uniform(0, 2))


MOMENTS: tuple[Moment, ...] = (in_the_greeting, in_speech, in_thought, in_a_pause)


async def survives(fleet: Fleet, moment: Moment) -> float:
    """
    A call whose worker is killed at *moment* goes on with another agent that knows what was said.

    Returns: the seconds from the kill to the new agent's first sound at the caller.
    """
    async with conversation(fleet) as call:
        if moment is not in_the_greeting:
            await greeted(call.caller)
            await call.ask("Where is order eight?", "Order 8")
        await moment(call)
        took_s = await call.break_(call.worker.kill)
        if moment is in_the_greeting:
            await call.caller.agent_line(containing="automated assistant")
            await call.ask("Where is order eight?", "Order 8")
        else:
            await asyncio.sleep(1)
            await call.ask("When will it arrive?", "Order 8")
        await call.hang_up()
    return took_s


@pytest.mark.parametrize("moment", [in_speech, in_the_greeting], ids=lambda moment: moment.__name__)
async def test_call_survives_its_worker_briefly(fleet: Fleet, moment: Moment) -> None:
    """The short form."""
    took_s = await survives(fleet, moment)
    measured("worker killed", took_s, moment.__name__)
    assert took_s < 8


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(RUNS))
async def test_call_survives_its_worker(fleet: Fleet, run: int) -> None:
    """Fifty times, at every moment."""
    moment = MOMENTS[run % len(MOMENTS)]
    took_s = await survives(fleet, moment)
    measured("worker killed", took_s, moment.__name__)
    measured(f"worker killed {moment.__name__.replace('_', ' ')}", took_s)
    assert took_s < 8
