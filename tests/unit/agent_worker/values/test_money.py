"""Amounts of money."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agent_worker.values import MoneyKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
DOLLARS = MoneyKind()


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("could I have five dollars back on order two", "5.00"),
        ("refund twelve fifty on order three", "12.50"),
        ("12.50", "12.50"),
        ("$5", "5.00"),
        ("$1,250.75", "1250.75"),
        ("five dollars and ten cents", "5.10"),
        ("five dollars ten", "5.10"),
        ("five dollars and a question", "5.00"),
        ("fifty cents", "0.50"),
        ("five and a half dollars", "5.50"),
        ("a dollar", "1.00"),
        ("a buck fifty", "1.50"),
        ("a hundred dollars", "100.00"),
        ("a million dollars", "1000000.00"),
        ("two million dollars", "2000000.00"),
        ("a discount of 20 percent on a helmet", None),
        ("half past ten", None),
        ("half ten", None),
        ("half an hour", None),
        ("some of my orders", None),
        ("the shipping of order nine", None),
        ("part of the order", None),
        ("one hundred and four dollars", "104.00"),
        ("twelve hundred dollars", "1200.00"),
        ("12.50 dollars", "12.50"),
        ("12,50 dollars", "12.50"),
        ("$12,50", "12.50"),
        ("$1,250", "1250.00"),
        ("ten dollars, I mean twelve", "12.00"),
        ("ten dollars, no, twelve fifty", "12.50"),
        ("ten dollars, sorry, order twelve", "10.00"),
        ("two grand", None),
        ("5$", "5.00"),
        ("five oh five", "5.05"),
        ("nineteen dollars and ninety-nine cents", "19.99"),
        ("seven dollars, no, eight dollars", "8.00"),
        ("five dollars, ten days ago", "5.00"),
        ("twelve", None),
        ("order twelve", None),
        ("it's fifty fifty", None),
        ("at nine thirty pm", None),
        ("in three days", None),
    ],
)
def test_money_is_found_in_what_was_said(said: str, amount: str | None) -> None:
    """To the cent; a number alone is no amount."""
    found = DOLLARS.find(said, NOW)
    assert [str(one.value) for one in found] == ([amount] if amount else [])
    assert not any(one.question for one in found)


@pytest.mark.parametrize(("said", "amount"), [("twelve", "12.00"), ("it's 12", "12.00")])
def test_money_answer_is_also_a_number_alone(said: str, amount: str) -> None:
    """Who was asked for an amount leaves the currency out."""
    found = DOLLARS.answer(said, NOW)
    assert found is not None
    assert (str(found.value), found.question) == (amount, "")


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("ten pounds", "Do you mean 10.00 dollars?"),
        ("two fifty dollars", "Do you mean 2.50 dollars, or 250?"),
        ("20 dollars or 30 dollars", "Do you mean 20 dollars, or 30 dollars?"),
        ("half of order nine", "How many dollars is that?"),
        ("half the price", "How many dollars is that?"),
        ("ten percent of order nine", "How many dollars is that?"),
        ("10% of it", "How many dollars is that?"),
        ("a third of the money", "How many dollars is that?"),
        ("part of the money", "How many dollars is that?"),
        ("a few dollars", "How many dollars is that?"),
        ("half a dollar", "How many dollars is that?"),
        ("10.555 dollars", "How many dollars is that?"),
        ("minus ten dollars", "How many dollars is that?"),
        ("a couple of hundred bucks", "How many dollars is that?"),
    ],
)
def test_money_that_can_be_another_amount_is_asked(said: str, question: str) -> None:
    """Another currency, dollars or hundreds, one of two."""
    found = DOLLARS.answer(said, NOW)
    assert found is not None
    assert found.question == question


def test_money_of_other_currencies_has_their_words() -> None:
    """Pounds and pence, and the notes that people name."""
    pounds = MoneyKind("GBP")
    for said in ("ten quid", "a tenner", "\u00a310", "ten pounds"):
        found = pounds.answer(said, NOW)
        assert found is not None
        assert (str(found.value), found.question) == ("10.00", "")
    assert pounds.say(Decimal("1.01"), NOW) == "1 pound and 1 penny"
    with pytest.raises(ValueError, match="currency"):
        MoneyKind("XXX")


@pytest.mark.parametrize(
    ("said", "corrected"),
    [
        ("no, sixty cents", "5.60"),
        ("no, twelve fifty", "12.50"),
        ("no, six dollars", "6.00"),
        ("no", None),
    ],
)
def test_money_correction_changes_the_cents_or_the_whole(said: str, corrected: str | None) -> None:
    """As far as it says."""
    value = DOLLARS.correct(Decimal("5.10"), said, NOW)
    assert (None if value is None else str(value)) == corrected


def test_money_goes_on_with_its_cents() -> None:
    """In another breath."""
    assert DOLLARS.go_on(Decimal("5.00"), "and fifty cents", NOW) == Decimal("5.50")
    assert DOLLARS.go_on(Decimal("5.10"), "and fifty cents", NOW) is None
    assert DOLLARS.go_on(Decimal("5.00"), "and a question", NOW) is None


@pytest.mark.parametrize("written", ["12.505", "-1", "NaN", "1e400", True, None, "twelve"])
def test_money_canonical_form_is_an_amount_to_the_cent(written: object) -> None:
    """Not a fraction of a cent, nor less than nothing."""
    with pytest.raises(ValueError, match="amount"):
        DOLLARS.from_json(written)  # type: ignore[arg-type]
    assert DOLLARS.from_json(12.5) == Decimal("12.50")
