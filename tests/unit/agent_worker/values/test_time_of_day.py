"""Times of day, with the part of the day wherever it is said."""

from datetime import UTC, datetime, time

import pytest

from agent_worker.values import TimeOfDayKind

NOW = datetime(2026, 12, 2, 10, tzinfo=UTC)
OPEN = TimeOfDayKind(between=(time(8), time(18)))
ANY = TimeOfDayKind()


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("3pm", "15:00"),
        ("3 p.m. please", "15:00"),
        ("three pm", "15:00"),
        ("3.30pm", "15:30"),
        ("quarter past three", "15:15"),
        ("a quarter passed three", "15:15"),
        ("a quarter past four would be good for a fitting", "16:15"),
        ("put me down for half ten tomorrow", "10:30"),
        ("half past two", "14:30"),
        ("At half-past two,", "14:30"),
        ("quarter-past three", "15:15"),
        ("half-ten", "10:30"),
        ("ten to four", "15:50"),
        ("twenty-five to nine", "08:35"),
        ("five minutes past nine", "09:05"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("15:00", "15:00"),
        ("09:30", "09:30"),
        ("nine thirty", "09:30"),
        ("nine oh five", "09:05"),
        ("at nine and half", "09:30"),
        ("at nine and a half", "09:30"),
        ("tomorrow at ten and a quarter", "10:15"),
        ("nine o'clock", "09:00"),
        ("my brakes are gone, could somebody look at it Friday at three", "15:00"),
        ("something came up, could we do Monday at nine instead", "09:00"),
        ("tomorrow nine", "09:00"),
        ("three on Friday", "15:00"),
        ("book me in for nine tomorrow", "09:00"),
        ("book me in for Friday evening at nine", "21:00"),
        ("can I come for a repair on Monday at five in the morning", "05:00"),
        ("in the evening, say nine", "21:00"),
        ("could I come in the afternoon at four thirty", "16:30"),
        ("Saturday night at eleven", "23:00"),
        ("nine tonight", "21:00"),
        ("two at night", "02:00"),
        ("twelve thirty", "12:30"),
        ("12 AM", "00:00"),
        ("good morning, can I come at three", "15:00"),
        ("this morning something broke, can I come at three", "15:00"),
        ("at nine, no, ten", "10:00"),
        ("could you do around 4ish on Thursday", "16:00"),
        ("where is order seven", None),
        ("seven", None),
        ("at 5 dollars", None),
        ("in three days", None),
        ("at 104 Main Street", None),
        ("look at this one", None),
        ("at ten past", None),
        ("tomorrow at five to", None),
        ("I can't do ten o'clock, is noon free", "12:00"),
        ("ten o'clock is too early, what about eleven o'clock", "11:00"),
    ],
)
def test_time_is_found_in_what_was_said(said: str, at: str | None) -> None:
    """An hour alone is meant within the opening times, with a part of the day as it is said."""
    found = OPEN.find(said, NOW)
    assert [OPEN.to_json(one.value) for one in found] == ([at] if at else [])
    assert not any(one.question for one in found)


@pytest.mark.parametrize(
    ("said", "at"), [("nine", "09:00"), ("three please", "15:00"), ("twelve", "12:00")]
)
def test_time_answer_is_also_an_hour_alone(said: str, at: str) -> None:
    """Who was asked for a time leaves the rest out."""
    found = OPEN.answer(said, NOW)
    assert found is not None
    assert (OPEN.to_json(found.value), found.question) == (at, "")


@pytest.mark.parametrize(
    ("kind", "said", "question"),
    [
        (ANY, "nine", "Nine in the morning, or nine at night?"),
        (ANY, "three tomorrow", "Three in the morning, or three in the afternoon?"),
        (ANY, "twelve", "Noon, or midnight?"),
        (OPEN, "at seven", "Seven in the morning, or seven in the evening?"),
        (OPEN, "eight", None),
        (TimeOfDayKind(between=(time(7), time(22))), "eight", "Eight in the morning, or eight in"),
        (OPEN, "after three", "At 3 PM exactly?"),
        (OPEN, "nine or ten", "Nine in the morning, or ten in the morning?"),
        (OPEN, "15:00 in the morning", "Three in the afternoon, or three in the morning?"),
    ],
)
def test_time_that_can_be_another_is_asked(
    kind: TimeOfDayKind, said: str, question: str | None
) -> None:
    """Where both or neither lie within the opening times and no part of the day was said."""
    found = kind.answer(said, NOW)
    assert found is not None
    assert found.question.startswith(question) if question else not found.question


def test_time_of_each_of_two_has_its_own_part_of_the_day() -> None:
    """The part that follows an hour belongs to it."""
    found = OPEN.find("nine in the morning or three in the afternoon", NOW)
    assert [one.value for one in found] == [time(9), time(15)]


@pytest.mark.parametrize(
    ("value", "said", "corrected"),
    [
        (time(9), "in the evening", time(21)),
        (time(9), "no, half past", time(9, 30)),
        (time(9), "PM", time(21)),
        (time(9), "no, ten", time(10)),
        (time(9), "an hour later", time(10)),
        (time(9), "half an hour earlier", time(8, 30)),
        (time(9), "thirty", time(9, 30)),
        (time(21), "no, in the morning please", time(9)),
        (time(9), "no", None),
    ],
)
def test_time_correction_changes_the_part_the_minutes_or_the_whole(
    value: time, said: str, corrected: time | None
) -> None:
    """As far as it says."""
    assert OPEN.correct(value, said, NOW) == corrected


@pytest.mark.parametrize("written", ["9:00", "24:00", "15:00:00", "3pm", 15, None])
def test_time_canonical_form_has_four_digits(written: object) -> None:
    """ "9:00" may be the caller's words, and then be in the evening."""
    with pytest.raises(ValueError, match="time of day"):
        OPEN.from_json(written)  # type: ignore[arg-type]
