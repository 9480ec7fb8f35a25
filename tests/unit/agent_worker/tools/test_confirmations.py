"""Questions and the answers to them."""

import asyncio

import pytest

from agent_worker.tools.confirmations import REFUSED_MAX, Question, Questions, TooLongToAsk
from agent_worker.tools.journal import MemoryJournal
from tests.support.calls import FakeClock
from voice_contract.confirmations import PENDING_MAX, ConfirmationVote
from voice_contract.journal import (
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ConfirmationRefused,
)

pytestmark = pytest.mark.usefixtures("virtual_time")

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
            "invocation_id": "t",
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
async def page_rpc() -> Desk:
    return Desk()


async def test_question_is_shown_with_all_arguments_and_the_time_that_is_left(
    page_rpc: Desk,
) -> None:
    """By our own clock, not by anybody's time of day."""
    question = page_rpc.ask(words={"order_number": "9", "why": "x" * 400})
    page_rpc.clock.seconds += 12
    (card,) = page_rpc.questions.listing().pending
    assert card.expires_in_ms == 18_000
    assert [(one.name, one.value) for one in card.arguments] == [
        ("order number", "9"),
        ("why", "x" * 400),
    ]
    assert (card.id, card.title, card.digest) == (question.id, "Cancel order 9?", DIGEST)


async def test_first_vote_counts_and_every_later_one_gets_its_state(page_rpc: Desk) -> None:
    """The page repeats its vote until it gets an answer."""
    question = page_rpc.ask()
    assert [page_rpc.vote(question, approved) for approved in (True, False, True)] == [
        "approved"
    ] * 3
    assert question.decided.result() == "approved"
    assert [type(entry) for entry in page_rpc.journal.entries] == [
        ConfirmationAsked,
        ConfirmationAnswered,
    ]


async def test_vote_after_the_time_is_expired(page_rpc: Desk) -> None:
    """Even when no timer has noticed yet."""
    question = page_rpc.ask()
    page_rpc.clock.seconds += 30
    assert page_rpc.vote(question, True) == "expired"
    assert question.decided.result() == "expired"
    assert page_rpc.journal.entries[1:] == [ConfirmationExpired(confirmation_id=question.id)]


async def test_question_expires_by_itself(page_rpc: Desk) -> None:
    """Nobody needs to ask for it."""
    question = page_rpc.ask(expires_s=0.05)
    page_rpc.clock.seconds += 0.06
    assert await asyncio.wait_for(question.decided, 5) == "expired"
    assert page_rpc.questions.listing().pending == []


async def test_vote_with_another_digest_changes_nothing(page_rpc: Desk) -> None:
    """What was shown there is not what would run; the question stays open, and it is on record."""
    question = page_rpc.ask()
    assert page_rpc.vote(question, True, "e" * 64) == "changed"
    assert not question.decided.done()
    assert page_rpc.vote(question, True) == "approved"
    refused = page_rpc.journal.entries[1]
    assert refused == ConfirmationRefused(
        confirmation_id=question.id, sender="caller-1", reason="changed"
    )


async def test_vote_on_no_question_is_unknown(page_rpc: Desk) -> None:
    """And on record, but not without limit."""
    for _ in range(REFUSED_MAX + 5):
        vote = ConfirmationVote(id="nothing", digest=DIGEST, approved=True)
        assert page_rpc.questions.vote(vote, "screen", "caller-1").state == "unknown"
    assert len(page_rpc.journal.entries) == REFUSED_MAX


async def test_every_change_is_told(page_rpc: Desk) -> None:
    """Opened, answered, expired, ended: the page gets the whole list each time."""
    first, second, third = (page_rpc.ask(expires_s=seconds) for seconds in (10.0, 20.0, 30.0))
    assert page_rpc.changes == 3
    page_rpc.vote(second, False)
    page_rpc.clock.seconds += 15
    page_rpc.questions.expire()
    page_rpc.questions.end()
    assert page_rpc.changes == 6
    decisions = [one.decided.result() for one in (first, second, third)]
    assert decisions == ["expired", "declined", "ended"]


async def test_vote_after_the_call_is_declined(page_rpc: Desk) -> None:
    """What was not approved by then never is."""
    question = page_rpc.ask()
    page_rpc.questions.end()
    assert page_rpc.vote(question, True) == "declined"
    assert page_rpc.journal.entries[1:] == [
        ConfirmationExpired(confirmation_id=question.id, reason="call-ended")
    ]


async def test_so_many_questions_can_be_open(page_rpc: Desk) -> None:
    """And all of them fit into one message."""
    for _ in range(PENDING_MAX):
        assert not page_rpc.questions.full
        page_rpc.ask(title="x" * 400, words={"a": "y" * 1000})
    assert page_rpc.questions.full
    assert len(page_rpc.questions.listing().model_dump_json()) < 65_536
    page_rpc.questions.end()


async def test_question_that_is_too_long_is_not_asked(page_rpc: Desk) -> None:
    """It would have to be cut."""
    with pytest.raises(TooLongToAsk):
        page_rpc.ask(words={"a": "y" * 2_000})
    assert page_rpc.journal.entries == [] and page_rpc.questions.open == []
