"""Dates, times, money and lists in words, and days and times out of words."""

from datetime import date, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.tools.tool import ToolRefused
from examples.storefront.agent.speech import (
    WEEKDAYS,
    clock,
    day,
    listing,
    money,
    parse_day,
    parse_time,
)

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", WEDNESDAY),
        (" Tomorrow ", date(2026, 11, 19)),
        ("thursday", date(2026, 11, 19)),
        ("Tuesday", date(2026, 11, 24)),
        ("wednesday", date(2026, 11, 25)),
        ("2026-12-31", date(2026, 12, 31)),
    ],
)
def test_parse_day_understands_words_and_dates(text: str, expected: date) -> None:
    """The weekday of today means the next one."""
    assert parse_day(text, WEDNESDAY) == expected


@given(st.sampled_from(WEEKDAYS), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_parse_day_weekday_is_the_next_one_and_never_today(word: str, today: date) -> None:
    """Within the next seven days, and on that weekday."""
    found = parse_day(word, today)
    assert timedelta(days=1) <= found - today <= timedelta(days=7)
    assert WEEKDAYS[found.weekday()] == word


@pytest.mark.parametrize("text", ["", "someday", "the 5th", "2026-02-30", "18.11.2026"])
def test_parse_day_nonsense_is_refused_in_words(text: str) -> None:
    """The refusal can be spoken and does not quote."""
    with pytest.raises(ToolRefused, match=r"^I did not get the day\. Please say a weekday\.$"):
        parse_day(text, WEDNESDAY)


@pytest.mark.parametrize(
    ("text", "expected"), [("15:00", time(15)), ("9:30", time(9, 30)), (" 09:05 ", time(9, 5))]
)
def test_parse_time_takes_one_or_two_digits(text: str, expected: time) -> None:
    """With or without the leading zero."""
    assert parse_time(text) == expected


@pytest.mark.parametrize("text", ["", "three", "25:00", "12:60", "3 pm"])
def test_parse_time_nonsense_is_refused_in_words(text: str) -> None:
    """The refusal can be spoken and does not quote."""
    with pytest.raises(ToolRefused, match=r"^I did not get the time\."):
        parse_time(text)
