"""Gives an agent's tools to the session, all of them leading into the one call path."""

from typing import Any

from livekit.agents import RunContext
from livekit.agents.llm import RawFunctionTool, function_tool

from agent_worker.tools.runner import ToolRunner
from agent_worker.tools.tool import Tool


def as_session_tools(
    tools: tuple[Tool, ...], runner: ToolRunner
) -> list[RawFunctionTool[..., Any]]:
    """
    One raw function tool for each of *tools*.

    Raw: the framework hands the arguments over as they came, and ours are the only checks.
    """
    return [_wrap(tool, runner) for tool in tools]


def _wrap(tool: Tool, runner: ToolRunner) -> RawFunctionTool[..., Any]:
    async def call(raw_arguments: dict[str, object], context: RunContext[Any]) -> str:
        answer = await runner.call(tool, raw_arguments)
        return answer.model_dump_json(exclude_defaults=not answer.data)

    return function_tool(call, raw_schema=tool.schema)
