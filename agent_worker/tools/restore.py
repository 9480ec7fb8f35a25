"""
What the gate knew, rebuilt from the journal by the agent that takes a call over.

Keys, budgets and what must not be repeated are as they were. A question that is open stays open
for the rest of its time. A tool that was started and has no result is run again with its key where
the backend honours that; where not, nobody knows, and that is said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from agent_worker.tools.arguments import WrongArguments, digest
from agent_worker.tools.confirmations import Decision, Question
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Answer
from call_record import timeline_parts
from call_record.journal import Recorded
from call_record.timeline import fold
from voice_contract.journal import (
    ConfirmationAsked,
    ConfirmationExpired,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
)

log = structlog.get_logger()

LOST = "lost with its agent"


@dataclass
class _Trace:
    """What the journal says of one invocation."""

    proposed: ToolProposed
    turns: set[str]
    asked: ConfirmationAsked | None
    asked_at_ms: int
    decision: Decision | None
    """None: the question is open, or there was none."""
    started: ToolStarted | None
    outcome: Outcome | None
    told: bool


def _trace(recorded: timeline_parts.Invocation, phrases: GatePhrases) -> _Trace:
    confirmation = recorded.confirmation
    asked = confirmation.asked if confirmation else None
    return _Trace(
        proposed=recorded.proposed
        # It was lost; what was begun is on record all the same.
        or ToolProposed(
            invocation_id=recorded.invocation_id,
            tool=recorded.tool,
            arguments=recorded.arguments,
        ),
        turns=recorded.turn_ids,
        asked=asked.entry if asked else None,
        asked_at_ms=asked.at_ms if asked else 0,
        decision=confirmation.decision if confirmation else None,
        started=recorded.started,
        outcome=_outcome(recorded.end, phrases),
        told=recorded.told,
    )


def _outcome(end: timeline_parts.InvocationEnd | None, phrases: GatePhrases) -> Outcome | None:
    match end:
        case None:
            return None
        case ToolFinished():
            return Outcome("done", end.say, Answer(say=end.say, data=end.data))
        case ToolUnknown():
            return Outcome("unknown", phrases.unknown)
        case ToolRefused():
            declined = end.guard == "confirmation"
            return Outcome("declined" if declined else "refused", end.reason)
        case ToolFailed():
            return Outcome("failed", phrases.failed)


def restore(gate: Gate, delivery: ResultDelivery, recorded: Iterable[Recorded]) -> None:
    """Bring *gate* to where the journal ends, and go on from there."""
    line = fold(recorded)
    gate.turn_began(line.caller_turns[-1].noted.entry.turn_id if line.caller_turns else "")
    for invocation in line.invocations:
        # Of one whose beginning was lost nothing is known that could be gone on with.
        if invocation.tool:
            _restore(gate, delivery, _trace(invocation, gate.phrases))


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
