"""
The guards, in the order in which an invocation passes them.

1. `limit`: no more than 16 proposals in one turn of the caller.
2. `admit`: the call goes on; the allow-list; the arguments are well-formed, answer what the caller
   really said, and are validated.
3. `run`: the backend's circuit breaker is not open; policy; budget; confirmation and policy once
   more, or for an unconfirmed write a moment in which the caller may go on speaking.
4. `Executor.run`: idempotency key and injected parameters; `tool.started` in the journal; then,
   within the tool's timeout, `Retry.run`: circuit breaker, concurrency limit, retries; the result
   in the journal.
"""

import asyncio
import time
from collections.abc import Callable, Iterable

from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools.arguments import Values, WrongArguments
from agent_worker.tools.backends import Backends
from agent_worker.tools.budget import TURN_MAX, Budget
from agent_worker.tools.confirmations import Question, Questions, TooLongToAsk
from agent_worker.tools.executor import Executor
from agent_worker.tools.invocations import Invocation, Outcome, Proposal, Refused
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.policy import PolicyFailed, check
from agent_worker.tools.tool import BackendUnavailable, Tool, ToolRefused
from voice_contract.journal import BudgetEvent

SETTLE_S = 0.3
"""How long an unconfirmed write waits in case the caller goes on speaking."""
SETTLE_STEP_S = 0.03


class GuardPipeline:
    """The guards of one call."""

    def __init__(
        self,
        *,
        tools: Iterable[Tool],
        journal: Journal,
        phrases: GatePhrases,
        budget: Budget,
        questions: Questions,
        backends: Backends,
        executor: Executor,
        closing: asyncio.Event,
        metrics: Metrics,
        inject: Callable[[type], object],
        settle_s: float,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._journal = journal
        self._phrases = phrases
        self._budget = budget
        self._questions = questions
        self._backends = backends
        self._executor = executor
        self._closing = closing
        self._metrics = metrics
        self._inject = inject
        self._settle_s = settle_s

    def limit(self, proposal: Proposal) -> None:
        """
        Count *proposal* in its turn.

        Raises: ToolError: there are too many; it is not even journalled.
        """
        proposals = self._budget.propose(proposal.turn_id)
        if proposals == TURN_MAX + 1:
            self._journal.write(BudgetEvent(budget="turn", used=proposals, limit=TURN_MAX))
        if proposals > TURN_MAX:
            raise ToolError(self._phrases.too_often)

    def admit(self, proposal: Proposal) -> tuple[Tool, Values]:
        """
        The tool and the validated arguments of *proposal*.

        Raises: Refused: it cannot become an invocation.
        """
        self._check_open()
        tool = self._tools.get(proposal.name)
        if tool is None:
            raise Refused("allow-list", self._phrases.not_offered)
        if not proposal.strict:
            raise Refused("json", self._phrases.malformed)
        if not proposal.current:
            raise Refused("transcript", self._phrases.corrected)
        try:
            return tool, tool.arguments.canonical(proposal.raw)
        except WrongArguments as wrong:
            raise Refused("arguments", str(wrong)) from None

    async def run(self, invocation: Invocation, unsettled: Callable[[], bool]) -> Outcome:
        """
        Take *invocation* to its outcome, from wherever the agent before this one left it.

        Raises: Refused: a guard does not let it through.
        """
        if invocation.begun:
            return await self._executor.run(invocation)
        if invocation.question is None:
            await self._check_policy(invocation)
            self._take_budget(invocation)
        if invocation.tool.guards.confirm is not None:
            invocation.question = invocation.question or self._ask(invocation)
            invocation.asked.set()
            await self._wait_for_yes(invocation, invocation.question)
            await self._check_policy(invocation)
        elif invocation.writes:
            await self.let_settle(unsettled)
        self._check_open()
        return await self._executor.run(invocation)

    async def let_settle(self, unsettled: Callable[[], bool]) -> None:
        """
        Wait for a moment in which the caller may go on speaking.

        Raises: Refused: the caller does, so the turn was not over.
        """
        ends_s = time.monotonic() + self._settle_s
        while not unsettled():
            left_s = ends_s - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, SETTLE_STEP_S))
        raise Refused("settle", self._phrases.went_on)

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise Refused("closing", self._phrases.not_now)

    async def _check_policy(self, invocation: Invocation) -> None:
        self._check_open()
        if not self._backends.of(invocation.tool.backend).breaker.lets_through:
            raise Refused("breaker", self._phrases.away)
        try:
            await check(invocation.tool, invocation.values, self._inject)
        except ToolRefused as refusal:
            raise Refused("policy", str(refusal)) from None
        except BackendUnavailable:
            raise Refused("policy", self._phrases.away) from None
        except PolicyFailed:
            raise Refused("policy", self._phrases.failed) from None

    def _take_budget(self, invocation: Invocation) -> None:
        name, most = invocation.tool.name, invocation.tool.guards.most
        if not self._budget.left(invocation.tool):
            used = self._budget.used(name)
            self._journal.write(BudgetEvent(budget=f"tool:{name}"[:200], used=used, limit=most))
            raise Refused("budget", self._phrases.too_often)
        self._budget.take(name)

    def _ask(self, invocation: Invocation) -> Question:
        if self._questions.full:
            raise Refused("confirmation", self._phrases.too_many_questions)
        if self._questions.open and self._questions.one_at_a_time:
            raise Refused("confirmation", self._phrases.busy_asking)
        try:
            question = self._questions.compose(
                invocation.id, invocation.tool, invocation.values, invocation.digest
            )
            self._questions.ask(question)
        except TooLongToAsk:
            raise Refused("confirmation", self._phrases.too_long) from None
        except ToolRefused as refusal:  # raised by the author's `in_words`
            raise Refused("arguments", str(refusal)) from None
        return question

    async def _wait_for_yes(self, invocation: Invocation, question: Question) -> None:
        decision = await question.decided
        self._metrics.confirmation(decision)
        if decision != "approved":
            raise Refused("confirmation", getattr(self._phrases, decision), decision)
        invocation.cause = f"yes:{question.id}"
