"""A small agent for tests: a few tools on a list in memory, a handful of templates."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.llm import LLM, ChatItem

from agent_worker.agent import AgentDefinition, Phrases
from agent_worker.call_control import AgentEndReason, CallControl
from agent_worker.metrics import Metrics
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.guarded_agent import GuardedAgent, written
from agent_worker.tools.journal import AlwaysOurs, MemoryJournal
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolRefused, tool
from tests.support.calls import LoopClock

TEMPLATES = """
language: en
courtesy:
  - (please|hello)
  - (could|can) you
numbered: [room]
lists:
  number:
    range: {from: 1, to: 999, words: false}
  time:
    values:
      - {in: "(2|2:00) [pm]", out: "14:00"}
      - {in: "(3|3:00) [pm]", out: "15:00"}
  day:
    values: [monday, friday]
  words: {wildcard: true}
expansion_rules:
  room: "[the] room [number] {number}"
intents:
  look:
    tool: look
    ask:
      number: "Which room?"
    data:
      - sentences:
          - "(look at|show) (<room>|a room)"
      - sentences:
          - "(look at|show) it"
        slots: {number: the-same}
  paint:
    tool: paint
    ask:
      number: "Which room shall I paint?"
    data:
      - sentences:
          - "paint (<room>|a room)"
      - sentences:
          - "paint it"
        slots: {number: the-same}
  clear:
    tool: clear
    ask:
      number: "Which room shall I clear?"
    data:
      - sentences:
          - "clear (<room>|a room)"
  heat:
    tool: heat
    ask:
      number: "Which room shall I heat?"
    data:
      - sentences:
          - "heat (<room>|a room)"
  visit:
    tool: visit
    ask:
      day: ["Which day?", "Monday or Friday?"]
      time: "At what time?"
    data:
      - sentences:
          - "book a visit [on {day}] [at {time}]"
  search:
    tool: search
    ask:
      words: "What for?"
    data:
      - sentences:
          - "search [for {words}]"
  hours:
    say: "We are open all day."
    data:
      - sentences:
          - "when are you open"
  repeat:
    say: "{last_answer}"
    data:
      - sentences:
          - "say that again"
  bye:
    tool: end_call
    data:
      - sentences:
          - "goodbye"
  answer.number:
    data:
      - sentences:
          - "[it's] [number|room] {number}"
  answer.when:
    data:
      - sentences:
          - "[on] {day} [at {time}]"
          - "[at] {time} [on {day}]"
  answer.words:
    data:
      - sentences:
          - "[for] {words}"
"""
PHRASES = Phrases(
    not_understood=("Pardon?", "Once more?"),
    not_understood_end="I give up. Goodbye.",
    silence=("Hello?", "Still there?"),
    silence_end="Silence. Goodbye.",
    not_heard=("Louder?", "Louder still?"),
    not_heard_end="Deaf. Goodbye.",
    reply_failed="I have no answer now.",
)


class House:
    """What the tools work on."""

    def __init__(self) -> None:
        self.painted: list[tuple[int, str]] = []
        self.helpers = 0
        self.cleared: list[tuple[int, bool, str]] = []
        self.heated: list[int] = []
        self.warm = asyncio.Event()


class Line(CallControl):
    """Remembers how the call was asked to end."""

    def __init__(self) -> None:
        self.end_reason: AgentEndReason | None = None

    def end_after_reply(self, reason: AgentEndReason) -> None:
        self.end_reason = reason


@tool(effect="read")
async def look(number: int, *, house: House) -> Answer:
    """Look at a room."""
    coats = sum(1 for painted, _ in house.painted if painted == number)
    return Answer(say=f"Room {number} has {coats} coats.", data={"coats": coats})


@tool(effect="write")
async def paint(number: int, *, house: House, key: IdempotencyKey) -> Answer:
    """Paint a room."""
    if number > 100:
        raise ToolRefused(f"There is no room {number}.")
    house.painted.append((number, key))
    return Answer(say=f"Painted room {number}.")


@tool(effect="write", confirm="Clear room {number}?")
async def clear(number: int, quickly: bool = False, *, house: House, key: IdempotencyKey) -> Answer:
    """Throw everything out of a room."""
    house.cleared.append((number, quickly, key))
    return Answer(say=f"Room {number} is empty.")


@tool(effect="write")
async def heat(number: int, *, house: House) -> Answer:
    """Heat a room, which takes its time."""
    house.heated.append(number)
    await house.warm.wait()
    return Answer(say=f"Room {number} is warm.")


@tool(effect="write")
async def visit(day: str, time: str) -> Answer:
    """Book a visit."""
    return Answer(say=f"See you on {day} at {time}.")


@tool(effect="read")
async def search(words: str) -> Answer:
    """Search."""
    return Answer(say=f"Nothing about {words}.")


@tool(effect="write")
async def person(*, house: House) -> Answer:
    """Send a person."""
    house.helpers += 1
    return Answer(say="A person will come.")


@asynccontextmanager
async def open_house(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    yield (House(),)


def load_templates(folder: Path, text: str = TEMPLATES) -> Templates:
    """The templates in *text*, through a file in *folder*."""
    file = folder / "intents.yaml"
    file.write_text(text)
    return Templates.load(file)


def small_agent(templates: Templates, *, fallback_tool: str | None = "person") -> AgentDefinition:
    """The agent."""
    return AgentDefinition(
        name="House",
        greeting="Hello, a machine speaks.",
        instructions="Mind the house.",
        templates=templates,
        tools=(look, paint, clear, heat, visit, search, person),
        open=open_house,
        provides=(House,),
        fallback_tool=fallback_tool,
        fallback_question="Shall I send a person?",
        phrases=PHRASES,
    )


class TextCall:
    """A call of the small agent in text mode: a real session, its tools, what they did."""

    def __init__(
        self,
        agent: AgentDefinition,
        llm: LLM[object],
        *,
        away_timeout_s: float | None = None,
        settle_s: float = 0.0,
        **session: Any,
    ) -> None:
        self.house = House()
        self.line = Line()
        self.journal = MemoryJournal()
        self.tools = CallTools(
            caller=Caller("caller-1", "call-1"),
            tools=agent.all_tools,
            resources=(self.house, self.line),
            journal=self.journal,
            lease=AlwaysOurs(),
            metrics=Metrics(None),
            secret=b"key of the call",
            settle_s=settle_s,
            clock=LoopClock(),
        )
        self.session: AgentSession[None] = AgentSession(
            llm=llm, tools=[self.tools.toolset], user_away_timeout=away_timeout_s, **session
        )
        self.agent: GuardedAgent = GuardedAgent(
            instructions=agent.instructions, gate=self.tools.gate, delivery=self.tools.delivery
        )

    async def __aenter__(self) -> "TextCall":
        await self.session.start(self.agent, record=False)
        self.tools.follow(self.session, self.agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.tools.close()
        await self.session.aclose()
        await self.tools.aclose()

    @property
    def items(self) -> list[ChatItem]:
        """The conversation so far."""
        return self.session.history.items

    async def say(self, text: str) -> str:
        """Say *text* to the agent. Returns: its last words in reply."""
        before = len(self.items)
        await self.session.generate_reply(user_input=written(self.tools.gate, text))
        words = [
            item.text_content
            for item in self.items[before:]
            if item.type == "message" and item.role == "assistant"
        ]
        return words[-1] or "" if words else ""

    async def hears(self, words: str) -> None:
        """Wait until the agent has said *words*, for 15 s at most."""
        async with asyncio.timeout(15):
            while words not in self.spoken:
                await asyncio.sleep(0.01)

    @property
    def spoken(self) -> list[str]:
        """What the agent has said."""
        return [
            item.text_content or ""
            for item in self.items
            if item.type == "message" and item.role == "assistant"
        ]
