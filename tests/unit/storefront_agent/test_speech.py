"""Dates, times, money and lists in words."""

from datetime import date, time, timedelta

import pytest

from examples.storefront.agent.speech import clock, day, listing, money

WEDNESDAY = date(2026, 11, 18)


@pytest.mark.parametrize(
    ("cents", "words"),
    [
        (0, "0 dollars"),
        (1, "1 cent"),
        (99, "99 cents"),
        (100, "1 dollar"),
        (101, "1 dollar and 1 cent"),
        (1250, "12 dollars and 50 cents"),
        (124900, "1249 dollars"),
    ],
)
def test_money_is_dollars_and_cents(cents: int, words: str) -> None:
    """Singular, plural, and no part that is nothing."""
    assert money(cents) == words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, "today"),
        (1, "tomorrow"),
        (2, "Friday, November 20"),
        (-1, "Tuesday, November 17"),
        (14, "Wednesday, December 2"),
    ],
)
def test_day_is_near_or_named(ahead: int, words: str) -> None:
    """Near days by their word, others by name; never a number with a zero before it."""
    assert day(WEDNESDAY + timedelta(days=ahead), WEDNESDAY) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (time(0), "12 AM"),
        (time(9), "9 AM"),
        (time(9, 5), "9:05 AM"),
        (time(12), "12 PM"),
        (time(12, 30), "12:30 PM"),
        (time(15, 30), "3:30 PM"),
        (time(23), "11 PM"),
    ],
)
def test_clock_has_twelve_hours(value: time, words: str) -> None:
    """Noon is 12 PM, midnight 12 AM, full hours have no minutes."""
    assert clock(value) == words


@pytest.mark.parametrize(
    ("parts", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_listing_has_and_before_the_last(parts: list[str], words: str) -> None:
    """As one says it."""
    assert listing(parts) == words
