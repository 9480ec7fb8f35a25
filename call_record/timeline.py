"""
A call's journal as a timeline: the one place where entries are folded into what happened.

Erased entries are listed as such, and kinds that this version does not know are passed over;
neither is an error. An end whose beginning was lost stands alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from call_record.journal import Recorded
from call_record.timeline_parts import (
    AgentTurn,
    CallerTurn,
    ClientAction,
    Confirmation,
    Erased,
    Invocation,
    InvocationEnd,
    Noted,
)
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    BudgetEvent,
    CallClaimed,
    CallEnded,
    CallEnding,
    CallJoined,
    CallLeft,
    CallReturned,
    ClientActionOutcome,
    ClientActionProposed,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    Entry,
    JournalGap,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    Usage,
    UserTurn,
)

E = TypeVar("E")


@dataclass
class Timeline:
    """What happened in a call, each list in the journal's order."""

    caller_turns: list[CallerTurn] = field(default_factory=list)
    agent_turns: list[AgentTurn] = field(default_factory=list)
    invocations: list[Invocation] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    client_actions: list[ClientAction] = field(default_factory=list)
    claims: list[Noted[CallClaimed]] = field(default_factory=list)
    joined: Noted[CallJoined] | None = None
    left: list[Noted[CallLeft]] = field(default_factory=list)
    returns: list[Noted[CallReturned]] = field(default_factory=list)
    gaps: list[Noted[JournalGap]] = field(default_factory=list)
    budgets: list[Noted[BudgetEvent]] = field(default_factory=list)
    usage: Noted[Usage] | None = None
    """The last count: it holds those before."""
    ending: Noted[CallEnding] | None = None
    ended: Noted[CallEnded] | None = None
    kinds: dict[int, str] = field(default_factory=dict)
    """The kind of every entry that is not erased, by its number."""
    erased: list[Erased] = field(default_factory=list)

    @property
    def turns(self) -> list[CallerTurn | AgentTurn]:
        """What both sides said, in order."""
        both: list[CallerTurn | AgentTurn] = [*self.caller_turns, *self.agent_turns]
        return sorted(both, key=lambda turn: turn.seq)


def fold(recorded: Iterable[Recorded]) -> Timeline:
    """What the entries say, in their order."""
    folding = _Fold()
    for one in recorded:
        if one.entry is None:
            folding.timeline.erased.append(Erased(one.seq, one.at_ms, one.kind))
        else:
            folding.timeline.kinds[one.seq] = one.kind
            folding.take(one.seq, one.at_ms, one.entry)
    return folding.timeline


class _Fold:
    """A timeline as it grows, and what of it is still open, by id."""

    def __init__(self) -> None:
        self.timeline = Timeline()
        self._speaking: dict[str, AgentTurn] = {}
        self._invocations: dict[str, Invocation] = {}
        self._confirmations: dict[str, Confirmation] = {}
        self._actions: dict[str, ClientAction] = {}
        self._decided: Confirmation | None = None
        """The caller's next turn is the yes or no that decided it."""

    def take(self, seq: int, at_ms: int, entry: Entry) -> None:
        """Take in one entry."""

        def noted(known: E) -> Noted[E]:
            return Noted(seq, at_ms, known)

        line = self.timeline
        match entry:
            case UserTurn():
                self._caller_turn(noted(entry))
            case AgentTurnStarted():
                self._agent_starts(noted(entry))
            case AgentTurnEnded():
                self._agent_ends(noted(entry))
            case ToolProposed():
                self._propose(noted(entry))
            case ToolStarted():
                self._invocation(entry.invocation_id).starts.append(noted(entry))
            case ToolFinished() | ToolFailed() | ToolUnknown() | ToolRefused():
                self._end(noted(entry))
            case ConfirmationAsked():
                self._ask(noted(entry))
            case ConfirmationAnswered():
                question = self._confirmation(entry.confirmation_id)
                question.answered = question.answered or noted(entry)
                # A vote on the screen is no turn.
                self._decided = None if entry.by == "screen" else question
            case ConfirmationExpired():
                question = self._confirmation(entry.confirmation_id)
                question.expired = question.expired or noted(entry)
            case ClientActionProposed():
                action = self._actions[entry.action_id] = ClientAction(noted(entry))
                line.client_actions.append(action)
            case ClientActionOutcome():
                self._action(entry.action_id).outcomes.append(noted(entry))
            case CallClaimed():
                line.claims.append(noted(entry))
            case CallJoined():
                line.joined = line.joined or noted(entry)
            case CallLeft():
                line.left.append(noted(entry))
            case CallReturned():
                line.returns.append(noted(entry))
            case CallEnding():
                line.ending = line.ending or noted(entry)
            case CallEnded():
                line.ended = noted(entry)
            case JournalGap():
                line.gaps.append(noted(entry))
            case BudgetEvent():
                line.budgets.append(noted(entry))
            case Usage():
                line.usage = noted(entry)
            case _:
                # Of a kind that no reader needs, or that this version does not know.
                pass

    def _caller_turn(self, turn: Noted[UserTurn]) -> None:
        said = CallerTurn(turn)
        if turn.entry.text:
            said.decides, self._decided = self._decided, None
        self.timeline.caller_turns.append(said)

    def _agent_starts(self, turn: Noted[AgentTurnStarted]) -> None:
        speaking = self._speaking[turn.entry.turn_id] = AgentTurn(started=turn)
        self.timeline.agent_turns.append(speaking)
        self._decided = None

    def _agent_ends(self, turn: Noted[AgentTurnEnded]) -> None:
        spoken = self._speaking.pop(turn.entry.turn_id, None)
        if spoken is None:
            spoken = AgentTurn()
            self.timeline.agent_turns.append(spoken)
        spoken.ended = turn
        for invocation_id in turn.entry.invocation_ids:
            if told := self._invocations.get(invocation_id):
                told.told = True

    def _propose(self, proposal: Noted[ToolProposed]) -> None:
        first = self._invocations.get(proposal.entry.duplicate_of)
        invocation = first or self._invocation(proposal.entry.invocation_id)
        invocation.proposals.append(proposal)
        invocation.turn_ids.add(proposal.entry.turn_id)

    def _end(self, end: Noted[InvocationEnd]) -> None:
        invocation = self._invocation(end.entry.invocation_id)
        invocation.ends.append(end)
        invocation.told = False
        turns = self.timeline.caller_turns
        invocation.turn_ids.add(turns[-1].noted.entry.turn_id if turns else "")

    def _ask(self, question: Noted[ConfirmationAsked]) -> None:
        confirmation = Confirmation(question)
        self._confirmations[question.entry.confirmation_id] = confirmation
        self.timeline.confirmations.append(confirmation)
        self._invocation(question.entry.invocation_id).confirmations.append(confirmation)

    def _invocation(self, invocation_id: str) -> Invocation:
        if invocation_id not in self._invocations:
            invocation = self._invocations[invocation_id] = Invocation(invocation_id)
            self.timeline.invocations.append(invocation)
        return self._invocations[invocation_id]

    def _confirmation(self, confirmation_id: str) -> Confirmation:
        if confirmation_id not in self._confirmations:
            confirmation = self._confirmations[confirmation_id] = Confirmation()
            self.timeline.confirmations.append(confirmation)
        return self._confirmations[confirmation_id]

    def _action(self, action_id: str) -> ClientAction:
        if action_id not in self._actions:
            action = self._actions[action_id] = ClientAction()
            self.timeline.client_actions.append(action)
        return self._actions[action_id]
