"""The course of an invocation: past every guard that takes time, to its run and its outcome."""

import asyncio
import time
from collections.abc import Callable

from agent_worker.metrics import Metrics
from agent_worker.tools.backends import Backends
from agent_worker.tools.budget import Budget
from agent_worker.tools.confirmations import Question, Questions, TooLongToAsk
from agent_worker.tools.executor import Executor
from agent_worker.tools.invocations import Invocation, Outcome, Refused
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.policy import PolicyFailed, check
from agent_worker.tools.tool import BackendUnavailable, ToolRefused
from voice_contract.journal import BudgetEvent

SETTLE_S = 0.3
"""An unconfirmed write waits so long for the caller to go on speaking."""
SETTLE_STEP_S = 0.03


class GuardPipeline:
    """
    The guards of an invocation: policy, budget, confirmation (and policy once more), and
    a moment in which the caller may go on speaking.
    """

    def __init__(
        self,
        *,
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
        self.has_cards = False
        """Whether the caller's page shows cards."""
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

    async def run(self, invocation: Invocation, unsettled: Callable[[], bool]) -> Outcome:
        """
        Take *invocation* to its outcome. If its question is open or approved, continue from there.

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
        if self._closing.is_set():
            raise Refused("closing", self._phrases.not_now)
        return await self._executor.run(invocation)

    def question(self, invocation: Invocation) -> Question:
        """What is asked before *invocation* runs."""
        guards = invocation.tool.guards
        title = invocation.tool.question(invocation.values)
        words = invocation.tool.in_words(invocation.values)
        rest = [
            f"{name.replace('_', ' ')}: {value}"
            for name, value in words.items()
            if f"{{{name}}}" not in (guards.confirm or "")
        ]
        full = self._phrases.all_arguments.format(title=title, arguments="; ".join(rest))
        return Question(
            invocation_id=invocation.id,
            tool=invocation.tool.name,
            title=title,
            words=words,
            arguments=invocation.values,
            digest=invocation.digest,
            expires_s=guards.expires_s,
            full=full if rest else title,
        )

    async def let_settle(self, unsettled: Callable[[], bool]) -> None:
        """
        Wait whether the caller goes on speaking: then the turn was not over.

        Raises: Refused: it was not.
        """
        ends_s = time.monotonic() + self._settle_s
        while not unsettled():
            left_s = ends_s - time.monotonic()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, SETTLE_STEP_S))
        raise Refused("settle", self._phrases.went_on)

    async def _check_policy(self, invocation: Invocation) -> None:
        if self._closing.is_set():
            raise Refused("closing", self._phrases.not_now)
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
        if self._questions.open and not self.has_cards:
            # Without cards nobody could tell which one a yes is for.
            raise Refused("confirmation", self._phrases.busy_asking)
        try:
            question = self.question(invocation)
            self._questions.ask(question)
        except TooLongToAsk:
            raise Refused("confirmation", self._phrases.too_long) from None
        except ToolRefused as refusal:  # an argument that has no words
            raise Refused("arguments", str(refusal)) from None
        return question

    async def _wait_for_yes(self, invocation: Invocation, question: Question) -> None:
        decision = await question.decided
        self._metrics.confirmation(decision)
        if decision != "approved":
            raise Refused("confirmation", getattr(self._phrases, decision), decision)
        invocation.cause = f"yes:{question.id}"
