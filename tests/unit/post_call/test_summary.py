"""Summaries and action items without a model."""

from datetime import UTC, datetime

import pytest

from call_record.record import Record
from post_call.evidence import evidence
from post_call.summary import action_items, cut, summarize
from tests.support.ended_calls import FAILED_THEN_DONE, ORDER_STATUS, REFUND_UNKNOWN, REFUSED, said
from tests.unit.post_call.conftest import a_story
from voice_contract.follow_up import ActionItem, CallSummary
from voice_contract.journal import ConfirmationAsked, ConfirmationExpired, Entry, UserTurn


async def test_summary_of_an_answered_call_can_be_read(worked: Record) -> None:
    """Who, why, what was done, how it ended; the greeting is not the reason."""
    entries = [UserTurn(text="Hello?"), *ORDER_STATUS]
    summary = summarize(await a_story(worked, entries))
    status = "Order 7 is on its way. It should arrive on Thursday, with the commuter helmet."
    assert summary == CallSummary(
        reason="Hello, where is order seven?",
        outcome="resolved",
        text='Sam Rivera called: "Hello, where is order seven?" '
        f"Done: order status (order number 7): {status[:-1]}, and 1 more. "
        "The caller hung up. The call took 0 s.",
        done=[
            f"order status (order number 7): {status}",
            "On the caller's screen: show order (done)",
        ],
    )


async def test_summary_of_an_unknown_outcome_says_what_is_not_known(worked: Record) -> None:
    """The tool, its arguments and the reason."""
    summary = summarize(await a_story(worked, REFUND_UNKNOWN))
    doubt = "refund order (order number 3) may or may not have been done: No answer within 5 s."
    assert (summary.outcome, summary.done) == ("unresolved", [])
    assert summary.open_questions == [doubt]
    assert f"Not settled: {doubt}" in summary.text


@pytest.mark.parametrize(
    ("entries", "reason", "outcome"),
    [
        (ORDER_STATUS, "caller", "resolved"),
        (FAILED_THEN_DONE, "caller", "resolved"),
        (REFUSED, "caller", "unresolved"),
        ([], "no-agent", "unresolved"),
        ([], "caller", "unknown"),
        ([UserTurn(text="Hello."), *said("1", "Hello.")], "caller", "unknown"),
        ([UserTurn(text="Where is it?"), *said("1", "Where is what?")], "caller", "unknown"),
        ([*said("1", "Hello."), UserTurn(text="Are you there?")], "caller", "unresolved"),
        ([UserTurn(text="Blah.")], "not-understood", "unresolved"),
    ],
)
async def test_outcome_follows_from_the_journal(
    worked: Record, entries: list[Entry], reason: str, outcome: str
) -> None:
    """Something done and nothing left is resolved; a call without content is not known."""
    assert summarize(await a_story(worked, entries, reason)).outcome == outcome


async def test_summary_of_silence_says_so(worked: Record) -> None:
    """Nothing is made up."""
    summary = summarize(await a_story(worked, [], "silence"))
    assert summary.reason == "The caller said nothing."
    assert summary.text.startswith("Sam Rivera said nothing. The call ended because nothing was")


async def test_action_items_are_promises_and_what_went_wrong(worked: Record) -> None:
    """Each with the entries that show it, and the day that was said."""
    facts = await a_story(worked, REFUND_UNKNOWN)
    [check, call_back] = action_items(facts, evidence(facts))
    assert check.text.startswith("Look into: refund order (order number 3) may or may not")
    assert check.owner == "operator"
    assert [facts.kinds[seq] for seq in check.evidence] == [
        "tool.proposed",
        "tool.started",
        "tool.unknown",
    ]
    assert call_back.text == "Promised to the caller: A person will call you back tomorrow."
    assert call_back.owner == "staff"
    assert call_back.due is not None and call_back.due > story_day(facts.call.admitted_at_ms)
    assert [facts.kinds[seq] for seq in call_back.evidence] == ["turn.agent.ended"]


def story_day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


async def test_action_item_of_a_question_that_nobody_answered(worked: Record) -> None:
    """The caller is to be asked again."""
    asked = ConfirmationAsked(
        confirmation_id="c",
        invocation_id="t",
        tool="cancel_order",
        title="Cancel order 9?",
        arguments={},
        digest="d",
        expires_in_ms=1,
    )
    facts = await a_story(worked, [asked, ConfirmationExpired(confirmation_id="c")])
    assert action_items(facts, evidence(facts)) == [
        ActionItem(text="Ask the caller again: Cancel order 9?", owner="operator", evidence=[4, 5])
    ]
    assert "Not confirmed by the caller: Cancel order 9?" in summarize(facts).open_questions


async def test_action_items_of_a_call_that_left_nothing_are_none(worked: Record) -> None:
    """ "I will look that up" is no promise for later."""
    entries = [*said("0", "One moment, I will look that up."), *ORDER_STATUS]
    facts = await a_story(worked, entries)
    assert action_items(facts, evidence(facts)) == []


def test_cut_makes_one_line_of_that_length() -> None:
    """Marked where something is missing."""
    assert cut("a\n  b", 10) == "a b"
    assert cut("abcdef", 4) == "abc…"
