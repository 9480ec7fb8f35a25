"""Which results the caller has heard."""

import asyncio
from dataclasses import replace
from typing import cast

import pytest
from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage, FunctionCallOutput

from agent_worker.reasoning.message_tags import EXTRA
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.result_delivery import TELLINGS_MAX, ResultDelivery
from agent_worker.tools.tool import Answer
from tests.support.gate_scene import Scene

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()


async def pushed(say: str, number: int = 1) -> Invocation:
    """A write with that result."""
    scene = Scene()
    invocation = scene.propose("push", {"number": number}, function_call_id=f"fnc-{number}")
    assert invocation.task is not None
    await invocation.task
    invocation.outcome = Outcome("done", say, Answer(say=say))
    return invocation


def turn(text: str, tells: dict[str, str] | None = None, *, cut: bool = False) -> ChatMessage:
    """What the agent said, and which results the model was to tell with it."""
    extra = {} if tells is None else {EXTRA: {"tells": tells}}
    return ChatMessage(role="assistant", content=[text], extra=extra, interrupted=cut)


async def test_result_that_was_found_out_while_the_agent_spoke_is_not_told_yet() -> None:
    """It said "I could not confirm", and meanwhile it is known: that is told next."""
    delivery = ResultDelivery(SAYS)
    invocation = await pushed("Pushed.")
    done = invocation.outcome
    invocation.outcome = Outcome("unknown", SAYS.in_doubt)
    delivery.settled(invocation)
    with delivery.waiting("fnc-1", invocation):
        output = FunctionCallOutput(call_id="fnc-1", output=SAYS.in_doubt, is_error=True)
        tells = delivery.results_in([output])
    assert tells == {invocation.id: SAYS.in_doubt}
    invocation.outcome, invocation.late = done, True
    delivery.settled(invocation)
    delivery.turn_ended(turn(f"One moment. {SAYS.in_doubt}", tells))
    assert not invocation.told
    delivery.turn_ended(turn(SAYS.late.format(words="Pushed.")))
    assert invocation.told


async def test_words_of_another_result_do_not_tell_this_one() -> None:
    """ "Done." is what many tools say; and a tool may say nothing at all."""
    delivery = ResultDelivery(SAYS)
    mine, other, silent = await pushed("Done."), await pushed("Done.", 2), await pushed("", 3)
    for invocation in (mine, other, silent):
        delivery.settled(invocation)
    delivery.turn_ended(turn("Done. Your lock is ordered.", {other.id: "Done."}))
    assert (mine.told, other.told, silent.told) == (False, True, False)


async def test_same_words_said_once_tell_one_of_two_results() -> None:
    """Two payments, each of which ended with "Paid.": the other one is told next."""
    delivery = ResultDelivery(SAYS)
    both = await pushed("Paid."), await pushed("Paid.", 2)
    for invocation in both:
        invocation.late = True
        delivery.settled(invocation)
    delivery.turn_ended(turn(SAYS.late.format(words="Paid.")))
    assert [one.told for one in both] == [True, False]
    delivery.turn_ended(turn(SAYS.late.format(words="Paid.")))
    assert [one.told for one in both] == [True, True]


async def test_interrupted_turn_told_what_was_heard_of_it() -> None:
    """The result's words were heard in full before the caller spoke; or they were not."""
    for heard, told in (("Pushed. Is there any", True), ("Push", False)):
        delivery = ResultDelivery(SAYS)
        invocation = await pushed("Pushed.")
        delivery.settled(invocation)
        delivery.turn_ended(turn(heard, {invocation.id: "Pushed."}, cut=True))
        assert invocation.told is told


class Session:
    """What a session says, in the order in which it says it."""

    current_speech = None
    user_state = "listening"

    def __init__(self) -> None:
        self.said: list[str] = []

    async def wait_for_idle(self) -> None:
        pass

    async def say(self, text: str) -> None:
        self.said.append(text)


async def test_what_was_done_before_the_session_is_told_in_it() -> None:
    """As after a recovery; told in vain, it is told again, a bounded number of times."""
    delivery = ResultDelivery(SAYS)
    delivery.settled(await pushed("Pushed."))
    session = Session()
    delivery.follow(cast("AgentSession[None]", session))
    await asyncio.sleep(600)
    assert session.said == [SAYS.again.format(words="Pushed.")] * TELLINGS_MAX
    delivery.stop()


async def test_what_was_told_and_what_was_only_read_is_not_told_again() -> None:
    """Of three results one is left."""
    delivery = ResultDelivery(SAYS)
    told, read, left = await pushed("Paid."), await pushed("Open."), await pushed("Pushed.", 2)
    read.tool = replace(read.tool, guards=replace(read.tool.guards, effect="read"))
    for invocation in (told, read, left):
        delivery.settled(invocation)
    told.told = True
    session = Session()
    delivery.follow(cast("AgentSession[None]", session))
    await asyncio.sleep(600)
    assert set(session.said) == {SAYS.again.format(words="Pushed.")}
    delivery.stop()
