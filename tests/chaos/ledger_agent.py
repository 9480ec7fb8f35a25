"""A call's agent in a process of its own that tests stop and kill: all of it but room and sound."""

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from livekit.agents import AgentSession, ConversationItemAddedEvent
from livekit.agents.llm import ChatContext, ChatMessage

from agent_worker.agent import AgentDefinition
from agent_worker.call_control import AgentEndReason, CallControl
from agent_worker.claim import DATABASE_WAIT_S, CallClaim
from agent_worker.metrics import Metrics
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.resume import CallHistory, recall, resume
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.guarded_agent import GuardedAgent, written
from agent_worker.tools.tool import Caller
from agent_worker.turn_journal import TurnJournal
from call_record import calls, keys
from call_record.calls import Claim
from call_record.clock import SystemClock
from call_record.database import DATABASE_DOWN, Database
from call_record.lease import Lease
from call_record.record import Record
from call_record.writer import JournalWriter
from examples.storefront.agent import AGENT
from service_base.tasks import TaskSet
from tests.support.faults import LOST_ANSWER, Faults
from voice_contract.actions import ClientAction
from voice_contract.confirmations import Confirmations, ConfirmationVote
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import Entry, ToolFinished, ToolStarted, Usage

Point = Literal["start", "started", "result"]
"""Of a write: before its start is stored, after that, before its result is stored."""
Deed = Literal["kill", "stop", "tell", "lose-commit", "away", "jump"]
AWAY_S = 1.0


@dataclass(frozen=True)
class Trap:
    """What happens once to an agent at a point of its first write."""

    fault: str
    point: Point
    deed: Deed
    jump_ms: int = 0


@dataclass(frozen=True)
class Job:
    """What an agent is sent to do."""

    database_url: str
    keys_file: Path
    shop_url: str
    call_id: str
    caller: str
    attempt: int
    owner: str
    worker_id: str
    clock_ms: int
    """By how much its machine's clock is ahead."""
    has_cards: bool
    expires_s: float | None
    """How long its questions stay open; None: as the shop's author says."""
    traps: tuple[Trap, ...]
    log: Path


class JumpingClock(SystemClock):
    """A machine's clock that somebody sets."""

    def __init__(self, ahead_ms: int) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        """What the clock shows."""
        return super().now_ms() + self.ahead_ms


class _Traps:
    """Springs the traps of a job."""

    def __init__(self, job: Job, record: Record, clock: JumpingClock, line: Connection) -> None:
        self._traps = list(job.traps)
        self._faults = Faults(record.database)
        self._clock = clock
        self._line = line
        self._armed = ExitStack()
        self._go = asyncio.Event()

    def go(self) -> None:
        """The test did what it was told of."""
        self._go.set()

    async def pass_(self, point: Point) -> None:
        """The agent comes by; wait for what the test has to do there."""
        if self.spring(point):
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._go.wait()

    def spring(self, point: Point) -> bool:
        """The agent comes by. Returns: whether the test was told to do something."""
        trap = next((one for one in self._traps if one.point == point), None)
        if trap is None:
            return False
        self._traps.remove(trap)
        self._line.send(("fault", trap.fault))
        match trap.deed:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "jump":
                self._clock.ahead_ms += trap.jump_ms
            case "lose-commit":
                self._armed.enter_context(self._faults.at(LOST_ANSWER))
            case "away":
                self._armed.enter_context(self._faults.at(0, stays_away=True))
                asyncio.get_running_loop().call_later(AWAY_S, self._armed.close)
        return trap.deed == "tell"


class _TrappedJournal(JournalWriter):
    """The agent's journal, beside which the traps lie."""

    traps: _Traps

    async def write_ahead(self, entry: Entry, *, timeout_s: float = 2.0) -> None:
        if not isinstance(entry, ToolStarted):
            await super().write_ahead(entry, timeout_s=timeout_s)
            return
        await self.traps.pass_("start")
        await super().write_ahead(entry, timeout_s=timeout_s)
        await self.traps.pass_("started")

    def write(self, entry: Entry) -> None:
        if isinstance(entry, ToolFinished):
            self.traps.spring("result")
        super().write(entry)


class _Line(CallControl):
    def __init__(self, end: "asyncio.Future[str]") -> None:
        self._end = end

    def end_after_reply(self, reason: AgentEndReason) -> None:
        if not self._end.done():
            self._end.set_result(reason)


def run(job: Job, line: Connection) -> None:
    """Serve the call until it ends, is another's, or this process is killed."""
    output = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ["PARLEY_STOREFRONT_URL"] = job.shop_url
    asyncio.run(_run(job, line))


async def _run(job: Job, line: Connection) -> None:
    clock = JumpingClock(job.clock_ms)
    database = Database(job.database_url, connections=1, wait_s=DATABASE_WAIT_S)
    record = Record(database, keys.read(job.keys_file), clock)
    lease = Lease(record, job.call_id, job.attempt, job.owner, job.worker_id)
    while True:
        try:
            answer = await lease.claim()
            call = await calls.read(record, job.call_id)
            break
        except DATABASE_DOWN:
            await asyncio.sleep(0.2)
    if answer is not Claim.CLAIMED or call is None:
        line.send(("refused", answer.value))
        return
    journal = _TrappedJournal(record, job.call_id, job.attempt)
    journal.traps = _Traps(job, record, clock, line)
    async with journal:

        async def give_back() -> bool:
            return await calls.give_back(record, job.call_id, job.attempt, job.owner)

        claim = CallClaim(record, call, lease, journal, give_back)
        dispatch = DispatchMetadata(call_id=job.call_id, attempt=job.attempt, caller=job.caller)
        history = await recall(claim, dispatch) if job.attempt > 1 else None
        async with AsyncExitStack() as stack:
            caller = Caller(job.caller, job.call_id)
            resources = await stack.enter_async_context(AGENT.open(caller))
            agent = _Agent(job, claim, journal.traps, line, history, resources)
            await agent.serve()
    await record.close()


def _definition(job: Job) -> AgentDefinition:
    if job.expires_s is None:
        return AGENT
    tools = tuple(
        replace(one, guards=replace(one.guards, expires_s=job.expires_s)) for one in AGENT.tools
    )
    return replace(AGENT, tools=tools)


class _Agent:
    """As `agent_worker.call.Call`, with a pipe to the test in the place of a room."""

    def __init__(
        self,
        job: Job,
        claim: CallClaim,
        traps: _Traps,
        line: Connection,
        history: CallHistory | None,
        resources: Sequence[object],
    ) -> None:
        self._job = job
        self._claim = claim
        self._traps = traps
        self._line = line
        self._history = history
        self._asked: set[str] = set()
        self._tasks = TaskSet()
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = loop.create_future()
        self._put_out: asyncio.Future[str] = loop.create_future()
        self._definition = _definition(job)
        self._tools = CallTools(
            caller=Caller(job.caller, job.call_id),
            tools=self._definition.all_tools,
            resources=(_Line(self._ended), *resources),
            journal=claim.journal,
            lease=claim,
            metrics=Metrics(None),
            push=self._push,
            phrases=self._definition.phrases.gate,
            clock=claim.record.clock,
            secret=claim.record.keys.key(claim.call.key_id),
        )
        self._tools.page.has_cards = job.has_cards
        self._session: AgentSession[None] = AgentSession(
            llm=AgentLLM(self._definition), tools=[self._tools.toolset], user_away_timeout=None
        )

    async def serve(self) -> None:
        """Talk until the call ends or is another's."""
        session, history = self._session, self._history
        if history is not None:
            session.history.insert(history.items)
            self._tools.restore(history.recorded)
        TurnJournal(
            session,
            self._claim.journal,
            self._definition.templates,
            attempt=self._job.attempt,
            told_by=self._tools.delivery.told_by,
        )
        session.on("conversation_item_added", self._on_item)
        agent = GuardedAgent(
            instructions=self._definition.instructions,
            gate=self._tools.gate,
            delivery=self._tools.delivery,
            chat_ctx=None if history is None else ChatContext(history.items),
        )
        await session.start(agent, record=False)
        self._tools.follow(session, agent)
        self._claim.keep()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._line.fileno(), self._on_message)
        self._line.send(("ready", self._job.attempt))
        self._begin()
        ending = asyncio.create_task(self._claim.lease.ending.wait())
        lost = asyncio.create_task(self._claim.lost())
        over: set[asyncio.Future[Any]] = {self._ended, self._put_out, ending, lost}
        await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        loop.remove_reader(self._line.fileno())
        if lost.done() or (self._put_out.done() and not self._ended.done()):
            await self._abandon()
        else:
            await self._finish("caller")
        ending.cancel()
        lost.cancel()

    def _begin(self) -> None:
        if self._history is None:
            self._session.say(self._definition.greeting)
            return
        resumption = resume(self._definition, self._history)
        for text in resumption.say:
            self._session.say(text)
        if resumption.answer:
            self._session.generate_reply()

    async def _finish(self, reason: str) -> None:
        self._tools.close()
        with suppress(*DATABASE_DOWN):
            await calls.end(
                self._claim.record, self._job.call_id, reason, attempt=self._job.attempt
            )
        await self._tools.aclose()
        self._claim.journal.write(Usage(amounts={}))
        self._line.send(("sealed", await self._claim.seal(reason)))
        await self._session.aclose()

    async def _abandon(self) -> None:
        self._claim.let_go()
        self._tools.leave()
        self._line.send(("left", self._job.attempt))
        await self._tools.aclose()
        await self._claim.give_back()
        await self._session.aclose()

    # -- between the agent and its caller

    def _push(self, message: Confirmations | ClientAction) -> None:
        if isinstance(message, Confirmations) and self._job.has_cards:
            for card in message.pending:
                self._show(card.id, card.digest, card.title)
            self._tools.questions.acknowledge(card.id for card in message.pending)

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if isinstance(event.item, ChatMessage) and event.item.role == "assistant":
            self._line.send(("said", event.item.text_content or ""))
            # The gate hears of it in the same round.
            asyncio.get_running_loop().call_soon(self._show_spoken)

    def _show_spoken(self) -> None:
        question = self._tools.gate.asks()
        if question is not None and question.is_known:
            self._show(question.id, question.digest, question.title)

    def _show(self, question_id: str, digest: str, title: str) -> None:
        if question_id not in self._asked:
            self._asked.add(question_id)
            self._line.send(("asked", question_id, digest, title))

    def _on_message(self) -> None:
        match self._line.recv():
            case ("say", str(text)):
                self._tasks.start(self._hear(text), name="hear")
            case ("vote", str(question_id), str(digest), bool(approved)):
                vote = ConfirmationVote(id=question_id, digest=digest, approved=approved)
                self._tools.questions.vote(vote, "screen", self._job.caller)
            case ("hang up",):
                if not self._ended.done():
                    self._ended.set_result("caller")
            case ("put out",):
                if not self._put_out.done():
                    self._put_out.set_result("room-left")
            case ("go",):
                self._traps.go()

    async def _hear(self, text: str) -> None:
        with suppress(RuntimeError):  # the session is closing
            await self._session.interrupt()
            self._session.generate_reply(user_input=written(self._tools.gate, text))
