"""The parts of a sentence that say something about a day: "Friday", "the 27th", "in a week"."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from agent_worker.values.calendar_words import (
    MONTH,
    MONTHS,
    PART_OF_DAY,
    WEEKDAY,
    WEEKDAYS,
    month_of,
    weekday_of,
)
from agent_worker.values.day_words import (
    AND_YEAR,
    COUNT,
    DAY,
    FROM,
    NO_NOUN,
    NOT_MAY,
    ORDINAL,
    ORDINALS,
    SHORT_YEAR,
    THIS,
    UNIT,
    WHICH_WEEK,
    count_of,
    day_of,
    year_of,
)
from agent_worker.values.digits import number_of, words
from agent_worker.values.tokens import APOSTROPHE, before

FAR_DAYS = 300
"""A date without a year that comes only then is probably one that has just passed."""
YEAR_SAID_DAYS = 180
NOON = 12
DAY_ENDS_AT_HOUR = 18
"""From then on nobody means today by the weekday's name."""


@dataclass(frozen=True)
class Part:
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
class DayReader:
    """Reads the parts of what was said that say something about a day."""

    past: bool
    month_first: bool

    def parts(self, text: str, now: datetime) -> list[Part]:
        parts: list[Part] = []
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
        parts = sorted((self._shifted(text, one) for one in parts), key=lambda one: one.start)
        for match in _RELATED.finditer(text):
            start, end = match.span()
            earlier = [one for one in parts if one.end <= start]
            if earlier and all(end <= a or start >= b for a, b in taken):
                days = timedelta(days=1 if match[1].lower() == "day" else 7)
                days = days if match[2].lower() == "after" else -days
                parts.append(_part(match, *(day + days for day in earlier[-1].likely)))
        return sorted(parts, key=lambda one: one.start)

    def _shifted(self, text: str, part: Part) -> Part:
        """ "The day after" *part*, if that is what stands before it."""
        related = _RELATED_TO.search(before(text, part.start))
        if related is None or part.question:
            return part
        days = timedelta(days=1 if related[1].lower() == "day" else 7)
        days = days if related[2].lower() == "after" else -days
        likely = tuple(day + days for day in part.likely)
        start = part.start - len(related[0])
        return Part(start, part.end, likely, likely, over=part.over)

    # -- one method for each pattern

    def _iso(self, match: re.Match[str], now: datetime) -> Part | None:
        return self._dated(match, now, int(match[1]), int(match[2]), int(match[3]))

    def _holiday(self, match: re.Match[str], now: datetime) -> Part | None:
        """ "Christmas Eve", on the same date everywhere."""
        named = (match["christmas"] or "").lower()
        month, day = _HOLIDAYS[named or match["holiday"].lower().translate(_NO_APOSTROPHE)]
        return self._dated(match, now, None, month, day)

    def _slashes(self, match: re.Match[str], now: datetime) -> Part | None:
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

    def _dots(self, match: re.Match[str], now: datetime) -> Part | None:
        return self._dated(match, now, int(match[3]), int(match[2]), int(match[1]))

    def _month(self, match: re.Match[str], now: datetime) -> Part | None:
        month, day = month_of(match["month"]), day_of(match["day"])
        if match["year"]:
            return self._dated(match, now, year_of(match["year"]), month, day)
        short = SHORT_YEAR.match(match.string, match.end()) if self.past else None
        if short is None:
            return self._dated(match, now, None, month, day)
        part = self._dated(match, now, 1900 + number_of(short[1]), month, day)
        return part and replace(part, end=short.end())

    def _nth(self, match: re.Match[str], now: datetime) -> Part | None:
        """ "the first Monday in January", "the last Friday of the month"."""
        today = now.date()
        if match["month"]:
            months = (month_of(match["month"]) - today.month) % 12
        else:
            months = int((match["which"] or "").lower() == "next")
        wanted = weekday_of(match["weekday"])
        for later in (months, months + 12):
            year, month = divmod(today.year * 12 + today.month - 1 + later, 12)
            first = date(year, month + 1, 1)
            days = [first + timedelta(days=one) for one in range(31)]
            days = [one for one in days if one.weekday() == wanted and one.month == first.month]
            number = match["nth"].lower()
            at = -1 if number == "last" else ORDINALS.index(number)
            if at < len(days) and days[at] >= today:
                return _part(match, days[at])
        return None

    def _dated(
        self, match: re.Match[str], now: datetime, year: int | None, month: int, day: int
    ) -> Part | None:
        today = now.date()
        if year is not None:
            found = make_date(year, month, day)
            if found is None:
                return None
            wrong = found > today if self.past else found < today
            return self._over(match, found, now) if wrong else _part(match, found)
        around = range(today.year - 8, today.year + 9)
        days = [one for year in around if (one := make_date(year, month, day))]
        if self.past:
            before = [one for one in days if one <= today]
            return _part(match, before[-1], question="In which year?") if before else None
        after = [one for one in days if one >= today]
        if not after:
            return None
        far = after[0] - today > timedelta(days=FAR_DAYS)
        asked = f"Do you mean {say_day(after[0], now)}?" if far else ""
        return _part(match, after[0], question=asked)

    def _over(self, match: re.Match[str], day: date, now: datetime) -> Part:
        said = f"{month_day(day)}, {day.year}"
        asked = f"{said} is {'still to come' if self.past else 'over'}. Which day do you mean?"
        return _part(match, day, question=asked, over=True)

    def _relative(self, match: re.Match[str], now: datetime) -> Part:
        word = " ".join(match[0].lower().split())
        today = now.date()
        if word == "this morning" and now.hour >= NOON:
            return self._over(match, today, now)
        days = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1, "last night": -1}
        if word.endswith("before yesterday"):
            offset = -2
        elif word.endswith("after tomorrow"):
            offset = 2
        else:
            offset = next((days[one] for one in days if word.startswith(one)), 0)
        return self._counted(match, today + timedelta(days=offset), now)

    def _counted(self, match: re.Match[str], day: date, now: datetime) -> Part:
        today = now.date()
        wrong = day > today if self.past else day < today
        return self._over(match, day, now) if wrong else _part(match, day)

    def _in(self, match: re.Match[str], now: datetime) -> Part | None:
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

    def _week_of(self, match: re.Match[str], now: datetime) -> Part:
        """ "today week", "tomorrow week"."""
        start = now.date() + timedelta(days=match[1].lower() == "tomorrow")
        return _part(match, start + timedelta(days=7))

    def _weekday(self, match: re.Match[str], now: datetime) -> Part:
        said = match.groupdict()
        wanted = weekday_of(said["weekday"])
        mod = " ".join((said.get("mod") or "").lower().split())
        week = " ".join((said.get("week") or said.get("week_before") or "").lower().split())
        week = week.removeprefix("of ")
        if not week and (shared := _LATER_WEEK.match(match.string, match.end())):
            # Of "Monday or Tuesday next week" both are next week.
            week = " ".join(shared[1].lower().split())
        today = now.date()
        if mod in ("last", "past"):
            back = (today.weekday() - wanted - 1) % 7 + 1
            return self._counted(match, today - timedelta(days=back), now)
        if self.past:
            back = (today.weekday() - wanted) % 7
            return _part(match, today - timedelta(days=back), weekday=wanted)
        if week in ("this week", "next week", "the week after next"):
            weeks = ("this week", "next week", "the week after next").index(week)
            return self._counted(match, in_week(wanted, today, weeks), now)
        near = self._next_weekday(wanted, now)
        ahead = (wanted - today.weekday()) % 7
        first = today + timedelta(days=ahead or 7)
        if week in ("week", "fortnight"):
            later = timedelta(days=7 if week == "week" else 14)
            return _part(match, *(one + later for one in near))
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

    def _weekend(self, match: re.Match[str], now: datetime) -> Part:
        today = now.date()
        ahead = (5 - today.weekday()) % 7
        saturday = today - timedelta(days=1) if today.weekday() == 6 else today + timedelta(ahead)
        if (match["mod"] or "").lower() == "next":
            weekends = [saturday, saturday + timedelta(days=7)]
            likely = [day + timedelta(days=one) for day in weekends for one in (0, 1)]
        else:
            likely = [day for day in (saturday, saturday + timedelta(days=1)) if day >= today]
        return _part(match, *likely)

    def _week(self, match: re.Match[str], now: datetime) -> Part:
        weeks = 1 if match[1].lower() == "next" else 0
        today = now.date()
        days = [in_week(weekday, today, weeks) for weekday in range(7)]
        asked = f"Which day {'next' if weeks else 'this'} week?"
        days = [day for day in days if day >= today]
        return Part(*match.span(), tuple(days), tuple(days), asked)

    def _of_month(self, match: re.Match[str], now: datetime) -> Part | None:
        """ "the 27th"."""
        day = day_of(match["day"])
        today = now.date()
        if month := match.groupdict().get("month"):
            months = today.month - 1 + (month.lower() == "next")
            meant = make_date(today.year + months // 12, months % 12 + 1, day)
            return None if meant is None else self._counted(match, meant, now)
        found = []
        for months in range(-12 if self.past else 0, 1 if self.past else 12):
            year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
            one = make_date(year, month + 1, day)
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
) -> Part:
    return Part(*match.span(), likely, possible or likely, question, over, weekday)


def make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def in_week(weekday: int, today: date, weeks: int) -> date:
    """That day of this week, or so many weeks later; a week begins on Monday."""
    return today + timedelta(days=weekday - today.weekday() + 7 * weeks)


def month_day(value: date) -> str:
    return f"{MONTHS[value.month - 1].capitalize()} {value.day}"


def say_day(value: date, now: datetime) -> str:
    """With its weekday and date, and with its year where it is far."""
    today = now.date()
    said = f"{WEEKDAYS[value.weekday()].capitalize()}, {month_day(value)}"
    if value == today:
        return f"today, {said}"
    if value == today + timedelta(days=1):
        return f"tomorrow, {said}"
    near = timedelta() < value - today <= timedelta(days=YEAR_SAID_DAYS)
    return said if near else f"{said}, {value.year}"


_HOLIDAYS = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "boxing day": (12, 26),
    "new years eve": (12, 31),
    "new years day": (1, 1),
}
_NO_APOSTROPHE = str.maketrans("", "", "'\u2019")
_RELATED_TO = re.compile(r"\b(?:the\s+)?(day|week)\s+(after|before)\s+$", re.I)
_RELATED = re.compile(r"\b(?:the\s+)?(day|week)\s+(after|before)(?:\s+that)?\b", re.I)
_LATER_WEEK = re.compile(
    rf"(?:\s*(?:,|\bor\b|\band\b)\s*(?:on\s+)?{WEEKDAY})+\s+((?:this|next)\s+week)\b", re.I
)
_Read = Callable[[DayReader, re.Match[str], datetime], Part | None]
_PATTERNS: list[tuple[re.Pattern[str], _Read]] = [
    (re.compile(pattern, re.I), read)
    for pattern, read in (
        (
            rf"\b(?:the\s+)?(?P<nth>first|second|third|fourth|last)\s+(?P<weekday>{WEEKDAY})\s+"
            rf"(?:in|of)\s+(?:(?P<month>{MONTH})|(?:the|(?P<which>this|next))\s+month)\b",
            DayReader._nth,
        ),
        (r"(?<![\w-])(\d{4})-(\d{1,2})-(\d{1,2})(?![\w-])", DayReader._iso),
        (r"(?<![\w/.])(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?(?![\w/])", DayReader._slashes),
        (
            r"\b(?:(?P<holiday>christmas (?:eve|day)|boxing day"
            rf"|new year{APOSTROPHE}?s (?:eve|day))|on (?P<christmas>christmas)(?! (?:eve|day)))\b",
            DayReader._holiday,
        ),
        (r"(?<![\w.])(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?![\w.])", DayReader._dots),
        (
            rf"\b(?:the\s+)?(?P<day>{ORDINAL}|{DAY}(?=\s+of))\s+(?:day\s+)?(?:of\s+)?"
            rf"(?P<month>{MONTH})\b\.?{AND_YEAR}",
            DayReader._month,
        ),
        (rf"\b(?P<month>{MONTH})\b\.?\s+(?:the\s+)?(?P<day>{DAY}){AND_YEAR}", DayReader._month),
        (rf"\b(?P<day>{DAY})\s+{NOT_MAY}(?P<month>{MONTH})\b\.?{AND_YEAR}", DayReader._month),
        (r"\b(?:the\s+)?day\s+(?:after\s+tomorrow|before\s+yesterday)\b", DayReader._relative),
        (rf"\b(?:(?P<count>{COUNT})\s+)?{UNIT}\s+(?P<ago>ago)\b", DayReader._in),
        (
            rf"\b(?:in\s+)?(?P<count>{COUNT})\s+{UNIT}\s+(?:(?:from|on|after)\s+)?{FROM}\b",
            DayReader._in,
        ),
        (
            rf"\b(?P<weekday>{WEEKDAY})\s+in\s+(?P<count>an?|{words(1, 2, 3)})\s+{UNIT}\b",
            DayReader._in,
        ),
        (
            rf"\bin\s+(?P<count>{COUNT})\s+{UNIT}(?:{APOSTROPHE}?\s+time)?\b"
            r"(?!\s+(?:later|earlier|sooner|before|after)\b)",
            DayReader._in,
        ),
        (r"\b(today|tomorrow)\s+week\b", DayReader._week_of),
        (
            rf"\b(?:(?P<week_before>(?:this|next)\s+week),?\s+(?:on\s+)?)?(?:{THIS}\s+)?"
            rf"(?P<weekday>{WEEKDAY})(?:{APOSTROPHE}?s)?\b(?:\s+(?:{PART_OF_DAY}\s+)?"
            rf"(?:in\s+)?{WHICH_WEEK}\b)?",
            DayReader._weekday,
        ),
        (
            r"\b(?:(?:at|on|over)\s+)?(?:the\s+)?(?P<mod>this\s+coming|coming|this|next)?\s*"
            r"\bweekends?\b",
            DayReader._weekend,
        ),
        (r"\b(?:some\s?time\s+)?(this|next)\s+week\b", DayReader._week),
        (
            rf"\b(?:today|tonight|tomorrow|yesterday|this\s+{PART_OF_DAY}|last\s+night)\b"
            rf"(?!{APOSTROPHE}s\b)",
            DayReader._relative,
        ),
        (
            rf"\b(?:(?:on\s+)?the\s+(?P<day>{ORDINAL})\b{NO_NOUN})"
            r"(?:\s+of\s+(?P<month>this|next)\s+month\b)?",
            DayReader._of_month,
        ),
        (r"\b(?P<day>\d{1,2}(?:st|nd|rd|th))\b" + NO_NOUN, DayReader._of_month),
    )
]
