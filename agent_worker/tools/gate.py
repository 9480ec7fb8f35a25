"""
The gate decides whether a proposed tool call happens, makes it happen once, and journals all of it.

The path: allow-list, arguments, policy, budget, confirmation (and policy again), `tool.started` in
the journal, circuit breaker, concurrency limit, timeout, retry, result. An invocation belongs to
the gate: whoever waits for it may stop waiting, and the framework cannot cancel a side effect.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools import yes_no
from agent_worker.tools.arguments import Values, WrongArguments, digest
from agent_worker.tools.backends import Backends
from agent_worker.tools.budget import TURN_MAX, Budget
from agent_worker.tools.confirmations import Question, Questions, Way
from agent_worker.tools.executor import Executor, Tasks
from agent_worker.tools.guards import SETTLE_S, GuardPipeline
from agent_worker.tools.idempotency import IdempotencyKeys
from agent_worker.tools.invocations import Invocation, Invocations, Outcome, Refused
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, Tool
from call_record.clock import Clock, SystemClock
from voice_contract.actions import Action
from voice_contract.confirmations import ConfirmationVote
from voice_contract.journal import BudgetEvent, ToolProposed, ToolRefused

log = structlog.get_logger()

CLOSE_S = 10.0
"""So long writes that are on their way may hold up the end of the call."""


@dataclass(frozen=True)
class Proposal:
    """A call that a model or a template proposes."""

    name: str
    raw: Mapping[str, Any]
    function_call_id: str
    """The framework's id of the call."""
    turn_id: str = ""
    """The caller's turn that it answers."""
    strict: bool = True
    """Whether its arguments were well-formed as the model sent them."""
    current: bool = True
    """Whether it answers what the caller really said last."""
    unsettled: Callable[[], bool] = lambda: False
    """Whether the caller goes on speaking."""


@dataclass(frozen=True)
class Heard:
    """What the gate makes of a turn that answers its question."""

    say: str
    invocation: Invocation | None = None
    """The invocation that was decided."""


class Gate:
    """
    The gate of one call.

    Args:
        resources: What the agent opened for the call; injected into tools and rules by type.
        changed: Called whenever another set of questions is open.
        act: Called with what a tool suggests to the caller's page.
        settled: Called when an invocation has its outcome, and again when a late outcome replaces
            "unknown".
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
        clock: Clock | None = None,
        phrases: GatePhrases | None = None,
        call_max: int | None = None,
        settle_s: float = SETTLE_S,
    ) -> None:
        self.caller = caller
        self.tools = {tool.name: tool for tool in tools}
        self.phrases = phrases or GatePhrases()
        self.clock = clock or SystemClock()
        self.journal = journal
        self.invocations = Invocations()
        self.idempotency_keys = IdempotencyKeys(caller.call_id)
        self.budget = Budget() if call_max is None else Budget(call_max)
        self.closing = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None
        self.act: Callable[[Action], None] = lambda _: None
        self.settled: Callable[[Invocation], None] = lambda _: None
        self.questions = Questions(self.clock, journal, lambda: self.changed())
        self._resources = [caller, *resources]
        self._metrics = metrics
        self._tasks = Tasks()
        self._turn = ""
        self._ids: set[str] = set()
        backends = Backends(self.clock)
        executor = Executor(
            journal=journal,
            lease=lease,
            idempotency_keys=self.idempotency_keys,
            backends=backends,
            phrases=self.phrases,
            tasks=self._tasks,
            inject=self._inject,
            act=lambda action: self.act(action),
            late=self._settle_late,
        )
        self.guards = GuardPipeline(
            journal=journal,
            phrases=self.phrases,
            budget=self.budget,
            questions=self.questions,
            backends=backends,
            executor=executor,
            closing=self.closing,
            metrics=metrics,
            inject=self._inject,
            settle_s=settle_s,
        )

    # -- what is proposed

    def propose(self, proposal: Proposal) -> Invocation:
        """
        The invocation that *proposal* is: a new one, or the one that it repeats.

        Raises: ToolError: it never became one; the message can be spoken.
        """
        # No await in here: two proposals at once must not both be new.
        self.turn_began(proposal.turn_id)
        self._bound(proposal)
        invocation_id = self.new_id(proposal.function_call_id)
        try:
            tool, values = self._admit(proposal)
        except Refused as refused:
            self._write_proposed(invocation_id, proposal, {})
            self._write_refused(invocation_id, refused)
            raise ToolError(refused.say) from None
        means = digest(self.caller.tenant, self.caller.call_id, tool.name, values)
        earlier = self.invocations.find(means)
        if earlier is not None and earlier.covers(proposal.turn_id):
            if earlier.outcome is None:
                earlier.turns.add(proposal.turn_id)
            self._write_proposed(invocation_id, proposal, values, duplicate_of=earlier.id)
            self._count(tool, "duplicate", 0)
            return earlier
        self._write_proposed(invocation_id, proposal, values)
        invocation = Invocation(invocation_id, tool, values, means, proposal.turn_id)
        if earlier is not None and earlier.outcome and earlier.outcome.kind == "unknown":
            invocation.key = (
                earlier.key
            )  # sent again it does nothing new, and we learn what came of it
        self.start(invocation, proposal.unsettled)
        return invocation

    def start(self, invocation: Invocation, unsettled: Callable[[], bool] = lambda: False) -> None:
        """Set *invocation* going, in a task that is ours alone."""
        self.invocations.add(invocation)
        invocation.task = self._tasks.start(self._live(invocation, unsettled))

    def turn_began(self, turn_id: str) -> None:
        """The caller's turn of that id is the last one now."""
        self._turn = turn_id

    def new_id(self, function_call_id: str) -> str:
        """The framework's id of a call, unless a model used it before."""
        plain = function_call_id[:100] or "call"
        number, unique = 1, plain
        while unique in self._ids:
            number += 1
            unique = f"{plain}~{number}"
        self._ids.add(unique)
        return unique

    # -- what the caller answers

    def asks(self) -> Question | None:
        """The one open question; None: there is none, or more than one."""
        pending = self.questions.open
        return pending[0] if len(pending) == 1 else None

    def hear(self, text: str, turn_id: str, by: Way) -> Heard | None:
        """
        Decide the open question, if *text* is a yes or a no and there is exactly one.

        Returns: what to say; None: it is a turn like any other.
        """
        approved = yes_no.read(text)
        if approved is None or not self.questions.open:
            return None
        question = self.asks()
        if question is None:
            return Heard(self.phrases.several)
        if approved and not (self.guards.has_cards or question.heard):
            return Heard(question.full)
        invocation = next(
            (invocation for invocation in self.invocations if invocation.question is question), None
        )
        if invocation is not None:
            invocation.turns.add(turn_id)
            invocation.quiet = not approved
        vote = ConfirmationVote(id=question.id, digest=question.digest, approved=approved)
        self.questions.vote(vote, by, self.caller.identity)
        return Heard(self.phrases.approved if approved else self.phrases.declined, invocation)

    def said(self, text: str) -> None:
        """The caller heard *text* from the agent."""
        heard = " ".join(text.split())
        for question in self.questions.open:
            words = question.title if self.guards.has_cards else question.full
            question.heard = question.heard or " ".join(words.split()) in heard

    # -- the end

    @property
    def is_busy(self) -> bool:
        """Whether something is being done; a question that waits for its answer is not."""
        asking = [invocation for invocation in self.invocations.open() if _is_asking(invocation)]
        return len(self._tasks) > len(asking)

    def close(self) -> None:
        """The call is over: nothing new starts, what is open is declined."""
        self.closing.set()
        self.questions.end()

    def leave(self) -> None:
        """The call goes on with another agent: nothing new starts, what is open stays open."""
        self.closing.set()
        self.questions.leave()
        for invocation in self.invocations.open():
            if _is_asking(invocation) and invocation.task is not None:
                invocation.task.cancel()

    async def aclose(self) -> None:
        """Wait for writes that are on their way, for 10 s at most."""
        if not self.closing.is_set():
            self.close()
        await self._tasks.wait(CLOSE_S)

    # -- a invocation's life

    async def _live(self, invocation: Invocation, unsettled: Callable[[], bool]) -> Outcome:
        started_s = time.monotonic()
        try:
            outcome = await self.guards.run(invocation, unsettled)
        except Refused as refused:
            outcome = Outcome(refused.kind, refused.say)
            self._write_refused(invocation.id, refused)
        except Exception as error:
            log.error("gate.failed", tool=invocation.tool.name, error=type(error).__name__)
            outcome = Outcome("failed", self.phrases.failed)
            self._write_refused(invocation.id, Refused("gate", outcome.say))
        invocation.outcome = outcome
        invocation.turns.add(self._turn)
        self._count(invocation.tool, outcome.kind, time.monotonic() - started_s)
        self.settled(invocation)
        return outcome

    def _settle_late(self, invocation: Invocation, outcome: Outcome) -> None:
        invocation.outcome, invocation.late = outcome, True
        self._count(invocation.tool, f"late-{outcome.kind}", 0)
        if self.invocations.find(invocation.digest) is invocation:
            self.settled(invocation)

    # -- small parts

    def _bound(self, proposal: Proposal) -> None:
        proposals = self.budget.propose(proposal.turn_id)
        if proposals == TURN_MAX + 1:
            self.journal.write(BudgetEvent(budget="turn", used=proposals, limit=TURN_MAX))
        if proposals > TURN_MAX:
            raise ToolError(self.phrases.too_often)

    def _admit(self, proposal: Proposal) -> tuple[Tool, Values]:
        if self.closing.is_set():
            raise Refused("closing", self.phrases.not_now)
        tool = self.tools.get(proposal.name)
        if tool is None:
            raise Refused("allow-list", self.phrases.not_offered)
        if not proposal.strict:
            raise Refused("json", self.phrases.malformed)
        if not proposal.current:
            raise Refused("transcript", self.phrases.corrected)
        try:
            return tool, tool.arguments.canonical(proposal.raw)
        except WrongArguments as wrong:
            raise Refused("arguments", str(wrong)) from None

    def _inject(self, kind: type) -> object:
        return next(item for item in self._resources if isinstance(item, kind))

    def _write_proposed(
        self, invocation_id: str, proposal: Proposal, values: Values, *, duplicate_of: str = ""
    ) -> None:
        self.journal.write(
            ToolProposed(
                invocation_id=invocation_id,
                tool=proposal.name[:200],
                arguments=values,
                turn_id=proposal.turn_id[:200],
                duplicate_of=duplicate_of,
            )
        )

    def _write_refused(self, invocation_id: str, refused: Refused) -> None:
        self.journal.write(
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


def _is_asking(invocation: Invocation) -> bool:
    return invocation.question is not None and not invocation.question.decided.done()
