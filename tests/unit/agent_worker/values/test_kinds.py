"""What holds for every kind: what is said back is understood, what is written is read again."""

import json
import random
import time as clocks
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_worker.values import (
    DayKind,
    EmailKind,
    IdentifierKind,
    MoneyKind,
    NumberKind,
    OneOf,
    PhoneNumberKind,
    SpelledNameKind,
    TextKind,
    TimeOfDayKind,
    ValueKind,
)
from agent_worker.values.day_parts import DAY_ENDS_AT_HOUR

ZONES = ("America/New_York", "Europe/Berlin", "Pacific/Auckland")
NOW = datetime(2026, 12, 2, 10, tzinfo=ZoneInfo("America/New_York"))

KINDS: dict[str, ValueKind] = {
    "number": NumberKind(),
    "identifier": IdentifierKind(),
    "money": MoneyKind(),
    "day": DayKind(),
    "birthday": DayKind(past=True),
    "time": TimeOfDayKind(),
    "phone number": PhoneNumberKind(),
    "email": EmailKind(),
    "name": SpelledNameKind(),
    "choice": OneOf({"check_up": ("look over",), "repair": ()}),
    "text": TextKind(),
}
LETTERS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=8)
NAMES = st.lists(
    st.one_of(
        LETTERS.map(str.capitalize),
        st.tuples(LETTERS, LETTERS).map(lambda two: "-".join(map(str.capitalize, two))),
        LETTERS.map(lambda one: f"O'{one.capitalize()}"),
    ),
    min_size=1,
    max_size=3,
).map(" ".join)


def said_as_name(name: str) -> bool:
    """No word of it is one that no name has."""
    found = SpelledNameKind().answer(name, NOW)
    return found is not None and found.value == name


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(1, 999_999_999),
    "identifier": st.from_regex(r"\A[A-Z]{1,3}[0-9]{1,6}\Z"),
    "money": st.decimals(0, 99_999, places=2),
    "day": st.dates(NOW.date(), date(2029, 12, 31)),
    "birthday": st.dates(date(1900, 1, 1), NOW.date()),
    "time": st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    "phone number": st.from_regex(r"\A[2-9][0-9]{9}\Z")
    | st.from_regex(r"\A\+4420[0-9]{8}\Z").filter(
        lambda one: phonenumbers.is_possible_number(phonenumbers.parse(one))
    ),
    "email": st.from_regex(
        r"\A[a-z0-9]{1,6}([._+-][a-z0-9]{1,6}){0,2}@[a-z]{2,8}(-[a-z]{2,6})?\.(com|org|de|co\.uk)\Z"
    ),
    "name": NAMES.filter(said_as_name),
    "choice": st.sampled_from(["check_up", "repair"]),
    "text": st.text("abc def", min_size=1).map(str.strip).filter(bool),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_value_that_is_said_back_is_understood_as_itself(kind: str, data: st.DataObject) -> None:
    """Without a question: what the caller hears is what the agent has."""
    value = data.draw(VALUES[kind])
    said = KINDS[kind].say(value, NOW)
    found = KINDS[kind].answer(said, NOW)
    assert found is not None, said
    assert (found.value, found.question) == (value, ""), said


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_value_that_is_written_is_read_again(kind: str, data: st.DataObject) -> None:
    """In one form, through JSON."""
    value = data.draw(VALUES[kind])
    written = KINDS[kind].to_json(value)
    assert KINDS[kind].from_json(json.loads(json.dumps(written))) == value
    assert KINDS[kind].to_json(KINDS[kind].from_json(written)) == written


@pytest.mark.parametrize("kind", KINDS)
@given(
    text=st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            "one oh seven twelve fifty dollars cents at dot com three pm half past Friday next the "
            "27th of December tomorrow , . - no not in evening morning A B as boat double with "
            "name is @ ' $ 5 12:30 12/4 +44 plus and or to for a week from digit letter".split()
        ),
        max_size=9,
    ).map(" ".join)
)
def test_kind_reads_any_text_without_failing(kind: str, text: str) -> None:
    """A reading lies within the text, and its value can be written unless there is a question."""
    one = KINDS[kind]
    for found in (*one.find(text, NOW), *filter(None, [one.answer(text, NOW)])):
        assert 0 <= found.start < found.end <= len(text)
        if not found.question:
            assert one.from_json(one.to_json(found.value)) == found.value
            assert one.say(found.value, NOW)
    one.go_on(VALUE[kind], text, NOW)
    one.correct(VALUE[kind], text, NOW)


VALUE: dict[str, Any] = {
    "number": 7,
    "identifier": "B72",
    "money": Decimal("5.10"),
    "day": date(2026, 12, 4),
    "birthday": date(1980, 12, 4),
    "time": time(9),
    "phone number": "5551234567",
    "email": "ann@example.com",
    "name": "Jane Smith",
    "choice": "repair",
    "text": "something",
}


def moments() -> list[datetime]:
    """500 moments in three zones, many of them near midnight or a change of the clocks."""
    chance = random.Random(7)
    changes = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5)]
    changes += [date(2026, 9, 27), date(2026, 10, 25), date(2026, 11, 1)]
    found = []
    for number in range(500):
        zone = ZoneInfo(ZONES[number % len(ZONES)])
        if number % 2:
            day = chance.choice(changes) + timedelta(days=chance.randrange(-1, 2))
        else:
            day = date(2026, 1, 1) + timedelta(days=chance.randrange(700))
        minutes = chance.choice([0, 1, 59, 150, 1380, 1439, chance.randrange(1440)])
        local = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
        # An hour that a change of the clocks leaves out becomes the next.
        found.append(local.astimezone(UTC).astimezone(zone))
    return found


SAYINGS: list[tuple[str, Callable[[datetime], timedelta]]] = [
    ("today", lambda now: timedelta()),
    ("tomorrow", lambda now: timedelta(days=1)),
    ("the day after tomorrow", lambda now: timedelta(days=2)),
    ("in three days", lambda now: timedelta(days=3)),
    ("a week from tomorrow", lambda now: timedelta(days=8)),
    ("on Friday", lambda now: timedelta(days=(3 - now.weekday()) % 7 + 1)),
    ("the coming Monday", lambda now: timedelta(days=(6 - now.weekday()) % 7 + 1)),
]


@pytest.mark.parametrize(("said", "after"), SAYINGS)
def test_day_is_counted_in_days_of_the_calendar(
    said: str, after: Callable[[datetime], timedelta]
) -> None:
    """Across midnight, and on the days that have 23 or 25 hours."""
    for now in moments():
        found = DayKind().answer(said, now)
        assert found is not None
        is_friday = said == "on Friday" and now.weekday() == 4 and now.hour < DAY_ENDS_AT_HOUR
        assert bool(found.question) == is_friday, now
        assert found.value == now.date() + after(now), now


def test_days_and_times_are_said_back_and_understood_at_any_moment() -> None:
    """500 of each in three zones."""
    chance = random.Random(8)
    for now in moments():
        day = now.date() + timedelta(days=chance.randrange(800))
        at = time(chance.randrange(24), chance.randrange(60))
        said = f"{DayKind().say(day, now)} at {TimeOfDayKind().say(at, now)}"
        assert [one.value for one in DayKind().find(said, now)] == [day], said
        assert [one.value for one in TimeOfDayKind().find(said, now)] == [at], said


def test_kinds_read_a_sentence_in_five_milliseconds() -> None:
    """All of them together would still be in time."""
    said = (
        "hello, my name is Anne-Marie O'Neill and I would like to move my booking number one oh "
        "four from Friday the 4th to next Monday at a quarter past three in the afternoon, my "
        "telephone number is five five five one two three four five six seven, thanks"
    )
    for kind in KINDS.values():
        kind.find(said, NOW)
    started = clocks.process_time()
    for _ in range(20):
        for kind in KINDS.values():
            kind.find(said, NOW)
    spent_ms = (clocks.process_time() - started) * 1000 / 20
    assert spent_ms / len(KINDS) < 5
