"""A model's words held against the journal."""

from call_record.record import Record
from post_call.evidence import evidence
from post_call.fact_check import (
    Deed,
    ItemAnswer,
    ItemsAnswer,
    SummaryAnswer,
    check_items,
    check_summary,
)
from post_call.summary import action_items, summarize
from tests.support.ended_calls import ORDER_STATUS, REFUND_UNKNOWN
from tests.unit.post_call.conftest import a_story
from voice_contract.follow_up import ActionItem

GOOD = SummaryAnswer(
    reason="Sam wanted to know where order 7 is.",
    outcome="resolved",
    text="Sam asked about order 7. It is on its way and should arrive on Thursday.",
    done=[Deed(text="The status of order 7 was looked up.", evidence=[10])],
    open_questions=[],
    sentiment="positive",
)


async def test_true_summary_is_kept_as_it_is(worked: Record) -> None:
    """With the sentiment that only a model can tell."""
    checked = check_summary(await a_story(worked, ORDER_STATUS), GOOD)
    assert checked.dropped == 0
    assert checked.summary.model_dump() == {
        **GOOD.model_dump(),
        "done": ["The status of order 7 was looked up."],
    }


async def test_made_up_numbers_and_deeds_are_left_out_and_counted(worked: Record) -> None:
    """Sentence by sentence; what is true stays."""
    answer = GOOD.model_copy(
        update={
            "text": "Sam asked about order 7. Order 70 was cancelled.",
            "done": [
                *GOOD.done,
                Deed(text="Order 7 was refunded.", evidence=[10]),
                Deed(text="A letter is on its way.", evidence=[7]),
                Deed(text="Order 8 was looked up.", evidence=[10]),
            ],
            "open_questions": ["Where is order 8?", "Is Thursday early enough?"],
        }
    )
    checked = check_summary(await a_story(worked, ORDER_STATUS), answer)
    assert checked.summary.text == "Sam asked about order 7."
    assert checked.summary.done == ["The status of order 7 was looked up."]
    assert checked.summary.open_questions == ["Is Thursday early enough?"]
    assert checked.dropped == 5


async def test_summary_of_which_nothing_is_true_becomes_the_journals_own(worked: Record) -> None:
    """Never empty."""
    facts = await a_story(worked, ORDER_STATUS)
    answer = GOOD.model_copy(update={"reason": "Order 99.", "text": "Order 99 was sent."})
    checked = check_summary(facts, answer)
    assert checked.summary.reason == summarize(facts).reason
    assert checked.summary.text == summarize(facts).text
    assert checked.dropped == 2


async def test_outcome_is_not_resolved_while_a_tool_is_in_doubt(worked: Record) -> None:
    """Whatever the model thinks."""
    answer = SummaryAnswer(
        reason="Sam wanted a refund for order 3.",
        outcome="resolved",
        text="Sam wanted a refund for order 3.",
        done=[],
        open_questions=[],
        sentiment="neutral",
    )
    checked = check_summary(await a_story(worked, REFUND_UNKNOWN), answer)
    assert (checked.summary.outcome, checked.dropped) == ("unresolved", 1)


async def test_items_need_evidence_owner_and_day_that_are_there(worked: Record) -> None:
    """Without evidence an item is left out; a false owner or day only is."""
    facts = await a_story(worked, REFUND_UNKNOWN)
    promise = next(turn.seq for turn in facts.turns if "call you back" in turn.text)
    due = next(
        item.due
        for item in action_items(facts, evidence(facts))
        if item.text.startswith("Promised")
    )
    answer = ItemsAnswer(
        items=[
            ItemAnswer(text="Call back.", owner="staff", due=due, evidence=[promise, 999]),
            ItemAnswer(text="Call back.", owner="Bob", due="2031-01-01", evidence=[promise]),
            ItemAnswer(text="Send a gift.", owner=None, due=None, evidence=[]),
            ItemAnswer(text="Send a gift.", owner=None, due=None, evidence=[999, 1]),
            ItemAnswer(text="Refund order 4.", owner=None, due=None, evidence=[promise]),
        ]
    )
    checked = check_items(facts, answer)
    assert checked.items == [
        ActionItem(text="Call back.", owner="staff", due=due, evidence=[promise]),
        ActionItem(text="Call back.", owner=None, due=None, evidence=[promise]),
    ]
    assert checked.dropped == 5
