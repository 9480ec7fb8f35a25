"""Numbers, dates and deeds."""

from datetime import date
from decimal import Decimal

import pytest

from call_record.record import Record
from post_call.evidence import dates_in, evidence, numbers_in
from tests.support.ended_calls import ORDER_STATUS, REFUND_UNKNOWN, said
from tests.unit.post_call.conftest import a_story
from voice_contract.journal import UserTurn

TUESDAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "spoken", "numbers"),
    [
        ("Order 7 costs $1,250.50.", False, {"7", "1250.50"}),
        ("order seven, the twenty-first", True, {"7", "21"}),
        ("One of them was fine.", False, set()),
        ("order one", True, {"1"}),
        ("no numbers", True, set()),
        ("It costs 5 dollars and 20 cents.", False, {"5.20"}),
        ("It costs €1.250,50.", False, {"1250.50"}),
        ("forty pounds and five pence", True, {"40.05", "40", "5"}),
    ],
)
def test_numbers_are_found_in_digits_and_words(text: str, spoken: bool, numbers: set[str]) -> None:
    """In what was said the smallest count too; in what is claimed "one" is no number."""
    assert set(map(Decimal, numbers)) <= numbers_in(text, spoken=spoken)
    if not spoken:
        assert numbers_in(text) == set(map(Decimal, numbers))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Call me tomorrow.", [date(2026, 11, 25)]),
        ("on Friday, please", [date(2026, 11, 27)]),
        ("next Tuesday", [date(2026, 12, 1)]),
        ("on November the 26th", [date(2026, 11, 26)]),
        ("the third of March", [date(2027, 3, 3)]),
        ("2026-12-31", [date(2026, 12, 31)]),
        ("2026-13-31, February 30, may I?", []),
        ("whenever", []),
    ],
)
def test_dates_are_found_as_they_are_said(text: str, days: list[date]) -> None:
    """A weekday is the next one; a day without a year is in the future."""
    assert dates_in([text], TUESDAY) == set(days)


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("Sam asked about order 7, which costs $93.95.", True),
        ("It should arrive on 2026-11-26.", True),
        ("Sam asked about order 8.", False),
        ("Order seventy was on its way.", False),
        ("The order was cancelled.", False),
        ("Sam was refunded.", False),
        ("The agent could not help.", True),
    ],
)
async def test_text_is_supported_by_what_the_journal_holds(
    worked: Record, text: str, supported: bool
) -> None:
    """Hundredth parts in data are said as whole ones; what nobody did was not done."""
    known = evidence(await a_story(worked, ORDER_STATUS))
    assert known.supports(text) is supported


async def test_wish_of_the_caller_is_no_deed(worked: Record) -> None:
    """Asking for a refund does not make it refunded; saying it of something makes it sayable."""
    entries = [UserTurn(text="Refund order three. It was delivered broken."), *said("1", "Sorry.")]
    known = evidence(await a_story(worked, entries))
    assert not known.supports("Order 3 was refunded.")
    assert known.supports("Order 3 was delivered broken.")
    assert not evidence(await a_story(worked, REFUND_UNKNOWN)).supports("It was refunded.")


async def test_supported_keeps_the_good_sentences(worked: Record) -> None:
    """And counts the others."""
    known = evidence(await a_story(worked, ORDER_STATUS))
    text = "Sam asked about order 7. Order 12 was cancelled. It is on its way!"
    assert known.supported(text) == ("Sam asked about order 7. It is on its way!", 1)
