"""
What the caller is asked before a tool runs, and the answers.

The first answer counts. Our own clock decides what came in time. What runs is what was asked: the
digest stands for it.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ValidationError

from agent_worker.tools.journal import Journal
from call_record.clock import Clock
from voice_contract.confirmations import (
    PENDING_MAX,
    ArgumentInWords,
    ConfirmationResult,
    Confirmations,
    ConfirmationState,
    ConfirmationVote,
    PendingConfirmation,
)
from voice_contract.journal import (
    Arguments,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ConfirmationRefused,
)

Way = Literal["voice", "text", "screen"]
Decision = Literal["approved", "declined", "expired", "ended"]
DECIDED_MAX = 100
REFUSED_MAX = 20
"""So many answers that do not count are journalled: a stranger must not fill the journal."""


class TooLongToAsk(ValueError):
    """The question and its arguments are never cut, so what is too long is not asked."""


def _future() -> "asyncio.Future[Decision]":
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False)
class Question:
    """One question that is open or was."""

    invocation_id: str
    tool: str
    title: str
    words: Mapping[str, str]
    """All arguments, as a person reads them."""
    arguments: Arguments
    digest: str
    expires_s: float
    """How long it stays open."""
    full: str = ""
    """The question with every argument, for who sees no card."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    closes_at_s: float = 0.0
    heard: bool = False
    """Whether the caller has heard it in full."""
    decided: "asyncio.Future[Decision]" = field(default_factory=_future)


class Questions:
    """
    The open questions of a call.

    Args: changed: called whenever another set of questions is open.
    """

    def __init__(self, clock: Clock, journal: Journal, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._journal = journal
        self._changed = changed
        self._open: dict[str, Question] = {}
        self._decided: dict[str, ConfirmationState] = {}
        self._refused = 0
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, question: Question) -> None:
        """
        Open *question*.

        Raises: TooLongToAsk.
        """
        question.closes_at_s = self._clock.boot_s() + question.expires_s
        self._card(question)
        self._journal.write(
            ConfirmationAsked(
                confirmation_id=question.id,
                invocation_id=question.invocation_id,
                tool=question.tool,
                title=question.title,
                arguments=question.arguments,
                digest=question.digest,
                expires_in_ms=round(question.expires_s * 1000),
            )
        )
        self.reopen(question, question.expires_s)

    def reopen(self, question: Question, remaining_s: float) -> None:
        """Open a question that the journal already has."""
        question.closes_at_s = self._clock.boot_s() + remaining_s
        self._open[question.id] = question
        self._set_timer()
        self._changed()

    @property
    def open(self) -> list[Question]:
        """Those that can be answered now, the oldest first."""
        self.expire()
        return list(self._open.values())

    @property
    def full(self) -> bool:
        """Whether no more can be asked."""
        return len(self.open) >= PENDING_MAX

    def listing(self) -> Confirmations:
        """What the caller's page shows."""
        return Confirmations(pending=[self._card(question) for question in self.open])

    def vote(self, vote: ConfirmationVote, by: Way, sender: str) -> ConfirmationResult:
        """The caller's answer. Returns: what counts."""
        self.expire()
        question = self._open.get(vote.id)
        if question is None:
            state = self._decided.get(vote.id, "unknown")
            if state == "unknown":
                self.refuse(vote.id, sender, "unknown")
            return ConfirmationResult(state=state)
        if vote.digest != question.digest:
            self.refuse(vote.id, sender, "changed")
            return ConfirmationResult(state="changed")
        self._journal.write(
            ConfirmationAnswered(confirmation_id=vote.id, approved=vote.approved, by=by)
        )
        return ConfirmationResult(
            state=self._decide(question, "approved" if vote.approved else "declined")
        )

    def refuse(
        self,
        confirmation_id: str,
        sender: str,
        reason: Literal["stranger", "changed", "unknown", "malformed"],
    ) -> None:
        """Put an answer that does not count on record."""
        self._refused += 1
        if self._refused <= REFUSED_MAX:
            self._journal.write(
                ConfirmationRefused(
                    confirmation_id=confirmation_id[:64], sender=sender[:200], reason=reason
                )
            )

    def expire(self) -> None:
        """Close what nobody answered in time."""
        now_s = self._clock.boot_s()
        for question in [one for one in self._open.values() if one.closes_at_s <= now_s]:
            self._journal.write(ConfirmationExpired(confirmation_id=question.id))
            self._decide(question, "expired")

    def end(self) -> None:
        """The call is over: nothing that is open was approved."""
        for question in list(self._open.values()):
            self._journal.write(
                ConfirmationExpired(confirmation_id=question.id, reason="call-ended")
            )
            self._decide(question, "ended")

    def leave(self) -> None:
        """Another agent takes the open questions over."""
        if self._timer is not None:
            self._timer.cancel()

    def know(self, confirmation_id: str, decision: Decision) -> ConfirmationState:
        """
        A question of that id is decided: who answers it once more is told so.

        Returns: what it is told.
        """
        state: ConfirmationState = "declined" if decision == "ended" else decision
        self._decided[confirmation_id] = state
        if len(self._decided) > DECIDED_MAX:
            del self._decided[next(iter(self._decided))]
        return state

    def _decide(self, question: Question, decision: Decision) -> ConfirmationState:
        del self._open[question.id]
        state = self.know(question.id, decision)
        if not question.decided.done():
            question.decided.set_result(decision)
        self._set_timer()
        self._changed()
        return state

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._open:
            next_s = min(one.closes_at_s for one in self._open.values()) - self._clock.boot_s()
            # A clock that sleeps does not count what this loop's timer counts: look again.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.01, min(next_s, 60)), self._tick)

    def _tick(self) -> None:
        self.expire()
        self._set_timer()

    def _card(self, question: Question) -> PendingConfirmation:
        try:
            return PendingConfirmation(
                id=question.id,
                title=question.title,
                tool=question.tool,
                arguments=[
                    ArgumentInWords(name=name.replace("_", " "), value=value)
                    for name, value in question.words.items()
                ],
                digest=question.digest,
                expires_in_ms=max(0, round((question.closes_at_s - self._clock.boot_s()) * 1000)),
            )
        except ValidationError:
            raise TooLongToAsk from None
