"""Calls as they are when they have ended, for tests of what comes after."""

from collections.abc import Sequence

from call_record import calls, erasure, journal
from call_record.admission import Admitted, Applicant, admit
from call_record.calls import Claim
from call_record.record import Record
from voice_contract.ids import new_call_id
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    ClientActionOutcome,
    ClientActionProposed,
    ConfirmationAnswered,
    ConfirmationAsked,
    Entry,
    IntentState,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    Usage,
    UserTurn,
)


def said(
    turn: str, text: str, *, tells: Sequence[str] = (), heard: str | None = None
) -> list[Entry]:
    """The agent speaks; *heard*: it was interrupted there."""
    return [
        AgentTurnStarted(turn_id=turn, planned=text),
        AgentTurnEnded(
            turn_id=turn,
            heard=text if heard is None else heard,
            interrupted=heard is not None,
            invocation_ids=tuple(tells),
        ),
    ]


GREETING = said("1", "Hello, this is the automated assistant of Spoke and Wheel.")

ORDER_STATUS: list[Entry] = [
    *GREETING,
    UserTurn(text="Hello, where is order seven?"),
    IntentState(intent="order_status", slots={"order_number": 7}),
    ToolProposed(invocation_id="t1", tool="order_status", arguments={"order_number": 7}),
    ToolStarted(
        invocation_id="t1", tool="order_status", effect="read", arguments={"order_number": 7}
    ),
    ToolFinished(
        invocation_id="t1",
        say="Order 7 is on its way. It should arrive on Thursday, with the commuter helmet.",
        data={"number": 7, "status": "shipped", "total_cents": 9395, "expected_on": "2026-11-26"},
    ),
    *said("2", "Order 7 is on its way. It should arrive on Thursday.", tells=["t1"]),
    ClientActionProposed(action_id="a1", action="show_order", arguments={"number": 7}),
    ClientActionOutcome(action_id="a1", outcome="done"),
    UserTurn(text="Thank you, goodbye."),
    *said("3", "Goodbye."),
    Usage(amounts={"llm_input_tokens": 120}),
]
"""Asked and answered."""

REFUND_UNKNOWN: list[Entry] = [
    *GREETING,
    UserTurn(text="Please refund order three."),
    ToolProposed(invocation_id="t1", tool="refund_order", arguments={"order_number": 3}),
    ConfirmationAsked(
        confirmation_id="c1",
        invocation_id="t1",
        tool="refund_order",
        title="Refund order 3?",
        arguments={"order_number": 3},
        digest="d",
        expires_in_ms=60_000,
    ),
    ConfirmationAnswered(confirmation_id="c1", approved=True, by="voice"),
    ToolStarted(
        invocation_id="t1",
        tool="refund_order",
        effect="write",
        arguments={"order_number": 3},
        idempotency_key="CALL:1",
    ),
    ToolUnknown(invocation_id="t1", reason="No answer within 5 s."),
    *said("2", "I could not confirm whether that was done. A person will call you back tomorrow."),
    UserTurn(text="All right."),
]
"""Nobody knows whether the money was paid back."""

REFUSED: list[Entry] = [
    *GREETING,
    UserTurn(text="I want to cancel order one."),
    ToolProposed(invocation_id="t1", tool="cancel_order", arguments={"order_number": 1}),
    ToolRefused(
        invocation_id="t1",
        reason="Order 1 has already been delivered, so it can no longer be cancelled.",
    ),
    *said("2", "Order 1 has already been delivered, so it can no longer be cancelled."),
    UserTurn(text="Can somebody else help me?"),
]
"""Answered with no, and the last question hangs."""

FAILED_THEN_DONE: list[Entry] = [
    *GREETING,
    UserTurn(text="Cancel order nine."),
    ToolStarted(invocation_id="t1", tool="cancel_order", effect="write", arguments={"n": 9}),
    ToolFailed(invocation_id="t1", reason="The shop did not answer."),
    UserTurn(text="Try again."),
    ToolStarted(invocation_id="t2", tool="cancel_order", effect="write", arguments={"n": 9}),
    ToolFinished(invocation_id="t2", say="Done. Order 9 is cancelled."),
    *said("2", "Done. Order 9 is cancelled."),
]
"""It worked in the end."""


async def ended(
    record: Record,
    entries: Sequence[Entry] = ORDER_STATUS,
    *,
    caller: str | None = None,
    display_name: str | None = "Sam Rivera",
    reason: str = "caller",
) -> str:
    """A call that had those entries and has ended. A worker with room must be registered."""
    call_id = new_call_id()
    applicant = Applicant(caller or f"caller-{call_id[-12:]}", display_name=display_name)
    assert isinstance(await admit(record, call_id, applicant), Admitted)
    assert await calls.claim(record, call_id, 1, "job-1", "worker") is Claim.CLAIMED
    await calls.join(record, call_id)
    if entries:
        await journal.append(record, call_id, 1, entries)
    await erasure.end(record, call_id, reason)
    return call_id
