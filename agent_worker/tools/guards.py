"""
The guards, in the order in which an invocation passes them.

1. `limit`: no more than 16 proposals in one turn of the caller.
2. `admit`: the call goes on; the allow-list; the arguments are well-formed, answer what the caller
   really said, and are validated.
3. `run`: an earlier doubt about the same effect is settled; what the tool acts on is looked up; the
   same effect, if it is under way, has ended; the backend's circuit breaker is not open; policy;
   budget; confirmation and policy once more, or for an unconfirmed write a moment in which the
   caller may go on speaking.
4. `Executor.run`: idempotency key and injected parameters; `tool.started` in the journal; then,
   within the tool's timeout, `Retry.run`: circuit breaker, concurrency limit, lease and call still
   ours, retries; the result in the journal.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from textwrap import shorten

from livekit.agents.llm import ToolError

from agent_worker.metrics import Metrics
from agent_worker.tools.arguments import Values, WrongArguments
from agent_worker.tools.backends import Backends
from agent_worker.tools.budget import TURN_MAX, Budget
from agent_worker.tools.confirmations import Question, Questions, TooLongToAsk
from agent_worker.tools.doubts import Doubts
from agent_worker.tools.executor import Executor
from agent_worker.tools.invocations import Invocation, Invocations, Outcome, Proposal, Refused
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.policy import PolicyFailed, check, find_target
from agent_worker.tools.tool import BackendUnavailable, Tool, ToolRefused
from voice_contract.journal import BudgetEvent

SETTLE_S = 0.3
"""How long an unconfirmed write waits in case the caller goes on speaking."""
SETTLE_STEP_S = 0.03
EARLIER_MAX_CHARS = 200
"""How much of an earlier result is said before the question whether to do it once more."""


class GuardPipeline:
    """The guards of one call."""

    def __init__(
        self,
        *,
        tools: Iterable[Tool],
        journal: Journal,
        phrases: GatePhrases,
        budget: Budget,
        invocations: Invocations,
        questions: Questions,
        doubts: Doubts,
        backends: Backends,
        executor: Executor,
        closing: asyncio.Event,
        metrics: Metrics,
        inject: Callable[[type], object],
        now: Callable[[], datetime],
        settle_s: float,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._journal = journal
        self._phrases = phrases
        self._budget = budget
        self._invocations = invocations
        self._questions = questions
        self._doubts = doubts
        self._backends = backends
        self._executor = executor
        self._closing = closing
        self._metrics = metrics
        self._inject = inject
        self._now = now
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
            return tool, tool.arguments.canonical(proposal.raw, now=self._now())
        except WrongArguments as wrong:
            raise Refused("arguments", str(wrong)) from None

    async def run(self, invocation: Invocation, unsettled: Callable[[], bool]) -> Outcome:
        """
        Take *invocation* to its outcome, from wherever the agent before this one left it.

        Raises: Refused: a guard does not let it through.
        """
        if invocation.question is not None:
            # Asked by the agent before this one, who knew of what was settled by then.
            already = self._doubts.unheard(invocation)
            invocation.goes_first = True
        else:
            already = await self._settle_doubt(invocation)
            if invocation.tool.guards.resolve is not None:
                await self._find_target(invocation)
                already = already or await self._settle_doubt(invocation)
            await self._join_twin(invocation)
            await self._check_policy(invocation)
            self._take_budget(invocation)
        asks = invocation.tool.guards.confirm is not None or invocation.offer
        if invocation.question or asks or already:
            invocation.question = invocation.question or self._ask(invocation, already)
            invocation.asked.set()
            await self._wait_for_yes(invocation, invocation.question)
            if already is not None:
                already.told = True
            # Meanwhile another wish may have had the same effect.
            if now := await self._settle_doubt(invocation):
                raise Refused("doubt", self._went_through(now))
            await self._check_policy(invocation)
        elif invocation.writes:
            await self.let_settle(unsettled)
        self._check_open()
        return await self._executor.run(invocation)

    async def take_over(self, invocation: Invocation) -> Outcome:
        """Find out what became of *invocation*, which the agent before this one had started."""
        invocation.goes_first = True
        doubt = self._doubts.open(invocation, pause_s=0)
        settled = await self._doubts.wait(doubt, invocation.tool.guards.timeout_s)
        return settled or self._executor.give_up(invocation)

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

    async def _settle_doubt(self, invocation: Invocation) -> Invocation | None:
        """
        Let no effect begin while the same one may have happened.

        Returns: the one that did, if the caller does not know yet.
        Raises: Refused: it is still not known.
        """
        if self._doubts.bars(invocation.tool.name):
            raise Refused("doubt", self._phrases.not_again)
        doubt = self._doubts.find(invocation) if invocation.writes else None
        if doubt is None:
            return None
        if await self._doubts.wait(doubt, invocation.tool.guards.timeout_s) is None:
            raise Refused(
                "doubt",
                self._phrases.still_in_doubt
                if doubt.invocation.can_be_sent_again
                else self._phrases.not_again,
            )
        return self._doubts.unheard(invocation)

    async def _join_twin(self, invocation: Invocation) -> None:
        """
        Let one effect happen once in a turn, also where a model proposes it in two ways.

        Raises: Refused: another invocation has, or had, that effect; with the words of its outcome.
        """
        while invocation.writes and (twin := self._invocations.twin(invocation)) is not None:
            if twin.is_asking:
                assert twin.question is not None
                raise Refused("duplicate", self._busy(twin.question))
            assert twin.task is not None
            await asyncio.wait({twin.task})
            if twin.outcome is None:
                raise Refused("duplicate", self._phrases.not_now)
            if invocation.turn_id in twin.turns and twin.covers(invocation.turn_id):
                raise Refused("duplicate", twin.outcome.say)
            if twin.outcome.kind == "done" or await self._settle_doubt(invocation):
                raise Refused("duplicate", self._went_through(twin))
        invocation.goes_first = True

    def _went_through(self, earlier: Invocation) -> str:
        words = shorten(earlier.outcome.say if earlier.outcome else "", EARLIER_MAX_CHARS)
        return self._phrases.went_through.format(words=words)

    def _title(self, invocation: Invocation, already: Invocation | None) -> str | None:
        """How to ask for it; None: as the tool's author says."""
        if already is None:
            return invocation.offer or None
        if invocation.tool.guards.confirm and already.effect_digest != invocation.effect_digest:
            # The same words mean something else by now: another thing is the next one.
            asked = invocation.tool.question(invocation.shown, self._now())
            return f"{self._went_through(already)} {asked}"
        return f"{self._went_through(already)} {self._phrases.once_more}"

    async def _find_target(self, invocation: Invocation) -> None:
        with self._refusing("resolve"):
            target = await find_target(invocation.tool, invocation.values, self._inject)
        self._invocations.aim(invocation, target)

    async def _check_policy(self, invocation: Invocation) -> None:
        self._check_open()
        if not self._backends.of(invocation.tool.backend).breaker.lets_through:
            raise Refused("breaker", self._phrases.away)
        with self._refusing("policy"):
            await check(invocation.tool, invocation.values, self._inject)

    @contextmanager
    def _refusing(self, guard: str) -> Iterator[None]:
        """
        Around an author's function, which may refuse or fail.

        Raises: Refused: it did, by that *guard*.
        """
        try:
            yield
        except ToolRefused as refusal:
            raise Refused(guard, str(refusal)) from None
        except BackendUnavailable:
            raise Refused(guard, self._phrases.away) from None
        except PolicyFailed:
            raise Refused(guard, self._phrases.failed) from None

    def _take_budget(self, invocation: Invocation) -> None:
        name, most = invocation.tool.name, invocation.tool.guards.most
        if not self._budget.left(invocation.tool):
            used = self._budget.used(name)
            self._journal.write(BudgetEvent(budget=f"tool:{name}"[:200], used=used, limit=most))
            raise Refused("budget", self._phrases.too_often)
        self._budget.take(name)

    def _ask(self, invocation: Invocation, already: Invocation | None) -> Question:
        by_screen = invocation.tool.guards.confirm_by == "screen"
        if by_screen and not self._questions.has_cards:
            raise Refused("confirmation", self._phrases.screen_only)
        replaced = [one.question for one in self._corrected(invocation) if one.question]
        if self._questions.full and not replaced:
            raise Refused("confirmation", self._phrases.too_many_questions)
        others = [one for one in self._questions.open if one not in replaced]
        # Without cards, a yes could be for any of several.
        if others and not self._questions.has_cards:
            raise Refused("confirmation", self._busy(others[-1]))
        try:
            question = self._questions.compose(
                invocation.id,
                invocation.tool,
                invocation.values,
                invocation.full_digest,
                now=self._now(),
                target=invocation.target,
                title=self._title(invocation, already),
            )
            question.tells = already
            self._questions.ask(question, instead_of=replaced)
        except TooLongToAsk:
            raise Refused("confirmation", self._phrases.too_long) from None
        except ToolRefused as refusal:  # raised by the author's `in_words`
            raise Refused("arguments", str(refusal)) from None
        return question

    def _corrected(self, invocation: Invocation) -> list[Invocation]:
        """Those that wait for an answer, and that *invocation* says in another way."""
        return [
            one
            for one in self._invocations
            # Two in one turn are two wishes.
            if one.is_asking and one.tool is invocation.tool and one.turn_id != invocation.turn_id
        ]

    def _busy(self, question: Question) -> str:
        return self._phrases.busy_asking.format(question=question.wording)

    async def _wait_for_yes(self, invocation: Invocation, question: Question) -> None:
        decision = await question.decided
        self._metrics.confirmation(decision)
        if decision == "replaced":
            # The question that took its place is said already.
            invocation.quiet = True
        if decision != "approved":
            raise Refused("confirmation", getattr(self._phrases, decision), decision)
        invocation.cause = f"yes:{question.id}"
