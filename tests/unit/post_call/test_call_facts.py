"""What a journal tells."""

import dataclasses

import pytest

from call_record import journal
from call_record.record import Record
from post_call.call_facts import ToolCall, tell
from tests.support.calls import the_call
from tests.support.ended_calls import (
    FAILED_THEN_DONE,
    ORDER_STATUS,
    REFUND_UNKNOWN,
    REFUSED,
    ended,
    said,
)
from tests.unit.post_call.conftest import a_story
from voice_contract.journal import (
    AgentTurnStarted,
    ConfirmationAnswered,
    Entry,
    JournalGap,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    Unknown,
    UserTurn,
)


async def test_story_has_turns_tools_and_client_steps(worked: Record) -> None:
    """In order, with the numbers of their entries."""
    facts = await a_story(worked, ORDER_STATUS)
    assert [turn.who for turn in facts.turns] == ["agent", "caller", "agent", "caller", "agent"]
    [tool] = facts.tools
    assert (tool.tool, tool.state, tool.effect) == ("order_status", "finished", "read")
    assert tool.seqs == [8, 9, 10]
    assert [facts.kinds[seq] for seq in tool.seqs] == [
        "tool.proposed",
        "tool.started",
        "tool.finished",
    ]
    [step] = facts.client_steps
    assert (step.action, step.was_done) == ("show_order", True)
    assert facts.unresolved == []


async def test_story_of_an_interrupted_turn_has_what_was_heard(worked: Record) -> None:
    """What was planned beyond that reached nobody; a turn of which nothing was heard is none."""
    entries = [*said("1", "Hello, this is.", heard="Hello"), *said("2", "Nothing.", heard="")]
    facts = await a_story(worked, entries)
    assert [turn.text for turn in facts.turns] == ["Hello"]


async def test_story_of_an_agent_that_died_ends_with_its_plan(worked: Record) -> None:
    """The last turn is there, and a tool that was begun is known not to be known."""
    facts = await a_story(
        worked,
        [
            UserTurn(text="Refund order three."),
            AgentTurnStarted(turn_id="1", planned="One moment."),
            ToolStarted(invocation_id="t", tool="refund_order", effect="write", arguments={"n": 3}),
        ],
        reason="agent-lost",
    )
    assert [turn.text for turn in facts.turns] == ["Refund order three.", "One moment."]
    [tool] = facts.unresolved
    assert tool.state == "started"


@pytest.mark.parametrize(
    ("entries", "unresolved", "refused"),
    [(REFUND_UNKNOWN, 1, 0), (REFUSED, 0, 1), (FAILED_THEN_DONE, 0, 0)],
)
async def test_story_knows_what_is_unresolved(
    worked: Record, entries: list[UserTurn], unresolved: int, refused: int
) -> None:
    """A failure that was mended with the same arguments is none."""
    facts = await a_story(worked, entries)
    assert (len(facts.unresolved), len(facts.refused)) == (unresolved, refused)


@pytest.mark.parametrize("closed", [True, False])
async def test_yes_that_the_end_of_the_call_overtook_is_unresolved(
    worked: Record, closed: bool
) -> None:
    """Who says yes and hangs up, or whose agent dies then, counts on it: a person must look."""
    other: list[Entry] = [
        ToolStarted(invocation_id="t0", tool="cancel_order", effect="write", arguments={"n": 9}),
        ToolFinished(invocation_id="t0", say="Done. Order 9 is cancelled."),
    ]
    asked, yes = REFUND_UNKNOWN[:-6], REFUND_UNKNOWN[-6]
    assert isinstance(yes, ConfirmationAnswered) and yes.approved
    refused = ToolRefused(invocation_id="t1", reason="I can't do that right now.", guard="closing")
    facts = await a_story(worked, [*other, *asked, yes, *([refused] if closed else [])])
    (left,) = facts.unresolved
    assert left.words == "The caller said yes, and the call ended before it was begun."
    assert (await a_story(worked, [*other, *asked, refused])).unresolved == []


async def test_later_success_does_not_hide_a_doubt(worked: Record) -> None:
    """The same was done once more: whether it was done the first time is still not known."""
    again: list[Entry] = [
        ToolStarted(
            invocation_id="t2",
            tool="refund_order",
            effect="write",
            arguments={"order_number": 3},
            idempotency_key="CALL:2",
        ),
        ToolFinished(invocation_id="t2", say="Done."),
    ]
    facts = await a_story(worked, [*REFUND_UNKNOWN, *again])
    assert [one.invocation_id for one in facts.unresolved] == ["t1"]
    settled = ToolFinished(invocation_id="t1", say="Done after all.")
    assert (await a_story(worked, [*REFUND_UNKNOWN, *again, settled])).unresolved == []


async def test_story_leaves_out_what_it_cannot_read(worked: Record) -> None:
    """Kinds of another version, gaps and erased entries."""
    call_id = await ended(
        worked, [Unknown(kind="turn.mime", body="{}"), JournalGap(lost=3), UserTurn(text="Hi.")]
    )
    call, recorded = await the_call(worked, call_id), await journal.read(worked, call_id)
    facts = tell(call, recorded)
    assert (facts.lost, len(facts.turns)) == (3, 1)
    erased = [dataclasses.replace(one, entry=None) for one in recorded]
    assert tell(call, erased).turns == []


async def test_story_has_a_repeated_proposal_once(worked: Record) -> None:
    """It waited for the first one's result, so it is no tool that was never run."""
    again = ToolProposed(
        invocation_id="t2", tool="order_status", arguments={}, turn_id="u", duplicate_of="t1"
    )
    facts = await a_story(worked, [*ORDER_STATUS, again])
    [tool] = facts.tools
    assert (tool.state, tool.arguments) == ("finished", {"order_number": 7})
    once = await a_story(worked, ORDER_STATUS)
    assert list(facts.lines()) == list(once.lines())


async def test_story_lines_are_in_the_order_of_the_journal(worked: Record) -> None:
    """Each with the number under which it can be found."""
    facts = await a_story(worked, REFUND_UNKNOWN)
    lines = list(facts.lines())
    assert lines == sorted(lines)
    words = [words for _, words in lines]
    assert "asked to confirm: Refund order 3? approved" in words
    assert "tool refund order (order number 3) unknown: No answer within 5 s." in words


def test_tool_call_for_people_leaves_out_what_was_not_said() -> None:
    """An argument without a value is none."""
    tool = ToolCall("1", tool="opening_hours", arguments={"day": None, "shop_name": "North"})
    assert tool.called == "opening hours (shop name North)"
