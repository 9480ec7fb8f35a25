"""A small agent for tests: three tools on a list in memory, a handful of templates."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from livekit.agents import Agent, AgentSession
from livekit.agents.llm import LLM
from livekit.agents.voice.run_result import RunResult

from agent_worker.agent import AgentDefinition, Phrases
from agent_worker.call_control import AgentEndReason, CallControl
from agent_worker.metrics import Metrics
from agent_worker.reasoning.templates import Templates
from agent_worker.tools.runner import ToolRunner
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolRefused, tool
from agent_worker.tools.toolset import as_session_tools

TEMPLATES = """
language: en
courtesy:
  - (please|hello)
  - (could|can) you
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
  visit:
    tool: visit
    ask:
      day: "Which day?"
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


def small_agent(templates: Templates, *, way_out: str | None = "person") -> AgentDefinition:
    """The agent."""
    return AgentDefinition(
        name="House",
        greeting="Hello, a machine speaks.",
        instructions="Mind the house.",
        templates=templates,
        tools=(look, paint, visit, search, person),
        open=open_house,
        provides=(House,),
        way_out=way_out,
        phrases=PHRASES,
    )


class TextCall:
    """A call of the small agent in text mode: a real session, its tools, what they did."""

    def __init__(
        self, agent: AgentDefinition, llm: LLM[object], *, away_timeout_s: float | None = None
    ) -> None:
        self.house = House()
        self.line = Line()
        runner = ToolRunner(
            caller=Caller("caller-1", "call-1"),
            resources=(self.house, self.line),
            metrics=Metrics(None),
        )
        self.session: AgentSession[None] = AgentSession(
            llm=llm,
            tools=list(as_session_tools(agent.all_tools, runner)),
            user_away_timeout=away_timeout_s,
        )
        self._agent = agent

    async def __aenter__(self) -> "TextCall":
        await self.session.start(Agent(instructions=self._agent.instructions), record=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.aclose()

    async def say(self, text: str) -> str:
        """Say *text* to the agent. Returns: its last words."""
        result: RunResult[None] = await self.session.run(user_input=text)
        words = [
            event.item.text_content
            for event in result.events
            if event.type == "message" and event.item.role == "assistant"
        ]
        return words[-1] or "" if words else ""
