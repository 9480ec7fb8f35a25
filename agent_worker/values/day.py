"""Days: "tomorrow", "Friday the 27th", "a week from Monday", "12/4"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.calendar_words import PART_OF_DAY, suits_not
from agent_worker.values.corrections import without_lead
from agent_worker.values.day_parts import DayReader, Part, in_week, make_date, month_day, say_day
from agent_worker.values.day_words import (
    COUNT,
    SHORT_YEAR,
    YEAR,
    count_of,
    year_of,
)
from agent_worker.values.digits import number_of
from agent_worker.values.kind import Kind
from agent_worker.values.tokens import APOSTROPHE
from agent_worker.values.value import Found


@dataclass(frozen=True)
class DayKind(Kind[date]):
    """
    A day, in the time zone of the moment when it was said.

    Args: past: A day that lies behind, such as a date of birth, rather than one to come.
        month_first: Whether "12/4" is December 4, as in the United States.
    """

    past: bool = False
    month_first: bool = True
    name: str = "day"
    type: ClassVar[type] = date

    def find(self, text: str, now: datetime) -> list[Found]:
        said = [one for one in self._merged(text, now) if not one.over]
        return self._as_found(text, said, now)

    def is_refused(self, text: str, one: Found) -> bool:
        return super().is_refused(text, one) or suits_not(text, one.start, one.end)

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := self.decide(self.find(text, now), now):
            return found
        return self.decide(self._as_found(text, self._merged(text, now), now), now)

    def go_on(self, value: date, text: str, now: datetime) -> date | None:
        """With the year, where only day and month were said."""
        if year := _ONLY_YEAR.match(text):
            return make_date(year_of(year[1]), value.month, value.day)
        short = _ONLY_SHORT_YEAR.match(text) if self.past else None
        return make_date(1900 + number_of(short[1]), value.month, value.day) if short else None

    def correct(self, value: date, text: str, now: datetime) -> date | None:
        rest = without_lead(text)
        if moved := _MOVED.match(rest):
            count = count_of(moved["count"] or "a") * (7 if moved["unit"].startswith("week") else 1)
            back = moved["way"].lower() in ("earlier", "before")
            return value + timedelta(days=-count if back else count)
        if week := _THE_WEEK.match(rest):
            return in_week(value.weekday(), now.date(), 1 if week[1].lower() == "next" else 0)
        if year := self.go_on(value, rest, now):
            return year
        found = self.answer(text, now)
        return None if found is None or found.question or found.value == value else found.value

    def say(self, value: date, now: datetime) -> str:
        return f"{month_day(value)}, {value.year}" if self.past else say_day(value, now)

    def to_json(self, value: date) -> str:
        return value.isoformat()

    def from_json(self, written: JsonValue) -> date:
        if not isinstance(written, str) or not _ISO_ALONE.fullmatch(written):
            raise ValueError("not a date")
        return date.fromisoformat(written)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "description": 'A date as "2026-12-31", or in the words of the caller: "tomorrow", '
            '"next Friday".',
        }

    def _as_found(self, text: str, said: Iterable[Part], now: datetime) -> list[Found]:
        found = []
        for one in said:
            question = one.question
            if not question and len(one.likely) > 1:
                question = self.which(one.likely[0], one.likely[1], now)
            found.append(Found(one.start, one.end, one.likely[0], question))
        return self.as_meant(text, found)

    def _merged(self, text: str, now: datetime) -> list[Part]:
        """The days of *text*; what is said about one day is put together."""
        merged: list[Part] = []
        for part in DayReader(self.past, self.month_first).parts(text, now):
            if not (merged and _SAME_DAY.fullmatch(text, merged[-1].end, part.start)):
                merged.append(part)
            elif (both := self._together(merged[-1], part)) is not None:
                merged[-1] = both
            elif self.is_taken_back(text, merged[-1].start):
                merged.append(part)
            else:
                merged[-1] = self._either(merged[-1], part, now)
        return merged

    def _together(self, one: Part, other: Part) -> Part | None:
        """What both say about one day; None: they cannot be the same day."""
        both = tuple(day for day in one.likely if day in other.likely)
        both = both or tuple(day for day in one.likely if other.allows(day))
        both = both or tuple(day for day in other.likely if one.allows(day))
        both = both or tuple(day for day in one.possible if other.allows(day))[:1]
        both = both or tuple(day for day in other.possible if one.allows(day))[:1]
        if not both:
            return None
        question = one.question and other.question
        return Part(one.start, other.end, both, both, question, one.over and other.over)

    def _either(self, one: Part, other: Part, now: datetime) -> Part:
        likely = (other.likely[0], one.likely[0])
        return Part(one.start, other.end, likely, likely, self.which(*likely, now))


_ISO_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ONLY_YEAR = re.compile(rf"\W*(?:in\s+|it\s+was\s+)?({YEAR})\W*$", re.I)
_ONLY_SHORT_YEAR = re.compile(rf"{SHORT_YEAR.pattern}\W*$", re.I)
_MOVED = re.compile(
    rf"(?:the\s+)?(?:(?P<count>{COUNT})\s+)?(?P<unit>days?|weeks?)\s+"
    r"(?P<way>later|earlier|after|before)\W*$",
    re.I,
)
_THE_WEEK = re.compile(r"(?:the\s+one\s+)?(?:of\s+)?(this|next)\s+week\W*$", re.I)
_SAME_DAY = re.compile(
    rf"[\s,]*(?:(?:the|on|in|at|which\s+is|that\s+is|that{APOSTROPHE}?s|so|{PART_OF_DAY})\s*,?\s*)*",
    re.I,
)

Day = Annotated[date, DayKind()]
"""A day, today or later: a `datetime.date`."""
