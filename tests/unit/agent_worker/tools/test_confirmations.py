"""Questions and the answers to them."""

import asyncio

import pytest

from agent_worker.reasoning.yes_no import Said, read
from agent_worker.tools.confirmations import (
    REFUSED_MAX,
    CallersPage,
    Question,
    Questions,
    TooLongToAsk,
)
from agent_worker.tools.journal import MemoryJournal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Target
from tests.support.calls import FakeClock
from voice_contract.confirmations import PENDING_MAX, Confirmations, ConfirmationVote
from voice_contract.journal import (
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ConfirmationRefused,
)

pytestmark = pytest.mark.usefixtures("virtual_time")

DIGEST = "d" * 64


class Asker:
    """Questions with a clock that is turned by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal()
        self.shown: list[list[str]] = []
        """The ids of the open questions after each change."""
        self.page = CallersPage()
        self.questions = Questions(
            self.clock, self.journal, GatePhrases(), self.page, self._changed
        )

    def _changed(self, questions: Confirmations) -> None:
        self.shown.append([card.id for card in questions.pending])

    def ask(self, title: str = "Cancel order 9?", **changes: object) -> Question:
        fields: dict[str, object] = {
            "invocation_id": "t",
            "tool": "cancel",
            "title": title,
            "words": {"order_number": "9"},
            "arguments": {"order_number": 9},
            "digest": DIGEST,
            "expires_s": 30.0,
            "full": title,
            "page": self.page,
        }
        question = Question(**(fields | changes))  # type: ignore[arg-type]
        self.questions.ask(question)
        return question

    def vote(self, question: Question, approved: bool, digest: str = DIGEST) -> str:
        vote = ConfirmationVote(id=question.id, digest=digest, approved=approved)
        return self.questions.vote(vote, "screen", "caller-1").state


@pytest.fixture
async def asker() -> Asker:
    return Asker()


async def test_question_is_shown_with_all_arguments_and_the_time_that_is_left(
    asker: Asker,
) -> None:
    """By our own clock, not by anybody's time of day."""
    question = asker.ask(words={"order_number": "9", "why": "x" * 400})
    asker.clock.seconds += 12
    (card,) = asker.questions.listing().pending
    assert card.expires_in_ms == 18_000
    assert [(one.name, one.value) for one in card.arguments] == [
        ("order number", "9"),
        ("why", "x" * 400),
    ]
    assert (card.id, card.title, card.digest) == (question.id, "Cancel order 9?", DIGEST)


async def test_first_vote_counts_and_every_later_one_gets_its_state(asker: Asker) -> None:
    """The page repeats its vote until it gets an answer."""
    question = asker.ask()
    assert [asker.vote(question, approved) for approved in (True, False, True)] == ["approved"] * 3
    assert question.decided.result() == "approved"
    assert [type(entry) for entry in asker.journal.entries] == [
        ConfirmationAsked,
        ConfirmationAnswered,
    ]


async def test_vote_after_the_time_is_expired(asker: Asker) -> None:
    """Even when no timer has noticed yet."""
    question = asker.ask()
    asker.clock.seconds += 30
    assert asker.vote(question, True) == "expired"
    assert question.decided.result() == "expired"
    assert asker.journal.entries[1:] == [ConfirmationExpired(confirmation_id=question.id)]


@pytest.mark.parametrize("expires_s", [0.05, 100.0])
async def test_question_expires_by_itself(asker: Asker, expires_s: float) -> None:
    """Without a vote or a listing, also where it is open for longer than a timer runs."""
    question = asker.ask(expires_s=expires_s)
    for _ in range(2):
        await asyncio.sleep(expires_s / 2)
        asker.clock.seconds += expires_s / 2
    assert await asyncio.wait_for(question.decided, 61) == "expired"
    assert asker.questions.listing().pending == []


async def test_vote_with_another_digest_changes_nothing(asker: Asker) -> None:
    """What was shown there is not what would run; the question stays open, and it is on record."""
    question = asker.ask()
    assert asker.vote(question, True, "e" * 64) == "changed"
    assert not question.decided.done()
    assert asker.vote(question, True) == "approved"
    refused = asker.journal.entries[1]
    assert refused == ConfirmationRefused(
        confirmation_id=question.id, sender="caller-1", reason="changed"
    )


async def test_vote_on_no_question_is_unknown(asker: Asker) -> None:
    """And on record, but not without limit."""
    for _ in range(REFUSED_MAX + 5):
        vote = ConfirmationVote(id="nothing", digest=DIGEST, approved=True)
        assert asker.questions.vote(vote, "screen", "caller-1").state == "unknown"
    assert len(asker.journal.entries) == REFUSED_MAX


async def test_every_change_is_told(asker: Asker) -> None:
    """Opened, answered, expired, ended: the page gets the whole list each time."""
    first, second, third = (asker.ask(expires_s=seconds) for seconds in (10.0, 20.0, 30.0))
    assert asker.shown[-1] == [first.id, second.id, third.id]
    asker.vote(second, False)
    asker.clock.seconds += 15
    asker.questions.expire()
    asker.questions.end()
    assert asker.shown[3:] == [[first.id, third.id], [third.id], []]
    decisions = [one.decided.result() for one in (first, second, third)]
    assert decisions == ["expired", "declined", "ended"]


async def test_questions_that_expire_together_are_each_recorded_once(asker: Asker) -> None:
    """A model may ask two in the same millisecond."""
    questions = [asker.ask(), asker.ask(), asker.ask()]
    asker.clock.seconds += 30
    asker.questions.expire()
    assert [question.decided.result() for question in questions] == ["expired"] * 3
    assert asker.journal.entries[3:] == [
        ConfirmationExpired(confirmation_id=question.id) for question in questions
    ]
    assert asker.shown[-1] == []


async def test_wording_is_the_title_beside_a_card_and_everything_without(asker: Asker) -> None:
    """What the caller cannot see must be heard before a yes counts."""
    question = asker.ask(full="Cancel order 9? In full: why: no reason. Yes or no?")
    assert question.wording == question.full and not question.is_known
    asker.page.has_cards = True
    assert question.wording == question.title and not question.is_known
    asker.questions.acknowledge([question.id])
    assert question.is_known
    asker.questions.forget_page()
    assert question.wording == question.full and not question.is_known
    asker.questions.said(question.full)
    assert question.is_known
    asker.questions.end()


async def test_yes_repeats_what_shall_be_and_not_what_was(asker: Asker) -> None:
    """Who is asked about a change and names what it was may want no change, or another one."""
    target = Target("visit-1", {"kind": "repair", "when": "on Friday at 9"})
    moved = asker.ask(
        "Move your repair on Friday at 9 to Monday at 10?",
        words={"day": "Monday", "time": "10", "kind": "repair", "when": "on Friday at 9"},
        arguments={"day": "Monday", "time": "10", "kind": None},
        target=target,
    )
    assert read("yes, at nine", moved.about) is Said.YES_AND_MORE
    assert read("yes, Monday at ten", moved.about) is Said.YES
    dropped = asker.ask(
        "Cancel your repair on Friday at 9?",
        words={"kind": "repair", "when": "on Friday at 9"},
        arguments={"kind": None},
        target=target,
    )
    assert read("yes, cancel my repair on Friday", dropped.about) is Said.YES


async def test_vote_after_the_call_is_declined(asker: Asker) -> None:
    """What was not approved by then never is."""
    question = asker.ask()
    asker.questions.end()
    assert asker.vote(question, True) == "declined"
    assert asker.journal.entries[1:] == [
        ConfirmationExpired(confirmation_id=question.id, reason="call-ended")
    ]


async def test_only_as_many_questions_as_a_page_can_show_are_open(asker: Asker) -> None:
    """And all of them fit into one message."""
    for _ in range(PENDING_MAX):
        assert not asker.questions.full
        asker.ask(title="x" * 400, words={"a": "y" * 1000})
    assert asker.questions.full
    assert len(asker.questions.listing().model_dump_json()) < 65_536
    asker.questions.end()


async def test_question_that_is_too_long_is_not_asked(asker: Asker) -> None:
    """It would have to be cut."""
    with pytest.raises(TooLongToAsk):
        asker.ask(words={"a": "y" * 2_000})
    assert asker.journal.entries == [] and asker.questions.open == []


async def test_agent_that_left_closes_no_question(asker: Asker) -> None:
    """The next agent has them, and its clock decides."""
    asker.ask()
    asker.ask()
    asker.questions.leave()
    asker.clock.seconds += 30
    await asyncio.sleep(120)
    assert [type(entry) for entry in asker.journal.entries] == [ConfirmationAsked] * 2
