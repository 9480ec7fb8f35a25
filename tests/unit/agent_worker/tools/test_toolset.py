"""The tools as the session has them."""

import json

from livekit.agents.llm import RawFunctionTool
from livekit.agents.voice.run_result import RunResult

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM
from tests.unit.agent_worker.small_agent import TextCall


async def test_output_has_data_only_where_there_is_some(agent: AgentDefinition) -> None:
    """A model reads the data beside the words; an answer without data is words alone."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        outputs = []
        for text in ("look at room 7", "paint room 7"):
            result: RunResult[None] = await call.session.run(user_input=text)
            result.expect.skip_next(1)
            outputs.append(result.expect.next_event().is_function_call_output().event().item)
    assert [json.loads(output.output) for output in outputs] == [
        {"say": "Room 7 has 0 coats.", "data": {"coats": 0}},
        {"say": "Painted room 7."},
    ]


async def test_every_tool_is_offered_with_our_schema(agent: AgentDefinition) -> None:
    """The author's tools and `end_call`, each once, as raw tools."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        names = [tool.info.name for tool in call.session.tools if isinstance(tool, RawFunctionTool)]
    assert names == ["look", "paint", "visit", "search", "person", "end_call"]
