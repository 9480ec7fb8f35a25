"""Loads an agent by the name of its package, and checks that its parts fit together."""

import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.call_control import CallControl
from agent_worker.mistakes import in_words, location_of, raised_at
from agent_worker.reasoning.template_file import TemplateError
from agent_worker.tools.mcp import Listing, as_tools
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, Target, Tool, ToolMistake

if TYPE_CHECKING:
    # MCP's SDK is imported by the agents that use it alone.
    from agent_worker.tools.mcp_client import Connection


def load_agent(module: str) -> AgentDefinition:
    """
    The `AGENT` of *module*, checked, but for the tools of its MCP servers.

    Raises: AgentError: there is none, or its parts do not fit together.
    """
    try:
        agent = importlib.import_module(module).AGENT
    except (ToolMistake, TemplateError) as mistake:
        raise AgentError(str(mistake)) from mistake
    # Whatever else its author did wrong, an exit included: it is said where.
    except (Exception, SystemExit) as error:
        where = raised_at(error)
        if where is None:
            raise AgentError(
                f"{module}: this package has no AGENT that can be loaded: {error}"
            ) from error
        raise AgentError(f"{where}: {module} cannot be loaded: {in_words(error)}") from error
    if not isinstance(agent, AgentDefinition):
        raise AgentError(f"{module}.AGENT is not an AgentDefinition")
    where = f"{agent.source}: {module}"
    elsewhere = [name for server in agent.mcp for name in server.tools]
    names = [*(tool.name for tool in agent.all_tools), *elsewhere]
    if twice := _twice(names):
        raise AgentError(f"{where}: two tools have the name {twice!r}")
    if twice := _twice([server.name for server in agent.mcp]):
        raise AgentError(f"{where}: two MCP servers have the name {twice!r}")
    tools = {tool.name: tool for tool in agent.all_tools}
    for tool in tools.values():
        _check_injections(agent, tool)
    if agent.fallback_tool is not None:
        if agent.fallback_tool not in tools:
            raise AgentError(f"{where}: fallback_tool: there is no tool {agent.fallback_tool!r}")
        if needed := tools[agent.fallback_tool].arguments.required:
            raise AgentError(
                f"{where}: fallback_tool: {agent.fallback_tool} needs {min(needed)}, but it is "
                "called without arguments"
            )
        if not agent.fallback_question:
            raise AgentError(
                f"{where}: fallback_tool: the caller did not ask for it, so it is asked first: "
                "give fallback_question"
            )
    for name, rule in agent.templates.rules.items():
        if rule.tool not in elsewhere:
            _check_intent(agent, name, tools)
    return agent


def _twice(names: Sequence[str]) -> str | None:
    return next((name for name in names if names.count(name) > 1), None)


Listings = dict[str, Listing]
"""The tools that the agent's MCP servers list, by the servers' names."""


async def look_at_servers(agent: AgentDefinition) -> Listings:
    """
    Ask the agent's MCP servers for their tools.

    Raises: AgentError: a server does not answer, lacks a tool that the agent allows, or a
        sentence's slots do not fit a tool.
    """
    if not agent.mcp:
        return {}
    # Imported only where it is needed: it takes a second.
    from agent_worker.tools.mcp_client import McpUnavailable, list_servers

    try:
        listings = await list_servers(agent.mcp)
    except McpUnavailable as unavailable:
        raise AgentError(str(unavailable)) from unavailable
    server_tools(agent, listings, {})
    return listings


@asynccontextmanager
async def open_resources(
    agent: AgentDefinition, caller: Caller, *, rehearses: bool = False
) -> AsyncIterator[tuple[object, ...]]:
    """
    What *agent* opens for the call of *caller*, or for a rehearsal.

    Raises: AgentError: its `open` fails, or does not yield what `provides` says.
    """
    name, opens = "open", agent.open
    if rehearses and agent.open_rehearsal is not None:
        name, opens = "open_rehearsal", agent.open_rehearsal
    async with AsyncExitStack() as stack:
        try:
            context = opens(caller)
            if not isinstance(context, AbstractAsyncContextManager):
                what = type(context).__name__
                raise TypeError(f"it returns {what}, not what @asynccontextmanager makes")
            resources = await stack.enter_async_context(context)
            if not isinstance(resources, tuple):
                raise TypeError(f"it yields {type(resources).__name__}, not a tuple")
            for kind in agent.provides:
                if not any(isinstance(item, kind) for item in resources):
                    raise TypeError(f"it yields no {kind.__name__}, although `provides` says so")
        except Exception as error:
            where = raised_at(error) or location_of(opens)
            raise AgentError(f"{where}: {name}: {in_words(error)}") from error
        yield resources


@asynccontextmanager
async def open_tools(agent: AgentDefinition, listings: Listings) -> AsyncIterator[tuple[Tool, ...]]:
    """All tools of *agent* for one call. An MCP server is connected at its first use."""
    if not agent.mcp:
        yield agent.all_tools
        return
    from agent_worker.tools.mcp_client import connections

    async with connections(agent.mcp) as lines:
        yield (*agent.all_tools, *server_tools(agent, listings, lines))


def server_tools(
    agent: AgentDefinition, listings: Listings, lines: Mapping[str, "Connection"]
) -> list[Tool]:
    """
    The tools that the agent may use of its MCP servers. *lines*, by server, runs them.

    Raises: AgentError: a server lacks a tool that the agent allows, or a sentence's slots do not
        fit a tool.
    """
    try:
        found: list[Tool] = []
        for server in agent.mcp:
            line = lines.get(server.name)
            send, ready = (line.send, line.ready) if line else (_nowhere, None)
            found += as_tools(server, listings[server.name], send, ready)
    except ToolMistake as mistake:
        raise AgentError(str(mistake)) from mistake
    tools = {tool.name: tool for tool in found}
    for tool in found:
        _check_injections(agent, tool)
    for name, rule in agent.templates.rules.items():
        if rule.tool in tools:
            _check_intent(agent, name, tools)
    return found


async def _nowhere(_: str, __: dict[str, object]) -> Answer:
    raise AssertionError("these tools are listed, not run")


def _check_injections(agent: AgentDefinition, tool: Tool) -> None:
    provided = (Caller, *agent.provides)
    known = (*provided, IdempotencyKey, Target, CallControl)
    asked = [(name, kind, known) for name, kind in tool.injected.items()]
    resolve = tool.guards.resolve
    for rule in (*tool.guards.policy, *([resolve] if resolve else [])):
        asked += [(name, kind, provided) for name, kind in rule.injected.items()]
    for name, kind, kinds in asked:
        if kind not in kinds:
            raise AgentError(
                f"{tool.source}: {tool.name}: nothing provides {name} "
                f"({getattr(kind, '__name__', kind)}). The server fills parameters after `*` by "
                "their type: add it to `provides`, or move the parameter before `*`."
            )


def _check_intent(agent: AgentDefinition, name: str, tools: Mapping[str, Tool]) -> None:
    rule = agent.templates.rules[name]
    if rule.tool is None:
        return
    where = f"{agent.source}: {agent.name}: intent {name}"
    if rule.tool not in tools:
        raise AgentError(f"{where}: there is no tool {rule.tool!r}")
    arguments = tools[rule.tool].arguments
    for slot in sorted({*rule.ask, *agent.templates.slots[name]}):
        if slot not in arguments.names:
            raise AgentError(f"{where}: {rule.tool} has no parameter {slot!r}")
    if missing := arguments.required - set(rule.ask):
        raise AgentError(
            f"{where}: {rule.tool} needs {', '.join(sorted(missing))}: "
            "add a question for it under `ask`"
        )
