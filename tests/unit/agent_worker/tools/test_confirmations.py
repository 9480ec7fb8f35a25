"""Questions and the answers to them."""

import asyncio

import pytest

from agent_worker.tools.confirmations import REFUSED_MAX, Question, Questions, TooLongToAsk
from agent_worker.tools.journal import MemoryJournal
from tests.calls import FakeClock
from voice_contract.confirmations import PENDING_MAX, ConfirmationVote
from voice_contract.journal import (
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ConfirmationRefused,
)

DIGEST = "d" * 64


class Desk:
    """Questions with a clock that is turned by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.changes = 0
        self.questions = Questions(self.clock, self.journal, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def ask(self, title: str = "Cancel order 9?", **changes: object) -> Question:
        fields: dict[str, object] = {
            "tool_call_id": "t",
            "tool": "cancel",
            "title": title,
            "words": {"order_number": "9"},
            "arguments": {"order_number": 9},
            "digest": DIGEST,
            "expires_s": 30.0,
        }
        question = Question(**(fields | changes))  # type: ignore[arg-type]
        self.questions.ask(question)
        return question

    def vote(self, question: Question, approved: bool, digest: str = DIGEST) -> str:
        vote = ConfirmationVote(id=question.id, digest=digest, approved=approved)
        return self.questions.vote(vote, "screen", "caller-1").state


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_question_is_shown_with_all_arguments_and_the_time_that_is_left(desk: Desk) -> None:
    """By our own clock, not by anybody's time of day."""
    question = desk.ask(words={"order_number": "9", "why": "x" * 400})
    desk.clock.seconds += 12
    (card,) = desk.questions.listing().pending
    assert card.expires_in_ms == 18_000
    assert [(one.name, one.value) for one in card.arguments] == [
        ("order number", "9"),
        ("why", "x" * 400),
    ]
    assert (card.id, card.title, card.digest) == (question.id, "Cancel order 9?", DIGEST)


async def test_first_vote_counts_and_every_later_one_gets_its_state(desk: Desk) -> None:
    """The page repeats its vote until it gets an answer."""
    question = desk.ask()
    assert [desk.vote(question, approved) for approved in (True, False, True)] == ["approved"] * 3
    assert question.decided.result() == "approved"
    assert [type(entry) for entry in desk.journal.entries] == [
        ConfirmationAsked,
        ConfirmationAnswered,
    ]


async def test_vote_after_the_time_is_expired(desk: Desk) -> None:
    """Even when no timer has noticed yet."""
    question = desk.ask()
    desk.clock.seconds += 30
    assert desk.vote(question, True) == "expired"
    assert question.decided.result() == "expired"
    assert desk.journal.entries[1:] == [ConfirmationExpired(confirmation_id=question.id)]


async def test_question_expires_by_itself(desk: Desk) -> None:
    """Nobody needs to ask for it."""
    question = desk.ask(expires_s=0.05)
    desk.clock.seconds += 0.06
    assert await asyncio.wait_for(question.decided, 5) == "expired"
    assert desk.questions.listing().pending == []


async def test_vote_with_another_digest_changes_nothing(desk: Desk) -> None:
    """What was shown there is not what would run; the question stays open, and it is on record."""
    question = desk.ask()
    assert desk.vote(question, True, "e" * 64) == "changed"
    assert not question.decided.done()
    assert desk.vote(question, True) == "approved"
    refused = desk.journal.entries[1]
    assert refused == ConfirmationRefused(
        confirmation_id=question.id, sender="caller-1", reason="changed"
    )


async def test_vote_on_no_question_is_unknown(desk: Desk) -> None:
    """And on record, but not without limit."""
    for _ in range(REFUSED_MAX + 5):
        vote = ConfirmationVote(id="nothing", digest=DIGEST, approved=True)
        assert desk.questions.vote(vote, "screen", "caller-1").state == "unknown"
    assert len(desk.journal.entries) == REFUSED_MAX


async def test_every_change_is_told(desk: Desk) -> None:
    """Opened, answered, expired, ended: the page gets the whole list each time."""
    first, second, third = (desk.ask(expires_s=seconds) for seconds in (10.0, 20.0, 30.0))
    assert desk.changes == 3
    desk.vote(second, False)
    desk.clock.seconds += 15
    desk.questions.expire()
    desk.questions.end()
    assert desk.changes == 6
    decisions = [one.decided.result() for one in (first, second, third)]
    assert decisions == ["expired", "declined", "ended"]


async def test_vote_after_the_call_is_declined(desk: Desk) -> None:
    """What was not approved by then never is."""
    question = desk.ask()
    desk.questions.end()
    assert desk.vote(question, True) == "declined"
    assert desk.journal.entries[1:] == [
        ConfirmationExpired(confirmation_id=question.id, reason="call-ended")
    ]


async def test_so_many_questions_can_be_open(desk: Desk) -> None:
    """And all of them fit into one message."""
    for _ in range(PENDING_MAX):
        assert not desk.questions.full
        desk.ask(title="x" * 400, words={"a": "y" * 1000})
    assert desk.questions.full
    assert len(desk.questions.listing().model_dump_json()) < 65_536
    desk.questions.end()


async def test_question_that_is_too_long_is_not_asked(desk: Desk) -> None:
    """It would have to be cut."""
    with pytest.raises(TooLongToAsk):
        desk.ask(words={"a": "y" * 2_000})
    assert desk.journal.entries == [] and desk.questions.open == []
