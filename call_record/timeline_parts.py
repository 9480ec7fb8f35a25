"""What a timeline is made of: turns, invocations, confirmations, client actions."""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    Arguments,
    ClientActionOutcome,
    ClientActionProposed,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    UserTurn,
)

E = TypeVar("E")
InvocationEnd = ToolFinished | ToolFailed | ToolUnknown | ToolRefused
InvocationState = Literal["proposed", "refused", "started", "finished", "failed", "unknown"]


@dataclass(frozen=True)
class Noted(Generic[E]):
    """An entry with its number and its time."""

    seq: int
    at_ms: int
    entry: E


@dataclass
class Confirmation:
    """A question whether a tool may run, and its answer."""

    asked: Noted[ConfirmationAsked] | None = None
    """None: it was lost; what follows it was not."""
    answered: Noted[ConfirmationAnswered] | None = None
    expired: Noted[ConfirmationExpired] | None = None

    @property
    def decision(self) -> Literal["approved", "declined", "expired", "replaced"] | None:
        """
        None: it is open. An answer is on record only if it counted, so it beats an expiry.
        """
        if self.answered is not None:
            return "approved" if self.answered.entry.approved else "declined"
        if self.expired is None:
            return None
        return "replaced" if self.expired.entry.reason == "replaced" else "expired"

    @property
    def seqs(self) -> list[int]:
        """The numbers of its entries."""
        steps = (self.asked, self.answered, self.expired)
        return sorted(one.seq for one in steps if one is not None)


@dataclass
class CallerTurn:
    """What the caller said or typed."""

    noted: Noted[UserTurn]
    decides: Confirmation | None = None
    """The question to which this was the yes or no."""

    @property
    def seq(self) -> int:
        """Its position in the order of what was said."""
        return self.noted.seq

    @property
    def text(self) -> str:
        """Its words as understood; may be empty."""
        return self.noted.entry.text


@dataclass
class AgentTurn:
    """What the agent said; one of the two entries is there."""

    started: Noted[AgentTurnStarted] | None = None
    ended: Noted[AgentTurnEnded] | None = None
    """None: the agent is speaking, or died as it spoke, so nobody knows how much was heard."""

    @property
    def seq(self) -> int:
        """Its position in the order of what was said."""
        noted = self.ended or self.started
        return noted.seq if noted else 0

    @property
    def text(self) -> str:
        """The words that were heard; as far as nobody knows that, those that were planned."""
        if self.ended is not None:
            return self.ended.entry.heard
        return self.started.entry.planned if self.started else ""

    @property
    def was_interrupted(self) -> bool:
        """Whether it may be that the caller did not hear all of it."""
        return self.ended is None or self.ended.entry.interrupted

    @property
    def was_heard(self) -> bool:
        """Whether the caller is known to have heard it to its end."""
        return bool(self.text) and not self.was_interrupted

    @property
    def was_protected(self) -> bool:
        """Whether the caller could not interrupt it."""
        return self.ended is not None and self.ended.entry.protected


@dataclass
class Invocation:
    """One wish for a tool, from its proposal to its end; duplicates belong to the first."""

    invocation_id: str
    proposals: list[Noted[ToolProposed]] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    starts: list[Noted[ToolStarted]] = field(default_factory=list)
    ends: list[Noted[InvocationEnd]] = field(default_factory=list)
    """More than one when what was unknown became known."""
    turn_ids: set[str] = field(default_factory=set)
    """The caller's turns in which it was proposed, or had come to an end."""
    told: bool = False
    """Whether the caller heard of its end."""

    @property
    def proposed(self) -> ToolProposed | None:
        """Its first proposal; None: it was lost."""
        return self.proposals[0].entry if self.proposals else None

    @property
    def started(self) -> ToolStarted | None:
        """Its last start; None: it was not begun."""
        return self.starts[-1].entry if self.starts else None

    @property
    def confirmation(self) -> Confirmation | None:
        """The last question about it; None: there was none."""
        return self.confirmations[-1] if self.confirmations else None

    @property
    def end(self) -> InvocationEnd | None:
        """How it ended; None: it goes on, or it was begun again and nobody knows how that ended."""
        if not self.ends or (self.starts and self.starts[-1].seq > self.ends[-1].seq):
            return None
        return self.ends[-1].entry

    @property
    def is_left(self) -> bool:
        """Whether its agent was gone or the call over before it began; it awaits no answer."""
        closed = isinstance(self.end, ToolRefused) and self.end.guard == "closing"
        asks = self.confirmation is not None and self.confirmation.decision != "approved"
        return not self.starts and not asks and (self.end is None or closed)

    @property
    def tool(self) -> str:
        """The tool's name; empty: the entries that say it were lost."""
        named = self.started or self.proposed
        return named.tool if named else ""

    @property
    def arguments(self) -> Arguments:
        """As it was begun with, or else proposed with."""
        named = self.started or self.proposed
        return named.arguments if named else {}

    @property
    def idempotency_key(self) -> str | None:
        """The key that its effect has."""
        keys = [one.entry.idempotency_key for one in self.starts if one.entry.idempotency_key]
        return keys[-1] if keys else None

    @property
    def state(self) -> InvocationState:
        """How far it came."""
        match self.end:
            case ToolFinished():
                return "finished"
            case ToolFailed():
                return "failed"
            case ToolUnknown():
                return "unknown"
            case ToolRefused():
                return "refused"
            case None:
                return "started" if self.starts else "proposed"

    @property
    def words(self) -> str:
        """Its answer, or the reason why there is none."""
        end = self.end
        if end is None:
            return ""
        return end.say if isinstance(end, ToolFinished) else end.reason

    @property
    def seq(self) -> int:
        """Its position in the order of what was done: its end, or else its start or proposal."""
        proposed, started = self.proposals[:1], self.starts[-1:]
        steps = [one.seq for one in proposed] + [one.seq for one in started]
        return (steps + [one.seq for one in self.ends[-1:]] or [0])[-1]

    @property
    def seqs(self) -> list[int]:
        """The numbers of its entries, confirmations left out."""
        found = [one.seq for one in self.proposals] + [one.seq for one in self.starts]
        return sorted(found + [one.seq for one in self.ends])


@dataclass
class ClientAction:
    """Something that the caller's app was asked to do."""

    proposed: Noted[ClientActionProposed] | None = None
    """None: it was lost; its outcome was not."""
    outcomes: list[Noted[ClientActionOutcome]] = field(default_factory=list)


@dataclass(frozen=True)
class Erased:
    """An entry of which number, time and kind are left."""

    seq: int
    at_ms: int
    kind: str
