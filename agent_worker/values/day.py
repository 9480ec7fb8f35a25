"""Days: "tomorrow", "Friday the 27th", "a week from Monday", "12/4"."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.calendar_words import (
    MONTH,
    MONTHS,
    PART_OF_DAY,
    WEEKDAY,
    WEEKDAYS,
    month_of,
    weekday_of,
)
from agent_worker.values.corrections import without_lead
from agent_worker.values.day_words import (
    AND_YEAR,
    COUNT,
    DAY,
    FROM,
    NO_NOUN,
    NOT_MAY,
    ORDINAL,
    THIS,
    UNIT,
    WHICH_WEEK,
    YEAR,
    count_of,
    day_of,
    year_of,
)
from agent_worker.values.digits import words
from agent_worker.values.kind import Kind, as_meant
from agent_worker.values.tokens import APOSTROPHE
from agent_worker.values.value import Found

FAR_DAYS = 300
"""A date without a year that comes only then is probably one that has just passed."""
YEAR_SAID_DAYS = 180
NOON = 12
DAY_ENDS_AT_HOUR = 18
"""From then on nobody means today by the weekday's name."""


@dataclass(frozen=True)
class _Part:
    """A part of what was said that says something about the day: "Friday", "the 27th"."""

    start: int
    end: int
    likely: tuple[date, ...]
    """What it means alone; where several, it must be asked which."""
    possible: tuple[date, ...]
    """What it can mean together with another part."""
    question: str = ""
    over: bool = False
    weekday: int | None = None
    """Together with another part it can mean any such day."""

    def allows(self, day: date) -> bool:
        """Whether it can mean *day* together with another part."""
        return day in self.possible or day.weekday() == self.weekday


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

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := self.decide(self.find(text, now), now):
            return found
        return self.decide(self._as_found(text, self._merged(text, now), now), now)

    def go_on(self, value: date, text: str, now: datetime) -> date | None:
        """With the year, where only day and month were said."""
        year = _ONLY_YEAR.match(text)
        return None if year is None else _date(year_of(year[1]), value.month, value.day)

    def correct(self, value: date, text: str, now: datetime) -> date | None:
        rest = without_lead(text)
        if moved := _MOVED.match(rest):
            count = count_of(moved["count"] or "a") * (7 if moved["unit"].startswith("week") else 1)
            back = moved["way"].lower() in ("earlier", "before")
            return value + timedelta(days=-count if back else count)
        if week := _THE_WEEK.match(rest):
            return _in_week(value.weekday(), now.date(), 1 if week[1].lower() == "next" else 0)
        if year := self.go_on(value, rest, now):
            return year
        found = self.answer(text, now)
        return None if found is None or found.question or found.value == value else found.value

    def say(self, value: date, now: datetime) -> str:
        today = now.date()
        if self.past:
            return f"{_month_day(value)}, {value.year}"
        said = f"{WEEKDAYS[value.weekday()].capitalize()}, {_month_day(value)}"
        if value == today:
            return f"today, {said}"
        if value == today + timedelta(days=1):
            return f"tomorrow, {said}"
        near = timedelta() < value - today <= timedelta(days=YEAR_SAID_DAYS)
        return said if near else f"{said}, {value.year}"

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

    def _as_found(self, text: str, said: Iterable[_Part], now: datetime) -> list[Found]:
        found = []
        for one in said:
            question = one.question
            if not question and len(one.likely) > 1:
                question = self.which(one.likely[0], one.likely[1], now)
            found.append(Found(one.start, one.end, one.likely[0], question))
        return as_meant(text, found)

    def _merged(self, text: str, now: datetime) -> list[_Part]:
        """The days of *text*; what is said about one day is put together."""
        merged: list[_Part] = []
        for part in self._parts(text, now):
            if merged and _SAME_DAY.fullmatch(text, merged[-1].end, part.start):
                merged[-1] = self._together(merged[-1], part, now)
            else:
                merged.append(part)
        return merged

    def _together(self, one: _Part, other: _Part, now: datetime) -> _Part:
        both = tuple(day for day in one.likely if day in other.likely)
        both = both or tuple(day for day in one.likely if other.allows(day))
        both = both or tuple(day for day in other.likely if one.allows(day))
        both = both or tuple(day for day in one.possible if other.allows(day))[:1]
        both = both or tuple(day for day in other.possible if one.allows(day))[:1]
        if both:
            question = one.question and other.question
            return _Part(one.start, other.end, both, both, question, one.over and other.over)
        likely = (other.likely[0], one.likely[0])
        return _Part(one.start, other.end, likely, likely, self.which(*likely, now))

    def _parts(self, text: str, now: datetime) -> list[_Part]:
        parts: list[_Part] = []
        taken: list[tuple[int, int]] = []
        for pattern, read in _PATTERNS:
            for match in pattern.finditer(text):
                start, end = match.span()
                if all(
                    end <= other_start or start >= other_end for other_start, other_end in taken
                ):
                    # Also where it is no day: nothing in "February 30th" is one.
                    taken.append((start, end))
                    part = read(self, match, now)
                    if part is not None:
                        parts.append(part)
        return sorted(parts, key=lambda one: one.start)

    # -- one method for each pattern

    def _iso(self, match: re.Match[str], now: datetime) -> _Part | None:
        return self._dated(match, now, int(match[1]), int(match[2]), int(match[3]))

    def _slashes(self, match: re.Match[str], now: datetime) -> _Part | None:
        if match[0] == "24/7":
            return None
        month, day = int(match[1]), int(match[2])
        if not self.month_first or month > 12:
            month, day = day, month
        if month > 12:
            month, day = day, month
        year = match[3] and int(match[3])
        if year and year < 100:
            year += 1900 if self.past and 2000 + year > now.year else 2000
        return self._dated(match, now, year or None, month, day)

    def _dots(self, match: re.Match[str], now: datetime) -> _Part | None:
        return self._dated(match, now, int(match[3]), int(match[2]), int(match[1]))

    def _month(self, match: re.Match[str], now: datetime) -> _Part | None:
        year = year_of(match["year"]) if match["year"] else None
        return self._dated(match, now, year, month_of(match["month"]), day_of(match["day"]))

    def _dated(
        self, match: re.Match[str], now: datetime, year: int | None, month: int, day: int
    ) -> _Part | None:
        today = now.date()
        if year is not None:
            found = _date(year, month, day)
            if found is None:
                return None
            wrong = found > today if self.past else found < today
            return self._over(match, found, now) if wrong else _part(match, found)
        around = range(today.year - 8, today.year + 9)
        days = [one for year in around if (one := _date(year, month, day))]
        if self.past:
            before = [one for one in days if one <= today]
            return _part(match, before[-1], question="In which year?") if before else None
        after = [one for one in days if one >= today]
        if not after:
            return None
        far = after[0] - today > timedelta(days=FAR_DAYS)
        asked = f"Do you mean {self.say(after[0], now)}?" if far else ""
        return _part(match, after[0], question=asked)

    def _over(self, match: re.Match[str], day: date, now: datetime) -> _Part:
        said = f"{_month_day(day)}, {day.year}"
        asked = f"{said} is {'still to come' if self.past else 'over'}. Which day do you mean?"
        return _part(match, day, question=asked, over=True)

    def _relative(self, match: re.Match[str], now: datetime) -> _Part:
        word = " ".join(match[0].lower().split())
        today = now.date()
        if word == "this morning" and now.hour >= NOON:
            return self._over(match, today, now)
        days = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "last night": -1}
        if "before" in word:
            offset = -2
        elif "after" in word:
            offset = 2
        else:
            offset = next((days[one] for one in days if word.startswith(one)), 0)
        return self._counted(match, today + timedelta(days=offset), now)

    def _counted(self, match: re.Match[str], day: date, now: datetime) -> _Part:
        today = now.date()
        wrong = day > today if self.past else day < today
        return self._over(match, day, now) if wrong else _part(match, day)

    def _in(self, match: re.Match[str], now: datetime) -> _Part | None:
        """ "in three days", "a week from Monday", "two weeks ago"."""
        said = match.groupdict()
        unit = said["unit"].lower()
        count = count_of(said["count"] or "a")
        days = count * (7 if unit.startswith("week") else 14 if unit == "fortnight" else 1)
        origin = (said.get("from") or "today").lower()
        today = now.date()
        if said.get("ago"):
            return self._counted(match, today - timedelta(days=days), now)
        if said.get("weekday"):
            starts = self._next_weekday(weekday_of(said["weekday"]), now)
            return _part(match, *(one + timedelta(days=days) for one in starts))
        start = today + timedelta(days=origin == "tomorrow")
        return self._counted(match, start + timedelta(days=days), now)

    def _week_of(self, match: re.Match[str], now: datetime) -> _Part:
        """ "today week", "tomorrow week"."""
        start = now.date() + timedelta(days=match[1].lower() == "tomorrow")
        return _part(match, start + timedelta(days=7))

    def _weekday(self, match: re.Match[str], now: datetime) -> _Part:
        said = match.groupdict()
        wanted = weekday_of(said["weekday"])
        mod = " ".join((said.get("mod") or "").lower().split())
        week = " ".join((said.get("week") or said.get("week_before") or "").lower().split())
        week = week.removeprefix("of ")
        today = now.date()
        if mod in ("last", "past"):
            back = (today.weekday() - wanted - 1) % 7 + 1
            return self._counted(match, today - timedelta(days=back), now)
        if self.past:
            back = (today.weekday() - wanted) % 7
            return _part(match, today - timedelta(days=back), weekday=wanted)
        if week in ("this week", "next week", "the week after next"):
            weeks = ("this week", "next week", "the week after next").index(week)
            return self._counted(match, _in_week(wanted, today, weeks), now)
        near = self._next_weekday(wanted, now)
        ahead = (wanted - today.weekday()) % 7
        first = today + timedelta(days=ahead or 7)
        if week == "week":
            return _part(match, *(one + timedelta(days=7) for one in near))
        if mod == "next" or week == "after next":
            likely: tuple[date, ...] = (first,)
            # In the week that begins on Sunday or on Monday: "next" may be the one after.
            if ahead and (today.weekday() < wanted or today.weekday() == 6):
                likely = (first, first + timedelta(days=7))
            if week:
                likely = tuple(one + timedelta(days=7) for one in likely)
            return _part(match, *likely)
        if "coming" in mod or "following" in mod:
            return _part(match, first)
        return _part(match, *near, weekday=wanted)

    def _next_weekday(self, wanted: int, now: datetime) -> tuple[date, ...]:
        """The next such day; said on such a day while it lasts, that may be today."""
        today = now.date()
        ahead = (wanted - today.weekday()) % 7
        if ahead:
            return (today + timedelta(days=ahead),)
        later = today + timedelta(days=7)
        return (later, today) if now.hour < DAY_ENDS_AT_HOUR else (later,)

    def _weekend(self, match: re.Match[str], now: datetime) -> _Part:
        today = now.date()
        ahead = (5 - today.weekday()) % 7
        saturday = today - timedelta(days=1) if today.weekday() == 6 else today + timedelta(ahead)
        if (match["mod"] or "").lower() == "next":
            weekends = [saturday, saturday + timedelta(days=7)]
            likely = [day + timedelta(days=one) for day in weekends for one in (0, 1)]
        else:
            likely = [day for day in (saturday, saturday + timedelta(days=1)) if day >= today]
        return _part(match, *likely)

    def _week(self, match: re.Match[str], now: datetime) -> _Part:
        weeks = 1 if match[1].lower() == "next" else 0
        today = now.date()
        days = [_in_week(weekday, today, weeks) for weekday in range(7)]
        asked = f"Which day {'next' if weeks else 'this'} week?"
        days = [day for day in days if day >= today]
        return _Part(*match.span(), tuple(days), tuple(days), asked)

    def _of_month(self, match: re.Match[str], now: datetime) -> _Part | None:
        """ "the 27th"."""
        day = day_of(match["day"])
        today = now.date()
        found = []
        for months in range(-12 if self.past else 0, 1 if self.past else 12):
            year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
            one = _date(year, month + 1, day)
            if one and (one <= today if self.past else one >= today):
                found.append(one)
        if self.past:
            found.reverse()
        return _part(match, found[0], possible=tuple(found[:2])) if found else None


def _part(
    match: re.Match[str],
    *likely: date,
    question: str = "",
    over: bool = False,
    possible: tuple[date, ...] = (),
    weekday: int | None = None,
) -> _Part:
    return _Part(*match.span(), likely, possible or likely, question, over, weekday)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _in_week(weekday: int, today: date, weeks: int) -> date:
    """That day of this week, or so many weeks later; a week begins on Monday."""
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


def _month_day(value: date) -> str:
    return f"{MONTHS[value.month - 1].capitalize()} {value.day}"


_ISO_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ONLY_YEAR = re.compile(rf"\W*(?:in\s+|it\s+was\s+)?({YEAR})\W*$", re.I)
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
_Read = Callable[[DayKind, re.Match[str], datetime], _Part | None]
_PATTERNS: list[tuple[re.Pattern[str], _Read]] = [
    (re.compile(pattern, re.I), read)
    for pattern, read in (
        (r"(?<![\w-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\w-])", DayKind._iso),
        (r"(?<![\w/.])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\w/])", DayKind._slashes),
        (r"(?<![\w.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?![\w.])", DayKind._dots),
        (
            rf"\b(?:the\s+)?(?P<day>{ORDINAL}|{DAY}(?=\s+of))\s+(?:day\s+)?(?:of\s+)?"
            rf"(?P<month>{MONTH})\b\.?{AND_YEAR}",
            DayKind._month,
        ),
        (rf"\b(?P<month>{MONTH})\b\.?\s+(?:the\s+)?(?P<day>{DAY}){AND_YEAR}", DayKind._month),
        (rf"\b(?P<day>{DAY})\s+{NOT_MAY}(?P<month>{MONTH})\b\.?{AND_YEAR}", DayKind._month),
        (r"\b(?:the\s+)?day\s+(?:after\s+tomorrow|before\s+yesterday)\b", DayKind._relative),
        (rf"\b(?:(?P<count>{COUNT})\s+)?{UNIT}\s+(?P<ago>ago)\b", DayKind._in),
        (
            rf"\b(?:in\s+)?(?P<count>{COUNT})\s+{UNIT}\s+(?:(?:from|on|after)\s+)?{FROM}\b",
            DayKind._in,
        ),
        (
            rf"\b(?P<weekday>{WEEKDAY})\s+in\s+(?P<count>an?|{words(1, 2, 3)})\s+{UNIT}\b",
            DayKind._in,
        ),
        (rf"\bin\s+(?P<count>{COUNT})\s+{UNIT}(?:{APOSTROPHE}?\s+time)?\b", DayKind._in),
        (r"\b(today|tomorrow)\s+week\b", DayKind._week_of),
        (
            rf"\b(?:(?P<week_before>(?:this|next)\s+week),?\s+(?:on\s+)?)?(?:{THIS}\s+)?"
            rf"(?P<weekday>{WEEKDAY})(?:{APOSTROPHE}?s)?\b(?:\s+(?:{PART_OF_DAY}\s+)?"
            rf"(?:in\s+)?{WHICH_WEEK}\b)?",
            DayKind._weekday,
        ),
        (
            r"\b(?:(?:at|on|over)\s+)?(?:the\s+)?(?P<mod>this\s+coming|coming|this|next)?\s*"
            r"\bweekends?\b",
            DayKind._weekend,
        ),
        (r"\b(?:some\s?time\s+)?(this|next)\s+week\b", DayKind._week),
        (
            rf"\b(?:today|tonight|tomorrow|yesterday|this\s+{PART_OF_DAY}|last\s+night)\b"
            rf"(?!{APOSTROPHE}s\b)",
            DayKind._relative,
        ),
        (
            rf"\b(?:(?:on\s+)?the\s+(?P<day>{ORDINAL})\b{NO_NOUN})",
            DayKind._of_month,
        ),
        (r"\b(?P<day>\d{1,2}(?:st|nd|rd|th))\b" + NO_NOUN, DayKind._of_month),
    )
]

Day = Annotated[date, DayKind()]
"""A day, today or later: a `datetime.date`."""
