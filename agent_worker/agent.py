"""An agent as its author defines it."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import copy
from dataclasses import field, replace
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, InstanceOf
from pydantic.dataclasses import dataclass

from agent_worker.call_control import end_call
from agent_worker.mistakes import STRICT, Several, author_location, check_braces
from agent_worker.reasoning.known_values import KnownValues
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.budget import CALL_MAX
from agent_worker.tools.mcp import McpServer
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, Tool
from agent_worker.waits import Waits


class AgentError(Exception):
    """An agent's definition has a mistake. The message names it and where it is."""


@dataclass(frozen=True, config=STRICT)
class Phrases:
    """What the agent says when the conversation itself goes wrong."""

    silence: Several[str] = ("Are you still there?", "I can't hear anything. Are you there?")
    """Said in turn when the caller is silent; after the last one the call ends."""
    patience: str = "I'm still here. Take your time."
    """Said once to a caller who is silent for minutes but muted, typing or reading."""
    hold: str = "Of course, take your time."
    """Said to a caller who asks to wait."""
    silence_end: str = "I'll end the call for now. Please call again at any time. Goodbye."
    not_heard: Several[str] = (
        "Sorry, I didn't catch that. Could you say it again?",
        "I'm still having trouble hearing you. Please say it once more, or type it.",
    )
    """Said in turn when there was speech but no words."""
    not_heard_end: str = "I'm sorry, I can't hear you well enough. Please try again later. Goodbye."
    not_understood: Several[str] = (
        "Sorry, I didn't get that. Could you put it differently?",
        "I'm sorry, I still don't follow. Please tell me in a few words what you need.",
    )
    """
    Said in turn when no answer was found; then the fallback tool is offered, then the call ends.
    """
    not_understood_end: str = "I'm sorry that I could not help you today. Goodbye."
    still_here: str = "I'm still here. How can I help you?"
    """Said to a caller who comes back."""
    recovered: str = "Sorry, I was gone for a moment."
    """Said first by an agent that continues a call whose agent was lost."""
    no_changes: str = (
        "I can look things up, but I can't change anything in this call. "
        "A colleague will see to it."
    )
    """Said next when the call's journal is not as it was written; a ticket is opened."""
    you_said: str = "You said: {words}."
    """Said next when the caller's last words were not answered; the answer follows."""
    go_on: str = "Please go on. If you said something just now, please say it again."
    """Said next when it was the caller's turn."""
    too_long_end: str = "I have to end this call now. Please call again if you need more. Goodbye."
    """Said when the call, or the number of its turns, is at its bound."""
    flood: str = "You are sending a lot at once. Please slow down, or I have to end the call."
    """Said and shown once to a caller whose page sends more than any person; then the call ends."""
    stt_failed: str = "I can't hear you right now, please try again."
    reply_failed: str = "I can't think of an answer right now, please try again."
    """Said when a model gives no answer."""
    reply_cut: str = "Sorry, I lost my thread there. Please ask me again."
    """Said when a model breaks off after its first words."""
    model_away: str = "I can only help with simple questions right now."
    """Said once when no model answers and the agent goes on without one."""
    moment: str = "One moment, please."
    """Said while a model has not begun to answer."""
    more: str = "Shall I go on?"
    """Said where a model's answer is longer than `AgentDefinition.reply_words_max`."""
    gate: GatePhrases = field(default_factory=GatePhrases)
    """Said about tools: questions, refusals, failures."""

    def __post_init__(self) -> None:
        check_braces(self)


Open = Callable[[Caller], AbstractAsyncContextManager[tuple[object, ...]]]


@asynccontextmanager
async def _nothing(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    yield ()


def _check_open(function: Open) -> Open:
    if (
        inspect.isasyncgenfunction(function)
        or inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
    ):
        raise ValueError("put @asynccontextmanager before it, and `async` before its def")
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        raise ValueError("it must take one argument, the Caller") from None
    return function


def _check_zone(name: str) -> str:
    try:
        return name and ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError('there is no such time zone; give one like "Europe/Berlin"') from None


Word = Annotated[str, Field(min_length=1, max_length=50)]
VOCABULARY_MAX = 100


def _check_vocabulary(words: tuple[str, ...]) -> tuple[str, ...]:
    if len(words) > VOCABULARY_MAX:
        raise ValueError(
            f"these are {len(words)}; a recognizer takes a hint of at most {VOCABULARY_MAX} words "
            "and names: keep those that it mishears"
        )
    for word in words:
        if not word.strip() or not word.isprintable() or "," in word:
            raise ValueError(f"{word!r}: give one word, name or phrase each, without a comma")
    return words


@dataclass(frozen=True, config=STRICT)
class AgentDefinition:
    """An agent. The package that `PARLEY_AGENT` names holds one as `AGENT`."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    """The agent's name in the room, which the caller's page shows; 1 to 100 characters."""
    greeting: Annotated[str, Field(min_length=1)]
    """Said first. It must say that a machine is speaking."""
    instructions: str
    """The system prompt, where a model is set."""
    templates: InstanceOf[Templates]
    """Sentences that are answered without a model."""
    tools: Several[InstanceOf[Tool]]
    """The agent's own tools."""
    open: Annotated[Open, AfterValidator(_check_open)] = _nothing
    """Opens what the tools need, once per call. Each item is passed to tools by its type."""
    open_rehearsal: Annotated[Open, AfterValidator(_check_open)] | None = None
    """
    Opens it for a rehearsal, once per script, where that is another thing: the same with the
    backend's data in a known state, or fakes. None: as `open`. It yields the same types.
    """
    provides: Several[type] = ()
    """The types of the items that `open` yields."""
    mcp: Several[InstanceOf[McpServer]] = ()
    """MCP servers: which of their tools the agent may use, behind which guards."""
    reply_words_max: Annotated[int, Field(ge=20)] = 120
    """
    How many words a model's answer has before the agent asks whether to go on: nobody listens to
    more than a minute.
    """
    tool_calls_max: Annotated[int, Field(ge=1)] = CALL_MAX
    """How often tools may run in one call, all together."""
    fallback_tool: str | None = None
    """
    The tool that the agent offers, without arguments, when it has not understood several times in
    a row: one that has a person call back, for example. None: the agent says goodbye.
    """
    fallback_question: str = ""
    """
    The question before `fallback_tool` runs, whether or not the tool itself asks: "I'm sorry, I
    still don't follow. Shall a colleague call you back?" Needed where there is such a tool.
    """
    waits: InstanceOf[Waits] = field(default_factory=Waits)
    """How long the agent waits for the caller before it does something."""
    disclosure: str = ""
    """
    Said before the greeting, to the end whatever the caller says: what must have been heard, such
    as that the call is recorded.
    """
    protect: Several[Literal["notices", "goodbye"]] = ()
    """What else nobody can interrupt: notices about the call itself, the last words."""
    phrases: Phrases = field(default_factory=Phrases)
    time_zone: Annotated[str, AfterValidator(_check_zone)] = ""
    """Where the callers are, for "today" and "tomorrow": an IANA name; empty: the machine's."""
    vocabulary: Annotated[Several[Word], AfterValidator(_check_vocabulary)] = ()
    """
    Words and names that callers say here and a recognizer would not expect: "toothache". At most
    100 of at most 50 characters; a hint for recognizers that take one.
    """
    source: str = field(default="", init=False, repr=False, compare=False)
    """File and line."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", author_location())
        allowed = [item for server in self.mcp for item in server.tools.items()]
        guards = {one.name: one.guards for one in self.all_tools}
        guards |= {name: one.guards for name, one in allowed}
        writes = {name for name, one in guards.items() if one.effect == "write"}
        asking = {name for name, one in guards.items() if one.confirm is not None}
        zone = ZoneInfo(self.time_zone) if self.time_zone else None
        told = self.templates.knowing(writes | {end_call.name}, asking, zone)
        object.__setattr__(self, "templates", told)
        if self.provides and self.open is _nothing:
            raise ValueError("provides: it needs an `open` that yields them")

    def with_templates(self, templates: Templates) -> "AgentDefinition":
        """This agent, for one call, with its own templates as the call changes them."""
        agent = copy(self)
        object.__setattr__(agent, "templates", templates)
        return agent

    def knowing(self, resources: Iterable[object]) -> "AgentDefinition":
        """This agent, for one call, with the `KnownValues` among what its `open` has yielded."""
        found = [one.values.items() for one in resources if isinstance(one, KnownValues)]
        known = {slot: value for values in found for slot, value in values}
        return self.with_templates(replace(self.templates, known=known)) if known else self

    @property
    def all_tools(self) -> tuple[Tool, ...]:
        """The agent's own tools, and those that every agent has."""
        return (*self.tools, end_call)
