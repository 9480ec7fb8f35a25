"""The gate with the parts around it: what reaches the caller's page, and when telling ends."""

import asyncio
from collections.abc import Callable

import pytest

from agent_worker.agent import AgentDefinition
from agent_worker.metrics import Metrics
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.tools import result_delivery
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.invocations import Proposal
from agent_worker.tools.journal import AlwaysOurs, MemoryJournal
from agent_worker.tools.tool import Answer, Caller, tool
from examples.storefront.agent.actions import Navigate
from tests.support.gate_scene import asked, outcome
from tests.unit.agent_worker.small_agent import TextCall
from voice_contract.actions import ClientAction
from voice_contract.confirmations import Confirmations, ConfirmationVote, DecidedConfirmation


@tool(effect="write", confirm="Move?")
async def move() -> Answer:
    """Move, and show where."""
    return Answer(say="Moved.", actions=[Navigate(to="orders")])


async def test_question_and_suggested_action_reach_the_page() -> None:
    """Each change of the open questions as a whole list; then what the tool suggests."""
    pushed: list[Confirmations | ClientAction] = []
    tools = CallTools(
        caller=Caller("caller-1", "call-1"),
        tools=(move,),
        resources=(),
        journal=MemoryJournal(),
        lease=AlwaysOurs(),
        metrics=Metrics(None),
        secret=b"key of the call",
        push=pushed.append,
    )
    invocation = await asked(tools.gate.propose(Proposal("move", {}, "fnc-1")))
    (shown,) = pushed
    assert isinstance(shown, Confirmations)
    (card,) = shown.pending
    vote = ConfirmationVote(id=card.id, digest=card.digest, approved=True)
    tools.questions.vote(vote, "screen", "caller-1")
    assert (await outcome(invocation)).kind == "done"
    decided, action = pushed[1:]
    ended = DecidedConfirmation(id=card.id, state="approved", by="screen")
    assert decided == Confirmations(pending=[], decided=[ended])
    assert isinstance(action, ClientAction) and action.action == Navigate(to="orders")


@pytest.mark.parametrize("stop", [CallTools.close, CallTools.leave])
async def test_result_after_the_end_of_the_call_is_not_told(
    agent: AgentDefinition, monkeypatch: pytest.MonkeyPatch, stop: Callable[[CallTools], None]
) -> None:
    """Even if the caller comes back to the room meanwhile; the next agent tells it."""
    monkeypatch.setattr(result_delivery, "PAUSE_S", 0.0)
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.say("heat room 3")
        stop(call.tools)
        call.house.warm.set()
        call.tools.delivery.resume()
        await asyncio.sleep(0.5)
        assert "Room 3" not in " ".join(call.spoken)
    assert call.house.heated == [3]
