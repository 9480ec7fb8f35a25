"""Days that a script names: what the caller says, what tools get, what the agent may say."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agent_worker.rehearsal.placeholders import as_said, as_written, check, pattern
from agent_worker.values import DayKind

FRIDAY = datetime(2026, 12, 4, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))


def test_caller_says_days_that_leave_nothing_open() -> None:
    """Near ones by their word; of a weekday the date too: on a Friday, "Friday" may be today."""
    assert as_said("from {today} to {tomorrow}", FRIDAY) == "from today to tomorrow"
    assert as_said("on {friday} at 3", FRIDAY) == "on Friday, December 11 at 3"
    assert as_said("on {saturday}", FRIDAY) == "on Saturday, December 5"
    assert as_said("{2} of {3,4}", FRIDAY) == "{2} of {3,4}"


def test_tools_get_dates() -> None:
    """Anywhere in their arguments."""
    given = {"visit": {"day": "{tomorrow}", "other": ["{friday}", 7], "again": False}}
    wanted = {"visit": {"day": "2026-12-05", "other": ["2026-12-11", 7], "again": False}}
    assert as_written(given, FRIDAY) == wanted


@pytest.mark.parametrize(
    ("words", "said", "found"),
    [
        ("{saturday} at 9", "Tomorrow at 9.", True),
        ("{saturday} at 9", "Tomorrow, Saturday, December 5 at 9.", True),
        ("{saturday} at 9", "On Saturday at 9.", True),
        ("{saturday} at 9", "On Saturday, December 12 at 9.", False),
        ("{saturday}", "Saturday the 12th of December", False),
        ("{saturday}", "On Saturday, 3 PM.", True),
        ("{saturday}", "today or Sunday", False),
        ("{tomorrow}", "December 5, 2026", True),
        ("{tomorrow}", "December 5, 2027", True),
        ("{tomorrow}", "December 15", False),
        ("{tomorrow}", "December 50", False),
        ("{today}", "Friday 4 December", True),
        ("{today}", "2026-12-04", True),
        ("{friday}", "today, Friday, December 4", False),
        ("{friday}", "Friday the 11th of December", True),
        ("/{saturday} at [0-9]{1,2} (AM|PM)/", "tomorrow at 10 am", True),
        ("at {today}.", "at todayx", False),
        ("is {saturday} at 9", "It is on Saturday at 9.", True),
        ("is {saturday} at 9", "It is tomorrow at 9.", True),
    ],
)
def test_agent_may_word_a_day_in_many_ways(words: str, said: str, found: bool) -> None:
    """But it must be that day."""
    assert (pattern(words, FRIDAY).search(said) is not None) is found


@pytest.mark.parametrize("weekday", ["monday", "friday", "sunday"])
@pytest.mark.parametrize(
    "now",
    [
        FRIDAY,
        datetime(2026, 11, 29, 12, 0, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 12, 31, 23, 58, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2028, 2, 28, 0, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2027, 3, 27, 23, 58, tzinfo=ZoneInfo("Europe/Berlin")),
    ],
)
def test_what_the_caller_says_is_the_day_that_tools_get(now: datetime, weekday: str) -> None:
    """At any time of the year, as the agent reads it, and as it says it back."""
    word = f"{{{weekday}}}"
    found = DayKind().answer(as_said(word, now), now)
    assert found is not None and not found.question
    assert found.value.isoformat() == as_written(word, now)
    assert f"{found.value:%A}".lower() == weekday and 1 <= (found.value - now.date()).days <= 7
    assert pattern(f"on {word}.", now).fullmatch(f"on {DayKind().say(found.value, now)}.")


def test_unknown_placeholder_is_told() -> None:
    """With those that there are; what is no name is a regular expression's."""
    check(["{today} {3,4} {2}"])
    with pytest.raises(ValueError, match=r"no placeholder \{tuesdy\}; there are \{today\}, \{tom"):
        check(["a", "on {tuesdy}"])
