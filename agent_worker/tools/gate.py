"""
The gate decides whether a proposed tool invocation happens, makes it happen once, and journals it.

The path that every invocation takes, guard by guard, is in `guards.py`. An invocation belongs to
the gate: the framework can stop waiting for it, but cannot cancel a side effect.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.reasoning import yes_no
from agent_worker.reasoning.listening import asks_to_wait
from agent_worker.reasoning.yes_no import Said
from agent_worker.tools.arguments import Values, WrongArguments
from agent_worker.tools.backends import Backends
from agent_worker.tools.budget import CALL_MAX, Budget
from agent_worker.tools.confirmations import CallersPage, Question, Questions, Way
from agent_worker.tools.doubts import Doubts
from agent_worker.tools.events import GateEvents
from agent_worker.tools.executor import Executor
from agent_worker.tools.floor import Floor, Turn
from agent_worker.tools.guards import SETTLE_S, GuardPipeline
from agent_worker.tools.idempotency import IdempotencyKeys
from agent_worker.tools.invocations import Invocation, Invocations, Outcome, Proposal, Refused
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, Tool
from call_record.clock import Clock, SystemClock
from service_base.tasks import TaskSet
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import ToolProposed, ToolRefused

log = structlog.get_logger()

GOES_ON_WITHIN_S = 3.0
"""Who goes on later begins something else."""

CLOSE_S = 10.0
"""How long writes that are under way may delay the end of the call."""


Use = Literal["reply", "without-model", "not-understood", "nothing"]


@dataclass(frozen=True)
class Heard:
    """What the gate makes of a turn while a question is open."""

    say: str
    use: Use = "reply"
    """
    When `say` is the reply. `without-model`: where no model answers: the turn belongs to something
    else that was asked. `not-understood`: where nothing else answers: the turn is a wish of its
    own. `nothing`: never; it was a no, and a wish besides.
    """
    invocation: Invocation | None = None
    """The invocation that was decided."""


class Gate:
    """
    The gate of one call.

    Args:
        resources: What the agent opened for the call; injected into tools and rules by type.
        page: What the agent knows about the caller's page.
        events: Told what happens in the gate.
        secret: The key of the call's journal; idempotency keys are derived from it.
        time_zone: In which the caller says "tomorrow": an IANA name; empty: the machine's.
    """

    def __init__(
        self,
        *,
        caller: Caller,
        tools: Iterable[Tool],
        resources: Iterable[object],
        journal: Journal,
        lease: Lease,
        metrics: Metrics,
        page: CallersPage | None = None,
        events: GateEvents | None = None,
        clock: Clock | None = None,
        phrases: GatePhrases | None = None,
        call_max: int | None = None,
        settle_s: float = SETTLE_S,
        secret: bytes,
        time_zone: str = "",
    ) -> None:
        self.tools = tuple(tools)
        self.phrases = phrases or GatePhrases()
        self.invocations = Invocations(caller)
        self._caller = caller
        self._resources = [caller, *resources]
        self._journal = journal
        self._metrics = metrics
        self._events = events or GateEvents()
        self._budget = Budget(CALL_MAX if call_max is None else call_max)
        self._closing = asyncio.Event()
        self._tasks = TaskSet(isolated=True)
        self._turn = ""
        self._wished_at_s = 0.0
        """When the caller said something that the agent has not answered yet."""
        self._begun: tuple[str, Turn] | None = None
        """A yes after which the caller went on speaking."""
        self._approved: tuple[Question, Turn] | None = None
        """What the caller's last yes was to."""
        clock = clock or SystemClock()
        self._clock = clock
        self._zone = ZoneInfo(time_zone) if time_zone else None
        self.floor = Floor(clock)
        backends = Backends(clock)
        self.questions = Questions(
            clock, journal, self.phrases, page or CallersPage(), self._events.questions_changed
        )
        self._executor = Executor(
            journal=journal,
            lease=lease,
            idempotency_keys=IdempotencyKeys(caller.call_id, secret),
            backends=backends,
            phrases=self.phrases,
            tasks=self._tasks,
            inject=self._inject,
            events=self._events,
            closing=self._closing,
            late=lambda invocation, outcome: self._doubts.settle(invocation, outcome),
        )
        self._doubts = Doubts(self._executor.send_again, self._closing, self._found_out)
        self._guards = GuardPipeline(
            tools=self.tools,
            journal=journal,
            phrases=self.phrases,
            budget=self._budget,
            invocations=self.invocations,
            questions=self.questions,
            doubts=self._doubts,
            backends=backends,
            executor=self._executor,
            closing=self._closing,
            metrics=metrics,
            inject=self._inject,
            now=self.now,
            settle_s=settle_s,
        )

    def now(self) -> datetime:
        """The present, in the time zone of the caller."""
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone(self._zone)

    # -- what is proposed

    def propose(self, proposal: Proposal) -> Invocation:
        """
        The invocation for *proposal*: a new one, or the one that it repeats.

        Raises: ToolError: it did not become an invocation; the message can be spoken.
        """
        # No await in here: of two proposals for the same, only one may become a new invocation.
        self.turn_began(proposal.turn_id)
        self._guards.limit(proposal)
        invocation_id = self.invocations.new_id(proposal.function_call_id)
        try:
            tool, values = self._guards.admit(proposal)
        except Refused as refused:
            self._write_proposed(invocation_id, proposal, {})
            self._write_refused(invocation_id, refused)
            raise ToolError(refused.say) from None
        invocation = self.invocations.make(invocation_id, tool, values, proposal.turn_id)
        invocation.offer = proposal.offer
        earlier = self.invocations.find(invocation.digest)
        if earlier is not None and earlier.covers(proposal.turn_id):
            if earlier.outcome is None:
                earlier.turns.add(proposal.turn_id)
            self._write_proposed(invocation_id, proposal, values, duplicate_of=earlier.id)
            self._count(tool, "duplicate", 0)
            return earlier
        self._write_proposed(invocation_id, proposal, values)
        self.start(invocation, proposal.unsettled)
        return invocation

    def start(self, invocation: Invocation, unsettled: Callable[[], bool] = lambda: False) -> None:
        """Take *invocation* through the guards, in a task that belongs to the gate alone."""
        self._start(invocation, lambda: self._guards.run(invocation, unsettled))

    def turn_began(self, turn_id: str) -> None:
        """Note that the caller's turn of that id is now the last one."""
        self._turn = turn_id
        self.questions.turn_began(turn_id)

    async def wait(self, invocation: Invocation) -> None:
        """Wait until *invocation* has its outcome or the call is over."""
        assert invocation.task is not None
        closing = asyncio.ensure_future(self._closing.wait())
        either: set[asyncio.Future[Any]] = {invocation.task, closing}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()

    # -- what the caller answers

    def asks(self) -> Question | None:
        """The one open question; None: there is none, or more than one."""
        pending = self.questions.open
        return pending[0] if len(pending) == 1 else None

    def hear(self, text: str, turn: Turn, by: Way) -> Heard | None:
        """
        Decide the question that was asked last, if *text* is a yes or a no to it.

        A yes counts only if *turn* began when the caller knew all of the question, and if nothing
        of the agent's own sound can be in it. Nor does it if the caller has said something else
        meanwhile, and not heard the answer: it may be another question.

        Returns: None: it is a turn like any other.
        """
        heard = self._hear(text, turn, by)
        if (heard is None or heard.use == "not-understood") and not asks_to_wait(text):
            self._wished_at_s = turn.ended_s
        return heard

    def _hear(self, text: str, turn: Turn, by: Way) -> Heard | None:
        if by == "voice" and self._is_rest_of_yes(text, turn):
            return Heard(self.phrases.approved)
        pending = self.questions.open
        last = self.questions.asked_last
        question = last if last in pending else next(reversed(pending), None)
        if question is None:
            return None
        said = yes_no.read(text, question.about)
        if said is None:
            # Not another wish with fewer arguments: "pay it", after "Pay two euros of it?".
            repeats = yes_no.repeats_wish(text, question.about)
            is_meant = question is last and len(pending) == 1
            return Heard(question.wording) if repeats and is_meant else None
        more = said in (Said.YES_AND_MORE, Said.NO_AND_MORE)
        if question is not last:
            # It belongs to something else: another question, or one that was decided meanwhile.
            use: Use = "without-model" if last is None else "reply"
            return None if more else Heard(question.wording, use)
        if self.questions.is_ambiguous or (len(pending) > 1 and question.asked_at_s > turn.began_s):
            return None if more else Heard(self.phrases.several)
        if said is Said.YES_AND_MORE:
            return Heard(question.wording, "not-understood")
        if said is Said.YES:
            if question.by_screen:
                return Heard(self.phrases.on_screen)
            overlaps = by == "voice" and self.floor.overlaps(turn)
            known = question.was_known_at(turn.began_s)
            if overlaps or not known or self._is_passed_over(question):
                return Heard(question.wording)
        elif question.asked_at_s > turn.began_s:
            return Heard(question.wording)
        return self._decide(question, said, turn, by)

    def _is_rest_of_yes(self, text: str, turn: Turn) -> bool:
        """
        Whether *text* is the wish that a yes has just approved, once more: "Yes." "Pay it." Where
        the machine is slow, one sentence may arrive as two. It is no wish to pay all of it besides.
        """
        if self._approved is None:
            return False
        question, yes = self._approved
        follows = turn.began_s - yes.ended_s <= GOES_ON_WITHIN_S
        return follows and yes_no.repeats_wish(text, question.about)

    def _is_passed_over(self, question: Question) -> bool:
        """Whether the caller asked for something after *question*, and waits for what it gives."""
        return self._wished_at_s > question.asked_at_s or any(
            one.tool.name == question.tool and one.outcome is None and one.question is None
            for one in self.invocations
        )

    def _decide(self, question: Question, said: Said, turn: Turn, by: Way) -> Heard:
        approved = said is Said.YES
        invocation = next((one for one in self.invocations if one.question is question), None)
        if invocation is not None:
            invocation.turns.add(turn.id)
            invocation.quiet = not approved
        vote = ConfirmationVote(id=question.id, digest=question.digest, approved=approved)
        self.questions.vote(vote, by, self._caller.identity)
        if said is Said.NO_AND_MORE:
            return Heard("", "nothing", invocation)
        if approved:
            self._approved = (question, turn)
            return Heard(self.phrases.approved, invocation=invocation)
        is_offer = invocation is not None and invocation.offer
        no = self.phrases.declined_offer if is_offer else self.phrases.declined
        return Heard(no, invocation=invocation)

    async def hear_spoken(self, text: str, turn: Turn, goes_on: Callable[[], bool]) -> Heard | None:
        """
        `hear` a spoken turn. A yes waits for a moment: it may be the beginning of "yes, but ...".

        Args: goes_on: Whether the caller is speaking again.
        """
        meant = self.questions.open
        text, turn = self._with_its_beginning(text, turn)
        if any(yes_no.read(text, one.about) is Said.YES for one in meant):
            try:
                await self._guards.let_settle(goes_on)
            except Refused:
                self._begun = (text, turn)
                return None
            if self.questions.open != meant and (other := self.asks()) is not None:
                # It was said to what was open then; a click may have decided that meanwhile.
                return Heard(other.wording)
        return self.hear(text, turn, "voice")

    def _with_its_beginning(self, text: str, turn: Turn) -> tuple[str, Turn]:
        """
        The turn together with the yes after which the caller went on to say it: "Yes." "Do it."

        One that is an answer by itself takes nothing of what was said before it.
        """
        begun, self._begun = self._begun, None
        if begun is None or turn.began_s - begun[1].ended_s > GOES_ON_WITHIN_S:
            return text, turn
        if any(yes_no.read(text, one.about) is not None for one in self.questions.open):
            return text, turn
        return f"{begun[0]} {text}", replace(turn, began_s=begun[1].began_s)

    def said(self, text: str, *, interrupted: bool = False) -> None:
        """Note that the caller heard *text* from the agent."""
        if self.questions.said(text, interrupted=interrupted) or not interrupted:
            self._wished_at_s = 0.0

    # -- what an agent before this one did

    def recall(
        self, invocation_id: str, name: str, raw: Mapping[str, Any], turn_id: str
    ) -> Invocation | None:
        """An invocation of the journal; None: this version of the agent has no such tool."""
        self.invocations.new_id(invocation_id)
        tool = next((one for one in self.tools if one.name == name), None)
        if tool is None:
            return None
        try:
            values = tool.arguments.canonical(raw)
        except WrongArguments:
            return None
        return self.invocations.make(invocation_id, tool, values, turn_id)

    def recall_run(self, name: str) -> None:
        """Count a run of that tool in the budget."""
        self._budget.take(name)

    def recall_outcome(self, invocation: Invocation, outcome: Outcome) -> None:
        """
        Keep *invocation* with the outcome that it had.

        If that is not known, or the caller does not know it, it stands before the same effect.
        """
        invocation.end(outcome)
        self.invocations.add(invocation)
        if outcome.kind == "unknown":
            self._doubts.open(invocation)
        elif outcome.kind == "done" and invocation.writes and not invocation.told:
            self._doubts.open(invocation)
            self._doubts.settle(invocation, outcome)

    def bar(self, tool: str) -> None:
        """Let that tool do nothing: it was begun in a way that this version cannot tell apart."""
        self._doubts.bar(tool)

    def take_over(self, invocation: Invocation) -> None:
        """Find out what became of *invocation*, which was started and has no outcome."""
        invocation.begun = True
        self._start(invocation, lambda: self._guards.take_over(invocation))

    # -- the end

    @property
    def is_busy(self) -> bool:
        """Whether an invocation is under way; one that waits for the caller's answer is not."""
        asking = [one for one in self.invocations if one.outcome is None and one.is_asking]
        return len(self._tasks) > len(asking)

    def close(self) -> None:
        """The call is over: nothing new starts, and open questions are declined."""
        self._closing.set()
        self.questions.end()

    def leave(self) -> None:
        """The call goes on with another agent: nothing new starts, open questions stay open."""
        self._closing.set()
        self.questions.leave()
        for invocation in self.invocations:
            # One that was approved and is not begun goes on there too.
            asked = invocation.question is not None and invocation.key is None
            if asked and invocation.task is not None:
                invocation.task.cancel()

    async def aclose(self) -> None:
        """Wait for writes that are under way, for 10 s at most."""
        if not self._closing.is_set():
            self.close()
        await self._doubts.aclose()
        await self._tasks.wait(CLOSE_S)

    # -- an invocation's life

    def _start(self, invocation: Invocation, work: Callable[[], Awaitable[Outcome]]) -> None:
        self.invocations.add(invocation)
        name = f"invocation {invocation.tool.name}"
        invocation.task = self._tasks.start(self._live(invocation, work), name=name)

    async def _live(
        self, invocation: Invocation, work: Callable[[], Awaitable[Outcome]]
    ) -> Outcome:
        started_s = time.monotonic()
        try:
            outcome = await work()
        except Refused as refused:
            outcome = Outcome(refused.kind, refused.say)
            self._write_refused(invocation.id, refused)
        except Exception as error:
            log.error("gate.failed", tool=invocation.tool.name, error=type(error).__name__)
            if invocation.begun and invocation.writes:
                invocation.doubt = type(error).__name__
                outcome = self._executor.give_up(invocation)
            else:
                outcome = Outcome("failed", self.phrases.failed)
                self._write_refused(invocation.id, Refused("gate", outcome.say))
        invocation.outcome = outcome
        invocation.turns.add(self._turn)
        self._count(invocation.tool, outcome.kind, time.monotonic() - started_s)
        if outcome.kind == "unknown":
            self._doubts.open(invocation)
        self._events.settled(invocation)
        return outcome

    def _found_out(self, invocation: Invocation, outcome: Outcome) -> None:
        """It is known now what became of *invocation*; if that was told as unknown, tell it."""
        if invocation.outcome is None or invocation.outcome.kind != "unknown":
            return
        invocation.outcome, invocation.late, invocation.told = outcome, True, False
        self._count(invocation.tool, f"late-{outcome.kind}", 0)
        self._events.settled(invocation)

    # -- small parts

    def _inject(self, kind: type) -> object:
        return next(item for item in self._resources if isinstance(item, kind))

    def _write_proposed(
        self, invocation_id: str, proposal: Proposal, values: Values, *, duplicate_of: str = ""
    ) -> None:
        self._journal.write(
            ToolProposed(
                invocation_id=invocation_id,
                tool=proposal.name[:200],
                arguments=values,
                turn_id=proposal.turn_id[:200],
                duplicate_of=duplicate_of,
            )
        )

    def _write_refused(self, invocation_id: str, refused: Refused) -> None:
        self._journal.write(
            ToolRefused(invocation_id=invocation_id, reason=refused.say, guard=refused.guard)
        )
        log.info("tool.refused", guard=refused.guard)

    def _count(self, tool: Tool, outcome: str, duration_s: float) -> None:
        self._metrics.tool_call(tool.name, outcome, duration_s)
        log.info(
            "tool.finished",
            tool=tool.name,
            effect=tool.effect,
            outcome=outcome,
            duration_ms=round(duration_s * 1000),
        )
