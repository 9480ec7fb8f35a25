"""
Rebuilds what the gate knew from the journal, for the agent that takes over a call.

Keys, budgets and outcomes are as they were. An open question stays open for the rest of its time. A
write that was started and has no result is run again with its key if the backend supports
idempotency keys; if not, its outcome is unknown, and the agent says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from agent_worker.tools.confirmations import Decision
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Answer
from call_record.journal import Recorded
from voice_contract.journal import (
    AgentTurnEnded,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    Entry,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    UserTurn,
)

log = structlog.get_logger()

LOST = "lost with its agent"


@dataclass
class _Trace:
    """What the journal says of one tool call."""

    proposed: ToolProposed
    turns: set[str]
    asked: ConfirmationAsked | None = None
    asked_at_ms: int = 0
    decision: Decision | None = None
    """None: the question is open, or there was none."""
    started: ToolStarted | None = None
    outcome: Outcome | None = None
    told: bool = False


@dataclass
class _Reading:
    phrases: GatePhrases
    traces: dict[str, _Trace] = field(default_factory=dict)
    asked: dict[str, _Trace] = field(default_factory=dict)
    turn_id: str = ""

    def read(self, recorded: Recorded) -> None:
        """Take in one entry."""
        match recorded.entry:
            case UserTurn() as entry:
                self.turn_id = entry.turn_id
            case ToolProposed() as entry:
                first = self.traces.get(entry.duplicate_of)
                if first is None:
                    self.traces[entry.invocation_id] = _Trace(entry, {entry.turn_id})
                else:
                    first.turns.add(entry.turn_id)
            case ConfirmationAsked() as entry if entry.invocation_id in self.traces:
                trace = self.asked[entry.confirmation_id] = self.traces[entry.invocation_id]
                trace.asked, trace.asked_at_ms = entry, recorded.at_ms
            case ConfirmationAnswered() as entry if entry.confirmation_id in self.asked:
                decision: Decision = "approved" if entry.approved else "declined"
                self.asked[entry.confirmation_id].decision = decision
            case ConfirmationExpired() as entry if entry.confirmation_id in self.asked:
                self.asked[entry.confirmation_id].decision = "expired"
            case ToolStarted() as entry if entry.invocation_id in self.traces:
                self.traces[entry.invocation_id].started = entry
            case ToolFinished() | ToolFailed() | ToolUnknown() | ToolRefused() as entry:
                self._end(entry.invocation_id, self._outcome(entry))
            case AgentTurnEnded() as entry:
                for invocation_id in entry.tool_call_ids:
                    if invocation_id in self.traces:
                        self.traces[invocation_id].told = True
            case _:
                pass

    def _end(self, invocation_id: str, outcome: Outcome) -> None:
        if trace := self.traces.get(invocation_id):
            trace.outcome, trace.told = outcome, False
            trace.turns.add(self.turn_id)

    def _outcome(self, entry: Entry) -> Outcome:
        match entry:
            case ToolFinished():
                return Outcome("done", entry.say, Answer(say=entry.say, data=entry.data))
            case ToolUnknown():
                return Outcome("unknown", self.phrases.unknown)
            case ToolRefused():
                declined = entry.guard == "confirmation"
                return Outcome("declined" if declined else "refused", entry.reason)
            case _:
                return Outcome("failed", self.phrases.failed)


def restore(
    gate: Gate, delivery: ResultDelivery, journal: Journal, recorded: Iterable[Recorded]
) -> None:
    """Bring *gate* to the state at the journal's end, and continue from there."""
    reading = _Reading(gate.phrases)
    for one in recorded:
        reading.read(one)
    gate.turn_began(reading.turn_id)
    restorer = _Restorer(gate, delivery, journal)
    for trace in reading.traces.values():
        restorer.restore(trace)


class _Restorer:
    def __init__(self, gate: Gate, delivery: ResultDelivery, journal: Journal) -> None:
        self._gate = gate
        self._questions = gate.questions
        self._phrases = gate.phrases
        self._delivery = delivery
        self._journal = journal

    def restore(self, trace: _Trace) -> None:
        """Restore one invocation and continue it."""
        if trace.asked and trace.decision:
            self._questions.know(trace.asked.confirmation_id, trace.decision)
        if trace.asked or trace.started:
            self._gate.recall_run(trace.proposed.tool)
        invocation = self._invocation(trace)
        if invocation is None:
            self._drop(trace)
        elif trace.outcome is not None:
            self._gate.recall_outcome(invocation, trace.outcome)
            self._delivery.knows(invocation)
            if trace.started and not trace.told:
                self._delivery.settled(invocation)
        elif trace.started is not None:
            self._go_on(invocation)
        elif trace.asked is not None:
            self._ask_on(invocation, trace)

    def _invocation(self, trace: _Trace) -> Invocation | None:
        """None: it was refused as proposed, or this version of the agent has no such tool."""
        proposed, started = trace.proposed, trace.started
        invocation = self._gate.recall(
            proposed.invocation_id,
            proposed.tool,
            (started or proposed).arguments,
            proposed.turn_id,
        )
        if invocation is None:
            return None
        invocation.turns |= trace.turns
        if trace.asked:
            invocation.cause = f"yes:{trace.asked.confirmation_id}"
        if started and started.idempotency_key:
            invocation.key = started.idempotency_key
            self._gate.recall_key(invocation.cause, invocation.digest, started.idempotency_key)
        return invocation

    def _drop(self, trace: _Trace) -> None:
        """This version of the agent cannot continue it."""
        invocation_id, started = trace.proposed.invocation_id, trace.started
        if trace.asked and trace.decision is None:
            self._journal.write(ConfirmationExpired(confirmation_id=trace.asked.confirmation_id))
        if trace.outcome is None and started:
            ended = ToolUnknown if started.effect == "write" else ToolFailed
            self._journal.write(ended(invocation_id=invocation_id, reason=LOST))
            log.warning("tool.lost", tool=trace.proposed.tool)
        if started and started.idempotency_key:
            self._gate.recall_key(invocation_id, "", started.idempotency_key)

    def _go_on(self, invocation: Invocation) -> None:
        """It was started, and its outcome is not known."""
        log.warning(
            "tool.unfinished", tool=invocation.tool.name, again=invocation.tool.guards.repeatable
        )
        if not invocation.writes:
            self._journal.write(ToolFailed(invocation_id=invocation.id, reason=LOST))
        elif invocation.tool.guards.idempotent:
            invocation.begun = True
            self._gate.start(invocation)
        else:
            self._journal.write(ToolUnknown(invocation_id=invocation.id, reason=LOST))
            self._gate.recall_outcome(invocation, Outcome("unknown", self._phrases.unknown))
            self._delivery.settled(invocation)

    def _ask_on(self, invocation: Invocation, trace: _Trace) -> None:
        """The caller was asked, and it was not started."""
        asked = trace.asked
        assert asked is not None
        if asked.digest != invocation.digest:
            self._drop(trace)
            return
        question = self._questions.compose(
            invocation.id, invocation.tool, invocation.values, invocation.digest
        )
        question.id = asked.confirmation_id
        invocation.question = question
        if trace.decision is None:
            self._questions.reopen(question, trace.asked_at_ms, asked.expires_in_ms)
            self._delivery.ask_again(invocation)
        else:
            question.decided.set_result(trace.decision)
        self._gate.start(invocation)
