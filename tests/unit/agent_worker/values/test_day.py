"""Days: relative and absolute, with the question where two can be meant."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent_worker.values import DayKind

WEDNESDAY = datetime(2026, 12, 2, 10, tzinfo=ZoneInfo("America/New_York"))
DAY = DayKind()
BIRTH = DayKind(past=True)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-12-02"),
        ("tonight", "2026-12-02"),
        ("how late can I still come today", "2026-12-02"),
        ("tomorrow", "2026-12-03"),
        ("any slot this afternoon", "2026-12-02"),
        ("the day after tomorrow", "2026-12-04"),
        ("Friday", "2026-12-04"),
        ("this Friday", "2026-12-04"),
        ("the coming friday", "2026-12-04"),
        ("fri 3pm suits me", "2026-12-04"),
        ("anything on sat", "2026-12-05"),
        ("sat morning", "2026-12-05"),
        ("this sun", "2026-12-06"),
        ("next Monday", "2026-12-07"),
        ("Friday week", "2026-12-11"),
        ("Friday next week", "2026-12-11"),
        ("next week on Tuesday", "2026-12-08"),
        ("a week from Monday", "2026-12-14"),
        ("a week on Friday", "2026-12-11"),
        ("two weeks from today", "2026-12-16"),
        ("three days from now", "2026-12-05"),
        ("in three days", "2026-12-05"),
        ("in a fortnight", "2026-12-16"),
        ("tomorrow week", "2026-12-10"),
        ("the 27th", "2026-12-27"),
        ("on the twenty-seventh, please", "2026-12-27"),
        ("on the second", "2026-12-02"),
        ("December 4th", "2026-12-04"),
        ("December twenty five", "2026-12-25"),
        ("4 December 2026", "2026-12-04"),
        ("December fourth, twenty twenty-seven", "2027-12-04"),
        ("the fourth of December I would like", "2026-12-04"),
        ("Dec. 4", "2026-12-04"),
        ("12/4", "2026-12-04"),
        ("27/12", "2026-12-27"),
        ("12/4/2027", "2027-12-04"),
        ("4.12.2026", "2026-12-04"),
        ("2026-12-31", "2026-12-31"),
        ("Friday the 4th", "2026-12-04"),
        ("Friday, December 4", "2026-12-04"),
        ("Saturday, January 1, 2028", "2028-01-01"),
        ("next Friday, the 11th", "2026-12-11"),
        ("tomorrow, Thursday", "2026-12-03"),
        ("Thursday fortnight", "2026-12-17"),
        ("on the second of next month", "2027-01-02"),
        ("the fourth of this month", "2026-12-04"),
        ("the day after the fourteenth", "2026-12-15"),
        ("the day before New Year's Eve", "2026-12-30"),
        ("the week after Friday", "2026-12-11"),
        ("the second to last week of it", None),
        ("are you open on Christmas Eve", "2026-12-24"),
        ("Christmas Day", "2026-12-25"),
        ("on christmas", "2026-12-25"),
        ("boxing day", "2026-12-26"),
        ("u guys open new years eve", "2026-12-31"),
        ("on New Year\u2019s Day", "2027-01-01"),
        ("I need it before Christmas", None),
        ("a Christmas present", None),
        ("you're not open Sundays are you", "2026-12-06"),
        ("is Saturday's slot free", "2026-12-05"),
        ("if I pop round on Saturday will anyone be there", "2026-12-05"),
        ("book me in for Friday evening at nine", "2026-12-04"),
        ("Friday, no, Saturday", "2026-12-05"),
        ("Saturday, not Friday", "2026-12-05"),
        ("not Friday, Saturday", "2026-12-05"),
        ("not Friday the fourth, Saturday", "2026-12-05"),
        ("not tomorrow but the day after", "2026-12-04"),
        ("the first Monday in January", "2027-01-04"),
        ("the last Friday of the month", "2026-12-25"),
        ("anything but not Friday", None),
        ("why not Friday", "2026-12-04"),
        ("may I come on the 4th", "2026-12-04"),
        ("May 4th", "2027-05-04"),
        ("January 8", "2027-01-08"),
        ("on Mon", "2026-12-07"),
        ("yesterday", None),
        ("last Friday", None),
        ("three days ago", None),
        ("hold on a second", None),
        ("the first one", None),
        ("order 4 may be late", None),
        ("I sat down in the sun", None),
        ("are you open 24/7", None),
        ("February 30th", None),
        ("refund twelve fifty on order three", None),
        ("could I come in a week later than we said", None),
        ("I can't make Thursday", None),
        ("I don't think Friday is going to work", None),
        ("Friday doesn't suit me", None),
        ("I'm away on Friday", None),
        ("any day except Friday", None),
        ("any day but Friday", None),
        ("I can't come on Friday, is Monday all right", "2026-12-07"),
        ("Thursday won't work, can we do Friday", "2026-12-04"),
        ("can't you do Friday", "2026-12-04"),
        ("will Friday not work", "2026-12-04"),
    ],
)
def test_day_is_found_in_what_was_said(said: str, day: str | None) -> None:
    """A date, as a person means it on a Wednesday; what lies behind is not meant."""
    found = DAY.find(said, WEDNESDAY)
    assert [one.value.isoformat() for one in found] == ([day] if day else [])
    assert not any(one.question for one in found)


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("next Friday", "Do you mean Friday, December 4, or Friday, December 11?"),
        ("Wednesday", "Do you mean Wednesday, December 9, or today, Wednesday, December 2?"),
        ("this weekend", "Do you mean Saturday, December 5, or Sunday, December 6?"),
        ("next week", "Which day next week?"),
        ("Friday the 5th", "Do you mean Saturday, December 5, or Friday, December 4?"),
        ("tomorrow, Friday", "Do you mean Friday, December 4, or tomorrow, Thursday, December 3?"),
        (
            "Thursday or Friday",
            "Do you mean tomorrow, Thursday, December 3, or Friday, December 4?",
        ),
        ("December 1", "Do you mean Wednesday, December 1, 2027?"),
        ("yesterday", "December 1, 2026 is over. Which day do you mean?"),
    ],
)
def test_day_that_can_be_another_is_asked(said: str, question: str) -> None:
    """Never guessed."""
    found = DAY.answer(said, WEDNESDAY)
    assert found is not None
    assert found.question == question


def test_week_said_after_several_days_is_that_of_each() -> None:
    """Of "Thursday or Friday next week" Thursday is not tomorrow."""
    found = DAY.find("Thursday or Friday next week", WEDNESDAY)
    assert [one.value.day for one in found] == [10, 11]


def test_day_to_which_something_is_moved_comes_first() -> None:
    """Of "from Friday to Monday" Monday is the likelier."""
    found = DAY.find("can you move it from Friday to Monday", WEDNESDAY)
    assert [one.value.day for one in found] == [7, 4]


def test_weekday_said_on_such_a_day_in_the_evening_is_the_next() -> None:
    """Nobody means the rest of today by its weekday."""
    found = DAY.answer("Wednesday", WEDNESDAY.replace(hour=20))
    assert found is not None
    assert (found.value, found.question) == (date(2026, 12, 9), "")


def test_day_of_numbers_is_read_as_the_country_writes_it() -> None:
    """Month first in the United States, day first elsewhere."""
    assert DAY.find("12/4", WEDNESDAY)[0].value == date(2026, 12, 4)
    assert DayKind(month_first=False).find("12/4", WEDNESDAY)[0].value == date(2027, 4, 12)


@pytest.mark.parametrize(
    ("said", "day", "question"),
    [
        ("the fourth of December 1980", "1980-12-04", ""),
        ("March 3rd nineteen eighty four", "1984-03-03", ""),
        ("the third of may two thousand and one", "2001-05-03", ""),
        ("Jan 5 twenty oh one", "2001-01-05", ""),
        ("12/4/84", "1984-12-04", ""),
        ("seventh of July, ninety one", "1991-07-07", ""),
        ("last Friday", "2026-11-27", ""),
        ("Thursday, December 4, 1980", "1980-12-04", ""),
        ("December 4", "2025-12-04", "In which year?"),
    ],
)
def test_day_that_lies_behind_is_read_where_it_is_meant(said: str, day: str, question: str) -> None:
    """A date of birth; without a year it is asked."""
    found = BIRTH.answer(said, WEDNESDAY)
    assert found is not None
    assert (found.value.isoformat(), found.question) == (day, question)
    assert BIRTH.go_on(date(2025, 12, 4), "nineteen eighty", WEDNESDAY) == date(1980, 12, 4)


@pytest.mark.parametrize(
    ("said", "corrected"),
    [
        ("no, the week after", "2026-12-11"),
        ("next week", "2026-12-11"),
        ("a day later", "2026-12-05"),
        ("no, Thursday", "2026-12-03"),
        ("the eleventh", "2026-12-11"),
        ("no", None),
    ],
)
def test_day_correction_moves_or_replaces_it(said: str, corrected: str | None) -> None:
    """From Friday, December 4."""
    value = DAY.correct(date(2026, 12, 4), said, WEDNESDAY)
    assert (None if value is None else value.isoformat()) == corrected


def test_day_is_that_of_the_callers_time_zone() -> None:
    """At the same moment tomorrow is another date in Auckland."""
    moment = datetime(2026, 12, 2, 23, 30, tzinfo=ZoneInfo("America/New_York"))
    for zone, day in (("America/New_York", 3), ("Europe/Berlin", 4), ("Pacific/Auckland", 4)):
        found = DAY.find("tomorrow", moment.astimezone(ZoneInfo(zone)))
        assert [one.value for one in found] == [date(2026, 12, day)]


def test_day_is_said_back_with_its_date() -> None:
    """And with the year where it is far."""
    today = WEDNESDAY.date()
    assert DAY.say(today, WEDNESDAY) == "today, Wednesday, December 2"
    assert DAY.say(today + timedelta(days=1), WEDNESDAY) == "tomorrow, Thursday, December 3"
    assert DAY.say(date(2026, 12, 11), WEDNESDAY) == "Friday, December 11"
    assert DAY.say(date(2027, 12, 1), WEDNESDAY) == "Wednesday, December 1, 2027"
    assert BIRTH.say(date(1980, 12, 4), WEDNESDAY) == "December 4, 1980"


@pytest.mark.parametrize("written", ["2026-2-3", "20261204", "tomorrow", "2026-02-30", 5, None])
def test_day_canonical_form_is_an_iso_date(written: object) -> None:
    """No other writing of it."""
    with pytest.raises(ValueError, match=r"date|day"):
        DAY.from_json(written)  # type: ignore[arg-type]
