"""Words for money, days and times."""

from datetime import date, time

import pytest

from examples.storefront.backend import speech


@pytest.mark.parametrize(
    ("cents", "currency", "words"),
    [
        (1250, "USD", "12 dollars and 50 cents"),
        (101, "USD", "1 dollar and 1 cent"),
        (200, "EUR", "2 euros"),
        (99, "GBP", "99 pence"),
        (0, "USD", "0 dollars"),
        (1250, "CHF", "12.50 CHF"),
    ],
)
def test_money_is_words(cents: int, currency: str, words: str) -> None:
    """Singular, plural, nothing, and a currency without words."""
    assert speech.money(cents, currency) == words


def test_day_is_weekday_month_and_number() -> None:
    """Without a leading zero."""
    assert speech.day(date(2026, 11, 3)) == "Tuesday, November 3"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (time(9), "9 AM"),
        (time(0, 5), "12:05 AM"),
        (time(12), "12 PM"),
        (time(14, 30), "2:30 PM"),
    ],
)
def test_clock_time_is_of_twelve_hours(value: time, words: str) -> None:
    """Midnight and noon are twelve."""
    assert speech.clock_time(value) == words
