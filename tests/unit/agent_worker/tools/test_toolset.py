"""The tools as the session has them: real sessions in text mode."""

import asyncio
import json
from typing import Any
from unittest.mock import ANY

import pytest
from livekit.agents import AgentSession
from livekit.agents.llm import (
    ChatContext,
    ChoiceDelta,
    FunctionToolCall,
    RawFunctionTool,
    function_tool,
)

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM, say
from agent_worker.reasoning.message_tags import unanswered
from agent_worker.tools.guarded_agent import GuardedAgent
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.toolset import GuardedToolset, Unguarded
from tests.unit.agent_worker.scripted import Script, ScriptedLLM
from tests.unit.agent_worker.small_agent import TextCall
from voice_contract.journal import ToolProposed, ToolRefused

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()
ASKS = "Clear room 7? In full: quickly: no. Yes or no?"


async def test_output_has_data_only_where_there_is_some(agent: AgentDefinition) -> None:
    """A model reads the data beside the words; an answer without data is words alone."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        outputs = []
        for text in ("look at room 7", "paint room 7"):
            await call.say(text)
            outputs += [one for one in call.items[-2:] if one.type == "function_call_output"]
    assert [json.loads(output.output) for output in outputs] == [
        {"say": "Room 7 has 0 coats.", "data": {"coats": 0}},
        {"say": "Painted room 7."},
    ]


async def test_every_tool_is_offered_with_our_schema(agent: AgentDefinition) -> None:
    """The author's tools and `end_call`, each once, as raw tools."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        (toolset,) = call.session.tools
        assert isinstance(toolset, GuardedToolset)
        names = [tool.info.name for tool in toolset.tools if isinstance(tool, RawFunctionTool)]
    assert names == [tool.name for tool in agent.all_tools]


@function_tool
async def backdoor() -> str:
    """Do it anyway."""
    return "done"


async def test_tool_that_bypasses_the_gate_keeps_the_session_from_starting(
    agent: AgentDefinition,
) -> None:
    """Of the session, of the agent, collected from its class, or in a toolset of its own."""

    class Sneaky(GuardedAgent):
        @function_tool
        async def sneak(self) -> str:
            """Sneak."""
            return "done"

    call = TextCall(agent, AgentLLM(agent))
    gate, delivery = call.tools.gate, call.tools.delivery
    sneaky = Sneaky(instructions="", gate=gate, delivery=delivery)
    with pytest.raises(Unguarded, match="sneak"):
        call.tools.follow(call.session, sneaky)
    another = TextCall(agent, AgentLLM(agent)).tools.toolset
    for tool in (backdoor, another):
        session: AgentSession[None] = AgentSession(tools=[call.tools.toolset, tool])
        with pytest.raises(Unguarded):
            call.tools.follow(session, call.agent)
    call.tools.follow(call.session, call.agent)


async def test_question_is_spoken_and_the_conversation_goes_on(agent: AgentDefinition) -> None:
    """Asked in full, other things meanwhile, a typed yes, and the result when it is there."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("clear room 7") == ASKS
        assert await call.say("when are you open") == "We are open all day."
        assert call.house.cleared == []
        assert await call.say("Yes, please.") == SAYS.approved
        await call.hears("Room 7 is empty.")
        assert call.house.cleared == [(7, False, ANY)]
        assert await call.say("when are you open") == "We are open all day."
        assert call.spoken.count("Room 7 is empty.") == 1


async def test_question_is_answered_with_no(agent: AgentDefinition) -> None:
    """Said once; the same can be wished again."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.say("clear room 7")
        assert await call.say("No.") == SAYS.declined
        await asyncio.sleep(0.1)
        assert call.spoken == [ASKS, SAYS.declined]
        assert await call.say("clear room 7") == ASKS
        assert await call.say("yes") == SAYS.approved
        await call.hears("Room 7 is empty.")
        assert len(call.house.cleared) == 1


async def test_yes_without_a_question_is_a_turn_like_any_other(agent: AgentDefinition) -> None:
    """And counts as nothing afterwards."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("yes") == "Pardon?"
        await call.say("clear room 7")
        assert call.house.cleared == []


async def test_slow_write_releases_the_conversation_and_is_told_later(
    agent: AgentDefinition,
) -> None:
    """After 0.7 s the caller can go on; the result comes by itself, once."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        assert await call.say("heat room 3") == SAYS.one_moment
        assert await call.say("when are you open") == "We are open all day."
        call.house.warm.set()
        await call.hears("Room 3 is warm.")
        await asyncio.sleep(1.2)
        assert call.spoken.count("Room 3 is warm.") == 1
        assert call.house.heated == [3]


def _calls(*calls: tuple[str, str]) -> Script:
    made = [
        FunctionToolCall(name=name, arguments=arguments, call_id=f"remote-{number}")
        for number, (name, arguments) in enumerate(calls)
    ]
    return [ChoiceDelta(role="assistant", tool_calls=made)]


async def test_model_that_proposes_the_same_write_three_times_has_one_effect(
    agent: AgentDefinition,
) -> None:
    """All three get the one result; each proposal is on record."""

    def script(conversation: ChatContext) -> Script:
        outputs = unanswered(conversation.items)
        if outputs:
            return [say(f"{len(outputs)} times: {json.loads(outputs[0].output)['say']}")]
        return _calls(
            ("paint", '{"number": 5}'), ("paint", '{"number":5}'), ("paint", '{ "number": 5 }')
        )

    llm = AgentLLM(agent, ScriptedLLM(script), templates=False)
    async with TextCall(agent, llm) as call:
        assert await call.say("make it nice") == "3 times: Painted room 5."
        assert call.house.painted == [(5, ANY)]
        proposed = [one for one in call.journal.entries if isinstance(one, ToolProposed)]
    assert [one.duplicate_of for one in proposed] == ["", "remote-0", "remote-0"]


@pytest.mark.parametrize(
    ("arguments", "guard"),
    [
        ('{"number": 5,', "json"),
        ('{"number": 5', "json"),
        ('{"number": 4, "number": 5}', "json"),
        ('{"number": NaN}', "json"),
        ('"{\\"number\\": 5}"', "json"),
        ('{"number": "5"}', "arguments"),
        ('{"number": 5, "house": {}}', "arguments"),
    ],
)
async def test_arguments_that_a_model_did_not_finish_or_may_not_set_change_nothing(
    agent: AgentDefinition, arguments: str, guard: str
) -> None:
    """The framework would repair and run them."""

    def script(conversation: ChatContext) -> Script:
        for output in unanswered(conversation.items):
            return [say(output.output)]
        return _calls(("paint", arguments))

    llm = AgentLLM(agent, ScriptedLLM(script), templates=False)
    async with TextCall(agent, llm) as call:
        await call.say("make it nice")
        assert call.house.painted == []
        refused = [one for one in call.journal.entries if isinstance(one, ToolRefused)]
    assert [one.guard for one in refused] == [guard]


async def test_question_is_said_as_it_is_and_no_model_can_answer_it(
    agent: AgentDefinition,
) -> None:
    """The model is not asked to word it, and that it claims a yes counts for nothing."""

    def script(conversation: ChatContext) -> Script:
        return _calls(("clear", '{"number": 7}'))

    remote = ScriptedLLM(script)
    async with TextCall(agent, AgentLLM(agent, remote, templates=False)) as call:
        assert await call.say("tidy up") == ASKS
        assert len(remote.asked) == 1
        remote.script = lambda _: [say("Yes. The caller said yes.")]
        await call.say("what was that?")
        await asyncio.sleep(0.05)
        assert call.house.cleared == []


async def test_model_that_fails_after_a_result_leaves_the_result_its_own_words(
    agent: AgentDefinition,
) -> None:
    """What was done is said, whatever happens to the model."""

    def script(conversation: ChatContext) -> Script:
        return (
            [ValueError()] if unanswered(conversation.items) else _calls(("paint", '{"number": 5}'))
        )

    llm = AgentLLM(agent, ScriptedLLM(script), templates=False)
    async with TextCall(agent, llm) as call:
        assert await call.say("make it nice") == "Painted room 5."


async def test_call_that_came_another_way_is_refused(agent: AgentDefinition) -> None:
    """Without a note of what the model had seen, nothing happens."""
    async with TextCall(agent, AgentLLM(agent)) as call:

        class Context:
            function_call = type("Call", (), {"call_id": "x", "extra": {}})()
            session = call.session
            speech_handle = type("Speech", (), {"interrupted": False})()

        (paint,) = [one for one in call.tools.toolset.tools if getattr(one, "id", "") == "paint"]
        context: Any = Context()
        assert isinstance(paint, RawFunctionTool)
        with pytest.raises(Exception, match=SAYS.malformed):
            await paint({"number": 5}, context)
        assert call.house.painted == []


async def test_session_ends_at_once_while_a_question_is_open(agent: AgentDefinition) -> None:
    """The framework waits for its tools: ours do not hold it up."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        await call.say("clear room 7")
        async with asyncio.timeout(10):
            call.tools.close()
            await call.session.aclose()
    assert call.house.cleared == []
