"""
What the gate knew, rebuilt from the journal by the agent that takes a call over.

Keys, budgets and what must not be repeated are as they were. A question that is open stays open
for the rest of its time. A tool that was started and has no result is run again with its key where
the backend honours that; where not, nobody knows, and that is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from agent_worker.tools.arguments import WrongArguments, digest
from agent_worker.tools.confirmations import Decision, Question
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Outcome
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


def restore(gate: Gate, delivery: ResultDelivery, recorded: Iterable[Recorded]) -> None:
    """Bring *gate* to where the journal ends, and go on from there."""
    reading = _Reading(gate.phrases)
    for one in recorded:
        reading.read(one)
    gate.turn_began(reading.turn_id)
    for trace in reading.traces.values():
        _restore(gate, delivery, trace)


def _restore(gate: Gate, delivery: ResultDelivery, trace: _Trace) -> None:
    gate.new_id(trace.proposed.invocation_id)
    if trace.asked and trace.decision:
        gate.questions.know(trace.asked.confirmation_id, trace.decision)
    if trace.asked or trace.started:
        gate.budget.take(trace.proposed.tool)
    invocation = _invocation(gate, trace)
    if invocation is None:
        _leave(gate, trace)
    elif trace.outcome is not None:
        invocation.end(trace.outcome)
        gate.invocations.add(invocation)
        delivery.knows(invocation)
        if trace.started and not trace.told:
            delivery.settled(invocation)
    elif trace.started is not None:
        _go_on(gate, delivery, invocation)
    elif trace.asked is not None:
        _ask_on(gate, delivery, invocation, trace)


def _invocation(gate: Gate, trace: _Trace) -> Invocation | None:
    """The invocation of *trace*; None: it was refused at once, or this version has no such tool."""
    proposed, started = trace.proposed, trace.started
    tool = gate.tools.get(proposed.tool)
    if tool is None:
        return None
    try:
        values = tool.arguments.canonical((started or proposed).arguments)
    except WrongArguments:
        return None
    means = digest(gate.caller.tenant, gate.caller.call_id, tool.name, values)
    invocation = Invocation(
        proposed.invocation_id, tool, values, means, proposed.turn_id, turns=trace.turns
    )
    if trace.asked:
        invocation.cause = f"yes:{trace.asked.confirmation_id}"
    if started and started.idempotency_key:
        invocation.key = started.idempotency_key
        gate.idempotency_keys.adopt(invocation.cause, means, started.idempotency_key)
    return invocation


def _leave(gate: Gate, trace: _Trace) -> None:
    """This version cannot go on with it."""
    invocation_id, started = trace.proposed.invocation_id, trace.started
    if trace.asked and trace.decision is None:
        gate.journal.write(ConfirmationExpired(confirmation_id=trace.asked.confirmation_id))
    if trace.outcome is None and started:
        ended = ToolUnknown if started.effect == "write" else ToolFailed
        gate.journal.write(ended(invocation_id=invocation_id, reason=LOST))
        log.warning("tool.lost", tool=trace.proposed.tool)
    if started and started.idempotency_key:
        gate.idempotency_keys.adopt(invocation_id, "", started.idempotency_key)


def _go_on(gate: Gate, delivery: ResultDelivery, invocation: Invocation) -> None:
    """It was started, and nobody knows how it ended."""
    log.warning(
        "tool.unfinished", tool=invocation.tool.name, again=invocation.tool.guards.repeatable
    )
    if not invocation.writes:
        gate.journal.write(ToolFailed(invocation_id=invocation.id, reason=LOST))
    elif invocation.tool.guards.idempotent:
        invocation.begun = True
        gate.start(invocation)
    else:
        gate.journal.write(ToolUnknown(invocation_id=invocation.id, reason=LOST))
        invocation.end(Outcome("unknown", gate.phrases.unknown))
        gate.invocations.add(invocation)
        delivery.settled(invocation)


def _ask_on(gate: Gate, delivery: ResultDelivery, invocation: Invocation, trace: _Trace) -> None:
    """The caller was asked, and what was approved was not begun."""
    asked = trace.asked
    assert asked is not None
    if asked.digest != invocation.digest:
        _leave(gate, trace)
        return
    question: Question = gate.guards.question(invocation)
    question.id = asked.confirmation_id
    invocation.question = question
    if trace.decision is None:
        # Of another machine's clock: never longer than it had.
        gone_ms = gate.clock.now_ms() - trace.asked_at_ms
        remaining_ms = max(0, min(asked.expires_in_ms, asked.expires_in_ms - gone_ms))
        gate.questions.reopen(question, remaining_ms / 1000)
        delivery.ask_again(invocation)
    else:
        question.decided.set_result(trace.decision)
    gate.start(invocation)
