"""
The questions that the caller is asked before a tool runs, and the answers.

The first answer counts, and the agent's own clock decides whether it came in time. What runs is
exactly what was asked: the digest identifies it. A spoken or typed answer belongs to what was asked
last.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import ValidationError

from agent_worker.tools.arguments import Values
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Target, Tool
from call_record.clock import Clock
from voice_contract.confirmations import (
    PENDING_MAX,
    ArgumentInWords,
    ConfirmationResult,
    Confirmations,
    ConfirmationState,
    ConfirmationVote,
    DecidedConfirmation,
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
Decision = Literal["approved", "declined", "expired", "replaced", "ended"]
DECIDED_MAX = 100
REFUSED_MAX = 20
"""How many answers that do not count are journalled: a stranger must not fill the journal."""


class TooLongToAsk(ValueError):
    """The question or an argument is too long for a card. Nothing is cut, so it is not asked."""


@dataclass
class CallersPage:
    """What the agent knows about the caller's page."""

    has_cards: bool = False
    """Whether it shows each open question as a card with all arguments."""


def _future() -> "asyncio.Future[Decision]":
    return asyncio.get_running_loop().create_future()


class Told(Protocol):
    """Something that the caller does or does not know of."""

    told: bool


@dataclass(eq=False)
class Question:
    """A question, open or decided."""

    invocation_id: str
    tool: str
    title: str
    words: Mapping[str, str]
    """All arguments, as a person reads them."""
    arguments: Arguments
    digest: str
    expires_s: float
    """How long it stays open."""
    full: str
    """The question with every argument, for a caller who sees no card."""
    page: CallersPage
    target: Target | None = None
    """What it acts on, where the tool looked that up."""
    tells: Told | None = None
    """What the caller learns with the question: that this was done already."""
    by_screen: bool = False
    """Whether only the card can approve it."""
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    closes_at_s: float = 0.0
    asked_at_s: float = 0.0
    turn_id: str = ""
    """The caller's turn in which it was asked last."""
    heard_at_s: dict[str, float] = field(default_factory=dict)
    """By wording: when the caller had heard all of it."""
    acknowledged_at_s: float | None = None
    """When the page first said that it shows the card; None: not yet."""
    decided: "asyncio.Future[Decision]" = field(default_factory=_future)

    @property
    def wording(self) -> str:
        """What the agent says to ask it: the title beside a card, every argument without one."""
        return self.title if self.page.has_cards else self.full

    @property
    def about(self) -> str:
        """
        The words that a yes may repeat: all, but of what is to be changed only what it shall be.
        "Yes, at nine" is none to "Move your visit at nine to ten?".
        """
        shown = self.target.shown if self.target else {}
        was = shown.keys() - {name for name, value in self.arguments.items() if value is not None}
        changes = any(
            value is not None and name not in shown for name, value in self.arguments.items()
        )
        title, words = self.title, dict(self.words)
        for name in was if changes else ():
            title = title.replace(words.pop(name), " ")
        return " ".join((title, *(f"{name} {value}" for name, value in words.items())))

    @property
    def heard(self) -> bool:
        """Whether the caller has heard all of `wording`."""
        return bool(self._heard_at_s)

    @property
    def _heard_at_s(self) -> list[float]:
        """The title alone, heard beside a card, is not all once the card is gone."""
        enough = (self.full, self.wording)
        return [at_s for wording, at_s in self.heard_at_s.items() if wording in enough]

    @property
    def is_known(self) -> bool:
        """Whether the caller has seen or heard it all, so that a yes means all of it."""
        return self.was_known_at(float("inf"))

    def was_known_at(self, time_s: float) -> bool:
        """The same, for an answer that began at that time of the gate's clock."""
        shown_at_s = [] if self.acknowledged_at_s is None else [self.acknowledged_at_s]
        return any(one <= time_s for one in (*self._heard_at_s, *shown_at_s))

    def is_cut_off_in(self, said: str) -> bool:
        """Whether *said*, in single spaces, ends with a part of the question and nothing else."""
        wording = plain(self.wording)
        begins = [0, *(at + 1 for at, character in enumerate(said) if character == " ")]
        # Another question before it counts: its answer may be what comes.
        return any(
            wording.startswith(said[at:]) and "?" not in said[:at]
            for at in begins
            if at < len(said)
        )


def plain(text: str) -> str:
    """*text* with single spaces, as far as it is compared with what was said."""
    return " ".join(text.split())


class Questions:
    """
    The open questions of a call.

    Args: changed: Called with all open questions whenever one is opened or decided.
    """

    def __init__(
        self,
        clock: Clock,
        journal: Journal,
        phrases: GatePhrases,
        page: CallersPage,
        changed: Callable[[Confirmations], None],
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._phrases = phrases
        self._page = page
        self._changed = changed
        self._open: dict[str, Question] = {}
        self._last: Question | None = None
        self._turn = ""
        self._decided: dict[str, ConfirmationState] = {}
        self._endings: deque[DecidedConfirmation] = deque(maxlen=PENDING_MAX)
        self._refused = 0
        self._timer: asyncio.TimerHandle | None = None

    def compose(
        self,
        invocation_id: str,
        tool: Tool,
        values: Values,
        digest: str,
        *,
        now: datetime,
        target: Target | None = None,
        title: str | None = None,
    ) -> Question:
        """
        The question whether *tool* may run with *values*, on *target* where it has one.

        Args:
            now: When, in the caller's time zone: "tomorrow" depends on it.
            title: How it is asked; None: as the tool's author says.
        """
        shown = {**values, **(target.shown if target else {})}
        words = tool.in_words(shown, now)
        usual = "" if tool.guards.confirm is None else tool.question(shown, now)
        mentioned = tool.guards.confirm or "" if title in (None, usual) else ""
        title = title or usual
        rest = [
            f"{name.replace('_', ' ')}: {value}"
            for name, value in words.items()
            if f"{{{name}}}" not in mentioned
        ]
        full = self._phrases.all_arguments.format(title=title, arguments="; ".join(rest))
        return Question(
            invocation_id=invocation_id,
            tool=tool.name,
            title=title,
            words=words,
            arguments=values,
            digest=digest,
            expires_s=tool.guards.expires_s,
            full=full if rest else title,
            page=self._page,
            target=target,
            by_screen=tool.guards.confirm_by == "screen",
        )

    def ask(self, question: Question, instead_of: Iterable[Question] = ()) -> None:
        """
        Open *question*, which replaces those of *instead_of*.

        Raises: TooLongToAsk: nothing was changed.
        """
        question.closes_at_s = self._clock.boot_s() + question.expires_s
        self._card(question)
        for old in instead_of:
            if old.id in self._open:
                self._journal.write(ConfirmationExpired(confirmation_id=old.id, reason="replaced"))
                self._decide(old, "replaced")
        self._journal.write(
            ConfirmationAsked(
                confirmation_id=question.id,
                invocation_id=question.invocation_id,
                tool=question.tool,
                title=question.title,
                arguments=question.arguments,
                digest=question.digest,
                expires_in_ms=round(question.expires_s * 1000),
                target=question.target.id if question.target else None,
                shown=dict(question.target.shown) if question.target else {},
            )
        )
        self._add(question)

    def reopen(self, question: Question, asked_at_ms: int, expires_in_ms: int) -> None:
        """
        Open *question* for the rest of its time; the agent before this one asked it.

        The time of asking comes from another machine's clock, so it can only shorten the rest.
        """
        passed_ms = self._clock.now_ms() - asked_at_ms
        remaining_ms = max(0, min(expires_in_ms, expires_in_ms - passed_ms))
        question.closes_at_s = self._clock.boot_s() + remaining_ms / 1000
        self._add(question)

    def turn_began(self, turn_id: str) -> None:
        """Note that the caller's turn of that id is now the last one."""
        self._turn = turn_id

    def said(self, text: str, *, interrupted: bool = False) -> bool:
        """
        Note that the caller has just heard *text* from the agent, perhaps as its beginning.

        Returns: whether an open question was heard to its end.
        """
        asked = False
        said = plain(text)
        asks_at = said.rfind("?")
        is_ours = False
        for question in self.open:
            wording = plain(question.wording)
            at = said.rfind(wording)
            if at >= 0:
                self._heard(question)
                asked = True
                asked_at = at + len(wording) - 1
            elif interrupted and question.is_cut_off_in(said):
                asked_at = len(said)
            else:
                continue
            if asked_at >= asks_at:
                asks_at, self._last = asked_at, question
                is_ours = True
        if asks_at >= 0 and not is_ours:
            self._last = None
        return asked

    def _heard(self, question: Question) -> None:
        question.turn_id = self._turn
        question.heard_at_s.setdefault(question.wording, self._clock.boot_s())
        if question.tells is not None:
            question.tells.told = True

    def acknowledge(self, confirmation_ids: Iterable[str]) -> None:
        """Note that the caller's page shows the cards of those ids."""
        for confirmation_id in confirmation_ids:
            question = self._open.get(confirmation_id)
            if question is not None and question.acknowledged_at_s is None:
                question.acknowledged_at_s = self._clock.boot_s()

    def forget_page(self) -> None:
        """The caller's page is gone; another one has shown nothing yet, and may have no cards."""
        self._page.has_cards = False
        for question in self._open.values():
            question.acknowledged_at_s = None

    @property
    def asked_last(self) -> Question | None:
        """What the agent asked last; None: something else than a question of the gate."""
        return self._last

    @property
    def is_ambiguous(self) -> bool:
        """Whether several open questions were asked in the same breath."""
        last = self._last
        return last is not None and any(
            one is not last and one.turn_id == last.turn_id for one in self.open
        )

    @property
    def open(self) -> list[Question]:
        """The questions that can be answered now, the oldest first."""
        self.expire()
        return list(self._open.values())

    @property
    def full(self) -> bool:
        """Whether as many questions are open as the page can show."""
        return len(self.open) >= PENDING_MAX

    @property
    def has_cards(self) -> bool:
        """Whether the caller's page shows each open question as a card."""
        return self._page.has_cards

    def listing(self) -> Confirmations:
        """What the caller's page shows."""
        self.expire()
        return self._cards()

    def vote(self, vote: ConfirmationVote, by: Way, sender: str) -> ConfirmationResult:
        """Decide a question by the caller's answer. Returns: the decision that counts."""
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
            state=self._decide(question, "approved" if vote.approved else "declined", by)
        )

    def refuse(
        self,
        confirmation_id: str,
        sender: str,
        reason: Literal["stranger", "changed", "unknown", "malformed"],
    ) -> None:
        """Record an answer that does not count."""
        self._refused += 1
        if self._refused <= REFUSED_MAX:
            self._journal.write(
                ConfirmationRefused(
                    confirmation_id=confirmation_id[:64], sender=sender[:200], reason=reason
                )
            )

    def expire(self) -> None:
        """Close the questions that were not answered in time."""
        now_s = self._clock.boot_s()
        for question in [one for one in self._open.values() if one.closes_at_s <= now_s]:
            self._journal.write(ConfirmationExpired(confirmation_id=question.id))
            self._decide(question, "expired")

    def end(self) -> None:
        """The call is over: close the open questions, none of which was approved."""
        for question in list(self._open.values()):
            self._journal.write(
                ConfirmationExpired(confirmation_id=question.id, reason="call-ended")
            )
            self._decide(question, "ended")

    def leave(self) -> None:
        """Stop the timer; another agent takes over the open questions."""
        if self._timer is not None:
            self._timer.cancel()

    def know(self, confirmation_id: str, decision: Decision) -> ConfirmationState:
        """
        Remember how the question of that id was decided, for answers that come again.

        Returns: the state that such an answer gets.
        """
        state: ConfirmationState = "declined" if decision == "ended" else decision
        self._decided[confirmation_id] = state
        if len(self._decided) > DECIDED_MAX:
            del self._decided[next(iter(self._decided))]
        return state

    def _decide(
        self, question: Question, decision: Decision, by: Way | None = None
    ) -> ConfirmationState:
        del self._open[question.id]
        self._endings.append(DecidedConfirmation(id=question.id, state=decision, by=by))
        state = self.know(question.id, decision)
        if not question.decided.done():
            question.decided.set_result(decision)
        self._set_timer()
        self._changed(self._cards())
        return state

    def _add(self, question: Question) -> None:
        question.asked_at_s = self._clock.boot_s()
        question.turn_id = self._turn
        self._open[question.id] = question
        self._last = question
        self._set_timer()
        self._changed(self._cards())

    def _cards(self) -> Confirmations:
        return Confirmations(
            pending=[self._card(question) for question in self._open.values()],
            decided=list(self._endings),
        )

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._open:
            next_s = min(one.closes_at_s for one in self._open.values()) - self._clock.boot_s()
            # The loop's clock may stand still while the machine sleeps; look at least every minute.
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
