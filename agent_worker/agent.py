"""An agent as its author defines it, and how the worker finds it."""

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from agent_worker.call_control import CallControl, end_call
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, IdempotencyKey, Tool, ToolMistake


class AgentError(Exception):
    """The agent's definition is wrong. The message says what and where."""


@dataclass(frozen=True)
class Phrases:
    """What the agent says when the conversation itself goes wrong."""

    silence: tuple[str, ...] = ("Are you still there?", "I can't hear anything. Are you there?")
    """Said in turn when the caller is silent; after the last one the call ends."""
    silence_end: str = "I'll end the call for now. Please call again at any time. Goodbye."
    not_heard: tuple[str, ...] = (
        "Sorry, I didn't catch that. Could you say it again?",
        "I'm still having trouble hearing you. Please say it once more, or type it.",
    )
    """Said in turn when there was speech but no words."""
    not_heard_end: str = "I'm sorry, I can't hear you well enough. Please try again later. Goodbye."
    not_understood: tuple[str, ...] = (
        "Sorry, I didn't get that. Could you put it differently?",
        "I'm sorry, I still don't follow. Please tell me in a few words what you need.",
    )
    """Said in turn when the words made no sense; then the way out is taken, then the call ends."""
    not_understood_end: str = "I'm sorry that I could not help you today. Goodbye."
    still_here: str = "I'm still here. How can I help you?"
    """Said to a caller who comes back."""
    recovered: str = "Sorry, I was gone for a moment."
    """Said first by an agent that takes a call over from one that was lost."""
    you_said: str = "You said: {words}."
    """Then, when the caller's last words were not answered; the answer follows."""
    go_on: str = "Please go on. If you said something just now, please say it again."
    """Then, when it was the caller's turn."""
    too_long_end: str = "I have to end this call now. Please call again if you need more. Goodbye."
    stt_failed: str = "I can't hear you right now, please try again."
    reply_failed: str = "I can't think of an answer right now, please try again."
    gate: GatePhrases = field(default_factory=GatePhrases)
    """Said about what tools may and may not do."""


@asynccontextmanager
async def _nothing(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    yield ()


@dataclass(frozen=True)
class AgentDefinition:
    """
    An agent.

    A package named by `PARLEY_AGENT` holds one of these as `AGENT`.
    """

    name: str
    """Shown on the caller's page."""
    greeting: str
    """Said first. It must say that a machine is speaking."""
    instructions: str
    """For a model, where one is configured."""
    templates: Templates
    """What needs no model."""
    tools: tuple[Tool, ...]
    open: Callable[[Caller], AbstractAsyncContextManager[tuple[object, ...]]] = _nothing
    """Opens what the tools need, once a call; each item is injected into tools by its type."""
    provides: tuple[type, ...] = ()
    """The types of what `open` yields."""
    way_out: str | None = None
    """The tool that hands over to a person, called without arguments when nothing else helps."""
    phrases: Phrases = field(default_factory=Phrases)

    @property
    def all_tools(self) -> tuple[Tool, ...]:
        """The author's tools and those that every agent has."""
        return (*self.tools, end_call)


def load_agent(module: str) -> AgentDefinition:
    """
    The `AGENT` of *module*, checked.

    Raises: AgentError: there is none, or it contradicts itself.
    """
    try:
        agent = importlib.import_module(module).AGENT
    except (ImportError, AttributeError) as error:
        raise AgentError(f"{module}: no agent there ({error})") from error
    except ToolMistake as mistake:
        raise AgentError(str(mistake)) from mistake
    if not isinstance(agent, AgentDefinition):
        raise AgentError(f"{module}.AGENT is not an AgentDefinition")
    tools = {tool.name: tool for tool in agent.all_tools}
    if len(tools) != len(agent.all_tools):
        raise AgentError(f"{module}: two tools have the same name")
    for tool in tools.values():
        _check_injections(agent, tool)
    if agent.way_out is not None:
        if agent.way_out not in tools:
            raise AgentError(f"{module}: way_out: there is no tool {agent.way_out!r}")
        if needed := tools[agent.way_out].arguments.required:
            raise AgentError(f"{module}: way_out: {agent.way_out} needs {min(needed)}")
    for name in agent.templates.rules:
        _check_intent(agent, name, tools, module)
    return agent


def _check_injections(agent: AgentDefinition, tool: Tool) -> None:
    provided = (Caller, *agent.provides)
    asked = [
        (name, kind, (*provided, IdempotencyKey, CallControl))
        for name, kind in tool.injected.items()
    ]
    for rule in tool.guards.policy:
        asked += [(name, kind, provided) for name, kind in rule.injected.items()]
    for name, kind, known in asked:
        if kind not in known:
            raise AgentError(
                f"{tool.source}: {tool.name}: nothing provides {name} ({_name(kind)}); "
                "keyword-only parameters are filled by the server"
            )


def _check_intent(
    agent: AgentDefinition, name: str, tools: Mapping[str, Tool], module: str
) -> None:
    rule = agent.templates.rules[name]
    if rule.tool is None:
        return
    if rule.tool not in tools:
        raise AgentError(f"{module}: intent {name}: there is no tool {rule.tool!r}")
    arguments = tools[rule.tool].arguments
    for slot in sorted({*rule.ask, *agent.templates.slots[name]}):
        if slot not in arguments.names:
            raise AgentError(f"{module}: intent {name}: {rule.tool} has no parameter {slot!r}")
    if missing := arguments.required - set(rule.ask):
        raise AgentError(
            f"{module}: intent {name}: {rule.tool} needs {', '.join(sorted(missing))}; "
            "say under `ask` what to ask when it is not said"
        )


def _name(kind: object) -> str:
    return getattr(kind, "__name__", str(kind))
