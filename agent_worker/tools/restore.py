"""
Rebuilds what the gate knew from the journal, for the agent that takes over a call.

Budgets and outcomes are as they were. An open question stays open for the rest of its time. A write
that was started and has no result, or an unknown one, is in doubt: it is sent again with its key if
the backend supports idempotency keys; if not, the agent says that it does not know.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from agent_worker.tools.confirmations import Decision
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.journal import Journal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Answer, Target
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
    was_in_doubt: bool
    told: bool


def _trace(recorded: timeline_parts.Invocation, phrases: GatePhrases) -> _Trace:
    confirmation = recorded.confirmation
    asked = confirmation.asked if confirmation else None
    proposed = recorded.proposed or ToolProposed(
        # It was lost; what was begun is on record all the same.
        invocation_id=recorded.invocation_id,
        tool=recorded.tool,
        arguments=recorded.arguments,
    )
    return _Trace(
        # Where the first proposal was lost, the one that is left repeats it under another id.
        proposed=proposed.model_copy(update={"invocation_id": recorded.invocation_id}),
        turns=recorded.turn_ids,
        asked=asked.entry if asked else None,
        asked_at_ms=asked.at_ms if asked else 0,
        decision=confirmation.decision if confirmation else None,
        started=recorded.started,
        outcome=_outcome(recorded.end, phrases),
        was_in_doubt=any(isinstance(one.entry, ToolUnknown) for one in recorded.ends),
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


def restore(
    gate: Gate, delivery: ResultDelivery, journal: Journal, recorded: Iterable[Recorded]
) -> None:
    """Bring *gate* to the state at the journal's end, and continue from there."""
    line = fold(recorded)
    gate.turn_began(line.caller_turns[-1].noted.entry.turn_id if line.caller_turns else "")
    restorer = _Restorer(gate, delivery, journal)
    for invocation in line.invocations:
        # If the journal lost its beginning there is nothing to continue.
        if invocation.tool:
            restorer.restore(_trace(invocation, gate.phrases))


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
            invocation.told, invocation.late = trace.told, trace.was_in_doubt
            self._gate.recall_outcome(invocation, trace.outcome)
            self._delivery.knows(invocation)
            # What became of a yes, too: the caller may have heard no more than "All right".
            if (trace.started or trace.decision == "approved") and not trace.told:
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
        aimed = started or trace.asked
        if aimed and aimed.target is not None:
            self._gate.invocations.aim(invocation, Target(aimed.target, aimed.shown))
        if trace.asked:
            invocation.cause = f"yes:{trace.asked.confirmation_id}"
        if started:
            invocation.begun = True
            invocation.key = started.idempotency_key
        return invocation

    def _drop(self, trace: _Trace) -> None:
        """This version of the agent cannot continue it."""
        invocation_id, started = trace.proposed.invocation_id, trace.started
        if trace.asked and trace.decision is None:
            self._journal.write(ConfirmationExpired(confirmation_id=trace.asked.confirmation_id))
        unknown = trace.outcome is None or trace.outcome.kind == "unknown"
        if started and started.effect == "write" and unknown:
            self._gate.bar(started.tool)
        if trace.outcome is None and started:
            ended = ToolUnknown if started.effect == "write" else ToolFailed
            self._journal.write(ended(invocation_id=invocation_id, reason=LOST))
            log.warning("tool.lost", tool=trace.proposed.tool)

    def _go_on(self, invocation: Invocation) -> None:
        """It was started, and its outcome is not known."""
        log.warning(
            "tool.unfinished", tool=invocation.tool.name, again=invocation.can_be_sent_again
        )
        if not invocation.writes:
            self._journal.write(ToolFailed(invocation_id=invocation.id, reason=LOST))
        elif invocation.can_be_sent_again:
            self._gate.take_over(invocation)
        else:
            self._journal.write(ToolUnknown(invocation_id=invocation.id, reason=LOST))
            self._gate.recall_outcome(invocation, Outcome("unknown", self._phrases.unknown))
            self._delivery.settled(invocation)

    def _ask_on(self, invocation: Invocation, trace: _Trace) -> None:
        """The caller was asked, and it was not started."""
        asked = trace.asked
        assert asked is not None
        if asked.digest != invocation.full_digest:
            self._drop(trace)
            return
        question = self._questions.compose(
            invocation.id,
            invocation.tool,
            invocation.values,
            invocation.full_digest,
            now=self._gate.now(),
            target=invocation.target,
            title=asked.title,
        )
        question.id = asked.confirmation_id
        invocation.question = question
        if trace.decision is None:
            self._questions.reopen(question, trace.asked_at_ms, asked.expires_in_ms)
            self._delivery.ask_again(invocation)
        else:
            question.decided.set_result(trace.decision)
        self._gate.start(invocation)
