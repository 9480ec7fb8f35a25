"""An agent as its author defines it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from agent_worker.call_control import end_call
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.budget import CALL_MAX
from agent_worker.tools.mcp import McpServer
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, Tool


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
    mcp: tuple[McpServer, ...] = ()
    """Servers that have more tools, and which of them may be used behind which guards."""
    tool_calls_max: int = CALL_MAX
    """Runs of all tools in one call."""
    fallback_tool: str | None = None
    """The tool that hands over to a person, called without arguments when nothing else helps."""
    phrases: Phrases = field(default_factory=Phrases)

    @property
    def all_tools(self) -> tuple[Tool, ...]:
        """The author's tools and those that every agent has."""
        return (*self.tools, end_call)
