"""Plays a script against a real session of the agent, with its tools and its backends."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from livekit.agents import AgentSession
from livekit.agents.llm import LLM, ChatContext, ChatMessage
from livekit.agents.voice import SpeechHandle

from agent_worker.agent import AgentDefinition
from agent_worker.call_control import AgentEndReason, CallControl
from agent_worker.loading import Listings, open_resources, open_tools
from agent_worker.metrics import Metrics
from agent_worker.reasoning import message_tags
from agent_worker.rehearsal import placeholders
from agent_worker.rehearsal.ledger import brief, effects_of
from agent_worker.rehearsal.script import Script, Step, each
from agent_worker.rehearsal.witness import Witness
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.guarded_agent import GuardedAgent, written
from agent_worker.tools.journal import AlwaysOurs, MemoryJournal
from agent_worker.tools.tool import Caller
from call_record.clock import Clock, SystemClock
from voice_contract.confirmations import ConfirmationVote
from voice_contract.ids import new_call_id
from voice_contract.journal import ToolProposed, ToolStarted
from voice_contract.tokens import ANONYMOUS_PREFIX

E = TypeVar("E")
BuildLLM = Callable[[AgentDefinition], LLM[Any]]
CALLER = f"{ANONYMOUS_PREFIX}rehearsal"
REPLY_MAX_S = 30.0
LOOK_S = 0.005
QUIET_LOOKS = 10


@dataclass
class Report:
    """How a script went."""

    script: Script
    failures: list[str] = field(default_factory=list)
    transcript: list[str] = field(default_factory=list)


@dataclass
class Reply:
    """What came of a turn."""

    said: list[str]
    ran: list[ToolStarted]
    proposed: list[ToolProposed]
    notes: list[str]
    """Why tools failed."""
    answered_s: float | None
    """When the first words came, on the monotonic clock; None: none came."""


class _Line(CallControl):
    def end_after_reply(self, reason: AgentEndReason) -> None:
        pass  # the script ends when it ends


async def rehearse(
    agent: AgentDefinition,
    build_llm: BuildLLM,
    listings: Listings,
    script: Script,
    clock: Clock | None = None,
) -> Report:
    """
    Play *script* on a stage of its own. One that fails while a new day begins is played again:
    what was "tomorrow" for its first words is "today" for its last.
    """
    while True:
        async with Stage(agent, build_llm, listings, clock) as stage:
            day = stage.now().date()
            report = await stage.play(script)
            if not report.failures or stage.now().date() == day:
                return report


class Stage:
    """
    One conversation.

    Args:
        build_llm: Makes the model of the session, once it is known who calls.
        clock: By which it is today or tomorrow.
    """

    def __init__(
        self,
        agent: AgentDefinition,
        build_llm: BuildLLM,
        listings: Listings,
        clock: Clock | None = None,
    ) -> None:
        self._agent = agent
        self._clock = clock or SystemClock()
        self._build_llm = build_llm
        self._listings = listings
        self._journal = MemoryJournal()
        self._witness = Witness()
        self._reply: SpeechHandle | None = None
        """To the caller's last words, with what it says once its tools have run."""
        self._stack: AsyncExitStack

    async def __aenter__(self) -> "Stage":
        # As a worker does before its first call: the first words do not wait for it.
        self._agent.templates.learn()
        caller = Caller(CALLER, new_call_id())
        async with AsyncExitStack() as stack:
            resources = await stack.enter_async_context(
                open_resources(self._agent, caller, rehearses=True)
            )
            tools = await stack.enter_async_context(open_tools(self._agent, self._listings))
            self._agent = self._agent.knowing(resources)
            llm = self._build_llm(self._agent)
            stack.push_async_callback(llm.aclose)
            self._stack = stack.pop_all()
        self._resources = resources
        greeting = ChatContext.empty()
        greeting.add_message(role="assistant", content=self._agent.greeting)
        self._tools = CallTools(
            caller=caller,
            tools=[self._witness.watch(tool) for tool in tools],
            resources=(_Line(), *resources),
            journal=self._journal,
            lease=AlwaysOurs(),
            metrics=Metrics(None),
            secret=b"rehearsal",
            phrases=self._agent.phrases.gate,
            call_max=self._agent.tool_calls_max,
            clock=self._clock,
            time_zone=self._agent.time_zone,
        )
        self._session: AgentSession[None] = AgentSession(llm=llm, tools=[self._tools.toolset])
        agent = GuardedAgent(
            instructions=self._agent.instructions,
            gate=self._tools.gate,
            delivery=self._tools.delivery,
            chat_ctx=greeting,
        )
        await self._session.start(agent, record=False)
        self._tools.follow(self._session, agent)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tools.close()
        await self._session.aclose()
        await self._tools.aclose()
        await self._stack.aclose()

    def now(self) -> datetime:
        """The present, in the caller's time zone."""
        return self._tools.gate.now()

    async def play(self, script: Script) -> Report:
        """Play *script* to its end, whatever fails."""
        report = Report(script)
        self._tools.page.has_cards = script.cards
        for number, step in enumerate(script.steps, start=1):
            for failure in await self._play(step, report):
                report.failures.append(f"step {number}: {failure}")
        ran = [start.tool for start in self._entries(ToolStarted)]
        if not _in_order(script.order, ran):
            report.failures.append(f"tools ran as {ran}, not in the order {script.order}")
        return report

    async def say(self, text: str) -> Reply:
        """Say *text* as the caller, and wait until the agent has nothing more to say or do."""
        return await self._after(lambda: self._say(text))

    @property
    def asks(self) -> bool:
        """Whether a question of the gate is open."""
        return bool(self._tools.questions.open)

    async def effects(self) -> list[str]:
        """What was done in this call: as its backend tells, if it has a `Ledger`, else as seen."""
        return await effects_of(self._resources, self._journal.entries)

    async def _play(self, step: Step, report: Report) -> list[str]:
        began_s = time.monotonic()
        now = self.now()
        failures: list[str] = []

        def act() -> None:
            if step.caller is not None:
                text = placeholders.as_said(step.caller, now)
                report.transcript.append(f"caller: {text}")
                self._say(text)
            elif step.vote is not None:
                report.transcript.append(f"caller answers on the screen: {step.vote}")
                failures.extend(self._vote(step.vote == "yes"))

        reply = await self._after(act, step.wait_s or 0.0)
        said, ran = reply.said, reply.ran
        report.transcript += [f"agent: {words}" for words in said]
        report.transcript += [f"  ran {start.tool}({brief(start.arguments)})" for start in ran]
        report.transcript += [f"  {note}" for note in reply.notes]
        failures += _judge_words(step, said, now)
        failures += _judge_calls(step, ran, now)
        if step.within_ms is not None:
            answered_s = reply.answered_s
            took_ms = None if answered_s is None else (answered_s - began_s) * 1000
            if took_ms is None or took_ms > step.within_ms:
                took = "never" if took_ms is None else f"after {took_ms:.0f} ms"
                failures.append(f"answered {took}, not within {step.within_ms} ms")
        return failures

    def _say(self, text: str) -> None:
        message = written(self._tools.gate, text)
        message_tags.set_said_at(message, self.now().timestamp())
        self._reply = self._session.generate_reply(user_input=message)

    async def _after(self, act: Callable[[], None], wait_s: float = 0.0) -> Reply:
        said, entries = len(self._said()), len(self._journal.entries)
        act()
        answered_s = await self._until_quiet(said, wait_s)
        return Reply(
            self._said()[said:],
            self._entries(ToolStarted, entries),
            self._entries(ToolProposed, entries),
            self._witness.take(),
            answered_s,
        )

    def _vote(self, approved: bool) -> list[str]:
        question = self._tools.gate.asks()
        if question is None:
            count = len(self._tools.questions.open)
            return [f"there are {count} open questions, so none can be answered"]
        vote = ConfirmationVote(id=question.id, digest=question.digest, approved=approved)
        self._tools.questions.vote(vote, "screen", CALLER)
        return []

    async def _until_quiet(self, said_before: int, wait_s: float) -> float | None:
        """Wait until the agent says and does nothing more. Returns: when its first words came."""
        first_s: float | None = None
        # Looks are counted: on a machine that is busy, time passes in which nothing could happen.
        quiet_looks = 0
        earliest_s = time.monotonic() + wait_s
        ends_s = earliest_s + REPLY_MAX_S
        while (now_s := time.monotonic()) < ends_s:
            if first_s is None and len(self._said()) > said_before:
                first_s = now_s
            quiet_looks = 0 if self._is_busy else quiet_looks + 1
            if quiet_looks > QUIET_LOOKS and now_s >= earliest_s:
                break
            await asyncio.sleep(LOOK_S)
        return first_s

    @property
    def _is_busy(self) -> bool:
        if self._reply is not None and not self._reply.done():
            return True
        return self._session.current_speech is not None or self._tools.gate.is_busy

    def _said(self) -> list[str]:
        return [
            item.text_content or ""
            for item in self._session.history.items
            if isinstance(item, ChatMessage) and item.role == "assistant"
        ]

    def _entries(self, kind: type[E], since: int = 0) -> list[E]:
        return [entry for entry in self._journal.entries[since:] if isinstance(entry, kind)]


def _judge_words(step: Step, said: Sequence[str], now: datetime) -> Iterator[str]:
    text = " ".join(said)
    for words in each(step.says):
        if not placeholders.pattern(words, now).search(text):
            yield f"did not say {words!r}, but {text!r}"
    for words in each(step.never):
        if placeholders.pattern(words, now).search(text):
            yield f"said {words!r}: {text!r}"


def _judge_calls(step: Step, ran: Sequence[ToolStarted], now: datetime) -> Iterator[str]:
    if step.calls_nothing and ran:
        yield f"ran {', '.join(start.tool for start in ran)}"
    for tool, wanted in placeholders.as_written(step.calls, now).items():
        arguments = [start.arguments for start in ran if start.tool == tool]
        if not any((wanted or {}).items() <= one.items() for one in arguments):
            yield f"did not run {tool} with {wanted}, but {arguments or 'not at all'}"


def _in_order(wanted: Sequence[str], ran: Sequence[str]) -> bool:
    left = iter(ran)
    return all(tool in left for tool in wanted)
