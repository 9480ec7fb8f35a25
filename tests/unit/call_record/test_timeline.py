"""A journal as a timeline."""

from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_worker.resume import rebuild
from call_record import show
from call_record.calls import Call
from call_record.journal import Recorded
from call_record.tables import CallState
from call_record.timeline import Timeline, fold
from post_call.call_facts import tell
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
    ConfirmationRefused,
    Entry,
    JournalGap,
    Known,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    Unknown,
    Usage,
    UserTurn,
)

CALL = Call(
    call_id="call",
    state=CallState.LIVE,
    attempt=1,
    owner="job",
    worker_id="worker",
    renewals=1,
    caller="sam",
    tenant=None,
    display_name=None,
    return_proof_hash=None,
    networks=None,
    admitted_at_ms=0,
    joined_at_ms=0,
    ended_at_ms=None,
    end_reason=None,
    key_id="k",
    head_seq=0,
    head_mac=b"",
    taken=False,
)
PROPOSED = ToolProposed(invocation_id="t", tool="pay", arguments={"n": "1"}, turn_id="turn-1")
STARTED = ToolStarted(
    invocation_id="t", tool="pay", effect="write", arguments={"n": 1}, idempotency_key="key"
)
ASKED = ConfirmationAsked(
    confirmation_id="c",
    invocation_id="t",
    tool="pay",
    title="Pay?",
    arguments={"n": 1},
    digest="d",
    expires_in_ms=1,
)
YES = ConfirmationAnswered(confirmation_id="c", approved=True, by="voice")
EXPIRED = ConfirmationExpired(confirmation_id="c")


def written(entries: Sequence[Entry | None]) -> list[Recorded]:
    """A journal of these entries; None: an erased one."""
    return [
        Recorded(seq, 1_000 * seq, 1, entry.kind if entry else "turn.user", entry, b"")
        for seq, entry in enumerate(entries, 1)
    ]


def told(*entries: Entry | None) -> Timeline:
    """The timeline of these entries."""
    return fold(written(entries))


def test_turns_are_what_was_heard_in_the_order_of_the_journal() -> None:
    """An agent's words stand where they ended; those that were cut off, where they began."""
    line = told(
        AgentTurnStarted(turn_id="1", planned="Hello, a machine."),
        AgentTurnEnded(turn_id="1", heard="Hello", interrupted=True),
        UserTurn(text="Where is it?", turn_id="u"),
        AgentTurnStarted(turn_id="2", planned="One moment."),
        UserTurn(text="Hurry."),
    )
    assert [(turn.seq, turn.text) for turn in line.turns] == [
        (2, "Hello"),
        (3, "Where is it?"),
        (4, "One moment."),
        (5, "Hurry."),
    ]
    assert [turn.was_interrupted for turn in line.agent_turns] == [True, True]
    assert not any(turn.was_heard for turn in line.agent_turns)


def test_turn_that_ends_after_the_caller_spoke_is_one_turn() -> None:
    """It was not cut off: how much was heard is known."""
    line = told(
        AgentTurnStarted(turn_id="1", planned="One two three."),
        UserTurn(text="Stop."),
        AgentTurnEnded(turn_id="1", heard="One two", interrupted=True),
    )
    assert [turn.text for turn in line.turns] == ["Stop.", "One two"]


def test_turn_whose_beginning_was_lost_is_there() -> None:
    """Its end says what was heard."""
    [turn] = told(AgentTurnEnded(turn_id="1", heard="Hi.", interrupted=False)).agent_turns
    assert (turn.started, turn.text, turn.was_heard) == (None, "Hi.", True)


def test_same_turn_id_of_two_agents_is_two_turns() -> None:
    """The first one stays cut off."""
    line = told(
        AgentTurnStarted(turn_id="1", planned="First."),
        AgentTurnStarted(turn_id="1", planned="Second."),
        AgentTurnEnded(turn_id="1", heard="Second.", interrupted=False),
    )
    assert [(turn.text, turn.was_heard) for turn in line.agent_turns] == [
        ("First.", False),
        ("Second.", True),
    ]


def test_invocation_goes_from_proposed_to_finished() -> None:
    """With its confirmation, its key, its entries' numbers and the turns that it spans."""
    line = told(
        UserTurn(text="Pay.", turn_id="turn-1"),
        PROPOSED,
        ASKED,
        YES,
        UserTurn(text="Yes.", turn_id="turn-2"),
        STARTED,
        ToolFinished(invocation_id="t", say="Paid.", data={"ok": True}),
    )
    [one] = line.invocations
    assert (one.tool, one.arguments, one.state, one.words) == ("pay", {"n": 1}, "finished", "Paid.")
    assert (one.idempotency_key, one.seqs) == ("key", [2, 6, 7])
    assert one.turn_ids == {"turn-1", "turn-2"}
    assert one.confirmation is line.confirmations[0]
    assert (one.confirmation.decision, one.confirmation.seqs) == ("approved", [3, 4])
    assert [turn.decides for turn in line.caller_turns] == [None, one.confirmation]
    assert not one.told


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [
        (None, "started", ""),
        (ToolFailed(invocation_id="t", reason="No."), "failed", "No."),
        (ToolUnknown(invocation_id="t", reason="Late."), "unknown", "Late."),
        (ToolRefused(invocation_id="t", reason="Closed."), "refused", "Closed."),
    ],
)
def test_invocation_ends_as_the_journal_says(end: Entry | None, state: str, words: str) -> None:
    """One that has no end was begun, and nobody knows more."""
    [one] = told(*[entry for entry in (PROPOSED, STARTED, end) if entry]).invocations
    assert (one.state, one.words) == (state, words)


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        ((PROPOSED,), True),
        ((PROPOSED, ToolRefused(invocation_id="t", reason="Closed.", guard="closing")), True),
        ((PROPOSED, ToolRefused(invocation_id="t", reason="No.", guard="policy")), False),
        ((PROPOSED, ASKED), False),
        ((PROPOSED, ASKED, YES), True),
        ((PROPOSED, STARTED), False),
    ],
)
def test_wish_is_left_where_nothing_came_of_it_and_nobody_was_asked(
    entries: tuple[Entry, ...], left: bool
) -> None:
    """Whoever takes the call over wonders about these alone."""
    [one] = told(*entries).invocations
    assert one.is_left is left


def test_duplicate_belongs_to_the_first_invocation() -> None:
    """It waits for that one's result, so it is none of its own."""
    again = PROPOSED.model_copy(
        update={"invocation_id": "t~2", "duplicate_of": "t", "turn_id": "turn-2"}
    )
    [one] = told(PROPOSED, again, STARTED).invocations
    assert (one.seqs, one.turn_ids) == ([1, 2, 3], {"turn-1", "turn-2"})


def test_invocation_that_was_begun_again_has_no_end() -> None:
    """What was unknown before was settled by running it again; how that ended nobody knows."""
    unknown = ToolUnknown(invocation_id="t", reason="Late.")
    [one] = told(PROPOSED, STARTED, unknown, STARTED).invocations
    assert (one.end, one.state) == (None, "started")


def test_end_that_was_told_counts_as_not_told_when_another_one_follows() -> None:
    """Only that it was unknown had been told."""
    heard = AgentTurnEnded(turn_id="1", heard="?", interrupted=False, invocation_ids=("t",))
    before = (PROPOSED, STARTED, ToolUnknown(invocation_id="t", reason="Late."), heard)
    [one] = told(*before).invocations
    assert one.told
    [one] = told(*before, ToolFinished(invocation_id="t", say="Paid.")).invocations
    assert (one.told, one.state, len(one.ends)) == (False, "finished", 2)


@pytest.mark.parametrize(
    ("ends", "decision"),
    [
        ((), None),
        ((YES,), "approved"),
        ((YES.model_copy(update={"approved": False}),), "declined"),
        ((EXPIRED,), "expired"),
        ((EXPIRED, YES), "approved"),
        ((YES, EXPIRED), "approved"),
    ],
)
def test_confirmation_is_decided_by_its_answer(
    ends: tuple[Entry, ...], decision: str | None
) -> None:
    """An answer is on record only if it counted, whatever else is."""
    [one] = told(PROPOSED, ASKED, *ends).confirmations
    assert one.decision == decision


@pytest.mark.parametrize(
    ("between", "decides"),
    [
        ([], True),
        ([UserTurn(text="")], True),
        ([AgentTurnStarted(turn_id="1", planned="Good.")], False),
        ([UserTurn(text="Yes.")], False),
    ],
)
def test_turn_decides_a_question_when_it_comes_next(between: list[Entry], decides: bool) -> None:
    """A vote on the screen is no turn, so none decides it."""
    for by, expected in (("voice", decides), ("screen", False)):
        answer = YES.model_copy(update={"by": by})
        line = told(ASKED, answer, *between, UserTurn(text="Go on."))
        assert (line.caller_turns[-1].decides is not None) is expected


def test_ends_without_a_beginning_stand_alone() -> None:
    """What came before them was lost with the database."""
    line = told(
        JournalGap(lost=3),
        ToolFinished(invocation_id="t", say="Paid."),
        YES,
        ClientActionOutcome(action_id="a", outcome="done"),
    )
    [invocation], [confirmation], [action] = (
        line.invocations,
        line.confirmations,
        line.client_actions,
    )
    assert (invocation.tool, invocation.state) == ("", "finished")
    assert (confirmation.asked, confirmation.decision) == (None, "approved")
    assert (action.proposed, len(action.outcomes)) == (None, 1)
    assert [gap.entry.lost for gap in line.gaps] == [3]


def test_life_of_the_call_is_on_the_timeline() -> None:
    """Who had it, when the caller came and went, what it took, why it ended."""
    line = told(
        CallClaimed(owner="job-1", worker_id="w"),
        CallJoined(),
        CallLeft(reason="network"),
        CallReturned(),
        CallClaimed(owner="job-2", worker_id="w"),
        BudgetEvent(budget="turn", used=9, limit=8),
        Usage(amounts={"a": 1}),
        Usage(amounts={"a": 2}),
        ClientActionProposed(action_id="a", action="show_order"),
        CallEnding(reason="caller"),
        CallEnded(reason="caller"),
    )
    assert [claim.entry.owner for claim in line.claims] == ["job-1", "job-2"]
    assert line.joined is not None and line.joined.at_ms == 2_000
    assert (len(line.left), len(line.returns), len(line.budgets)) == (1, 1, 1)
    assert line.usage is not None and line.usage.entry.amounts == {"a": 2}
    assert line.ending is not None and line.ended is not None
    assert line.ended.entry.reason == "caller"


def test_what_cannot_be_read_is_passed_over() -> None:
    """A kind of another version has a number and a kind; an erased entry is listed apart."""
    line = told(UserTurn(text="Hi."), Unknown(kind="turn.hummed", body="{}"), None)
    assert line.kinds == {1: "turn.user", 2: "turn.hummed"}
    assert [(one.seq, one.kind) for one in line.erased] == [(3, "turn.user")]
    assert len(line.turns) == 1


IDS = st.sampled_from(["", "a", "b"])
VALUES: dict[str, st.SearchStrategy[object]] = {
    "arguments": st.just({"n": 1, "none": None}),
    "slots": st.just({}),
    "data": st.just({"total": [1, "two"]}),
    "amounts": st.just({"llm_input_tokens": 1.0}),
    "invocation_ids": st.lists(IDS, max_size=2).map(tuple),
    "effect": st.sampled_from(["read", "write"]),
    "by": st.sampled_from(["voice", "text", "screen"]),
    "approved": st.booleans(),
    "interrupted": st.booleans(),
    "lost": st.integers(0, 9),
    "expires_in_ms": st.integers(0, 9),
    "used": st.just(1.0),
    "limit": st.just(1.0),
}


def entries_of(model: type[Known]) -> st.SearchStrategy[Entry]:
    """Entries of one kind, with few ids, so that they meet."""
    fields = {
        name: VALUES.get(name, IDS)
        for name, field in model.model_fields.items()
        if field.is_required() or name in VALUES or name.endswith(("_of", "_id"))
    }
    return st.builds(dict, **fields).map(model.model_validate)


ENTRIES = st.one_of(
    st.none(),
    st.just(Unknown(kind="mood", body="{}")),
    st.just(ConfirmationRefused(confirmation_id="a", sender="kim", reason="stranger")),
    *(entries_of(model) for model in get_args(Known) if model is not ConfirmationRefused),
)


@given(st.lists(ENTRIES, max_size=30))
@settings(max_examples=200, deadline=None)
def test_every_prefix_of_a_journal_folds_and_every_reader_reads_it(
    entries: list[Entry | None],
) -> None:
    """In whatever order entries stand, whatever of them was lost or erased."""
    recorded = written(entries)
    for length in range(len(recorded) + 1):
        line = fold(recorded[:length])
        seqs = [*line.kinds, *(one.seq for one in line.erased)]
        assert sorted(seqs) == list(range(1, length + 1))
        assert [turn.seq for turn in line.turns] == sorted(turn.seq for turn in line.turns)
    facts = tell(CALL, recorded)
    assert len(facts.turns) >= len(line.caller_turns)
    assert list(facts.lines()) == sorted(facts.lines())
    shown = list(show.conversation(CALL, recorded))
    assert len(shown) <= len(recorded)
    history = rebuild(recorded, 0)
    assert (history is None) is (len(line.claims) < 2 or line.joined is None)


def test_invocation_stands_where_its_last_step_is() -> None:
    """Its end, or else its start or proposal."""
    steps: list[Entry] = [PROPOSED, STARTED, ToolFinished(invocation_id="t", say="Paid.")]
    for count in (1, 2, 3):
        [one] = told(*steps[:count]).invocations
        assert one.seq == one.seqs[-1] > 0
