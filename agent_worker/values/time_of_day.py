"""Times of day: "3pm", "quarter past three", "half ten", "Friday evening at nine"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.calendar_words import PART_OF_DAY, WEEKDAY, suits_not
from agent_worker.values.corrections import without_lead
from agent_worker.values.digits import SMALL, number_of, words
from agent_worker.values.kind import Kind
from agent_worker.values.tokens import APOSTROPHE, before
from agent_worker.values.value import Found

FAR_PART_CHARS = 12
"""Further away, "this morning" says when something else was."""

_HOUR = rf"(?:{words(*range(1, 13))}|2[0-4]|1\d|0?\d)(?!\d)"
_HOUR_12 = rf"(?:{words(*range(1, 13))}|1[0-2]|0?[1-9])(?!\d)"
_ISH = r"(?:[\s-]?ish|\s+sharp)?"
_TO_SIXTY = rf"(?:oh[-\s]?(?:{words(*range(1, 10))})|{words(*range(10, 60))})"
_MERIDIEM = r"(?:(?P<meridiem>[ap])\s?\.?\s?m\b\.?)"
_OCLOCK = rf"(?:o{APOSTROPHE}?\s?clock)"
_PART = (
    rf"(?:in\s+the\s+(?:early\s+|late\s+)?|at\s+|(?:this|that|tomorrow|today|on|the|{WEEKDAY})"
    rf"\s+|\s)*\b(?P<part>{PART_OF_DAY}|tonight)\b"
)
_AFTER = rf"(?:\s*{_OCLOCK})?(?:\s*{_MERIDIEM}|\s*{_PART})?"
_DAY_WORD = rf"(?:{WEEKDAY}|today|tomorrow|tonight|this\s+{PART_OF_DAY})"
_UNIT = (
    r"(?!\s*(?:dollars?|bucks?|cents?|euros?|pounds?|quid|days?|weeks?|months?|years?|hours?"
    r"|minutes?|seconds?|times?|percent|%|point|of\s+(?!the\s+clock)|more|people|thing|st\b|nd\b"
    r"|rd\b|th\b)|[-/.:]\d|\s*and\s+a\s+half|[^\W\d]|\s+(?:past|to)\W*$)"
)
_LEAD = (
    r"\b(?:at|around|about|say|by|until|till|after|before|from|between|past|make\s+(?:it|that)"
    rf"|how\s+about|what\s+about|{_DAY_WORD}|{PART_OF_DAY},?)\s+(?:about\s+|around\s+)?"
)
_FOR = r"\bfor\s+(?:about\s+|around\s+)?"
_FOR_END = rf"(?=\s*(?:[.,?!]|$|please\b|if\b|(?:on\s+)?{_DAY_WORD}\b))"
_LINK = re.compile(
    r"(?:\b(?:or|and|to|no|sorry|i\s+mean|i\s+meant|rather|not|actually|make\s+(?:it|that))"
    r"[\s,]+)(?:at\s+)?$",
    re.I,
)
_NOT_ONE = r"(?<!this\s)(?<!that\s)(?<!which\s)(?<!the\s)(?<!other\s)(?<!another\s)"
_ROUGHLY = re.compile(
    r"\b(?:after|before|until|till|by|past|between|(?:later|earlier)\s+than|any\s?time\s+from"
    rf"|(?:from|between)\s+{_HOUR}(?:\s*{_MERIDIEM})?\s+(?:to|and))\s+$",
    re.I,
)
_RANGE = re.compile(rf"\s*(?:to|until|till|-|\u2013|and)\s*{_HOUR}{_UNIT}", re.I)
_PARTS = re.compile(
    rf"\b(?P<when>this|last|yesterday)?\s*\b(?P<part>{PART_OF_DAY}|tonight)\b", re.I
)
_GREETING = re.compile(r"\bgood\s*$", re.I)

_PATTERNS = [
    (re.compile(pattern, re.I), sure)
    for pattern, sure in (
        (r"\b(?:(?:12|twelve)\s+)?(?P<named>noon|midday|midnight)\b", True),
        (
            rf"\b(?:a\s+)?(?:(?P<minutes>quarter|half|five|ten|twenty[-\s]five|twenty|5|10|20|25)"
            rf"|(?P<counted>{words(*range(1, 60))}|\d{{1,2}})\s+minutes?)[\s-]+"
            rf"(?P<way>past|passed|after|to|before|of|till)[\s-]+(?P<hour>{_HOUR})\b{_UNIT}{_AFTER}",
            True,
        ),
        (rf"\bhalf[\s-]+(?P<half>{_HOUR})\b{_UNIT}{_AFTER}", True),
        (
            rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>\d{{1,2}}):(?P<sharp>[0-5]\d)"
            rf"(?![\d:]){_AFTER}",
            True,
        ),
        (
            rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>\d{{1,2}})\.(?P<sharp>[0-5]\d)\s*{_MERIDIEM}",
            True,
        ),
        (
            rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>{_HOUR})[-\s](?P<sharp>{_TO_SIXTY})\b"
            rf"{_UNIT}{_AFTER}",
            False,
        ),
        (
            rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>\d{{1,2}})\s(?P<sharp>00|15|30|45)\b"
            rf"{_UNIT}{_AFTER}",
            False,
        ),
        (rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>{_HOUR})\s*{_OCLOCK}\b{_AFTER}", True),
        (rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>{_HOUR})\s*{_MERIDIEM}", True),
        (rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>{_HOUR})\b{_UNIT}\s*,?\s*{_PART}", True),
        (
            rf"{_LEAD}(?P<hour>{_HOUR_12})\s+and\s+(?:a\s+)?(?P<sharp>half|quarter)\b"
            r"(?!\s+(?:hours?|days?|weeks?|dollars?|bucks?|euros?|pounds?))",
            True,
        ),
        (rf"{_LEAD}(?P<hour>{_HOUR_12}){_ISH}\b{_UNIT}", True),
        (rf"{_FOR}(?P<hour>{_HOUR_12}){_ISH}\b{_UNIT}{_FOR_END}", True),
        (
            rf"(?<![\w.:/$\u20ac\u00a3-])(?P<hour>{_HOUR_12}){_ISH}\b{_UNIT}"
            rf"(?=\s+(?:on\s+)?{_DAY_WORD}\b)",
            True,
        ),
    )
]
_BARE = re.compile(
    rf"(?<![\w.:/$\u20ac\u00a3-]){_NOT_ONE}(?P<hour>{_HOUR_12}){_ISH}\b{_UNIT}", re.I
)
_HALF_PAST = re.compile(r"\W*(?:at\s+)?(half|quarter)[\s-]+(?:past|passed)\W*$", re.I)
_MOVED = re.compile(
    rf"\W*(?:(?P<half>half\s+an\s+hour)|(?P<count>an?|{words(*range(1, 60))}|\d{{1,2}})\s+"
    r"(?P<unit>hours?|minutes?))\s+(?P<way>later|earlier)\W*$",
    re.I,
)
_ONLY_MINUTES = re.compile(rf"\W*(?P<minutes>{_TO_SIXTY}|[0-5]\d)\W*$", re.I)
_ONLY_PART = re.compile(rf"\W*(?:{_MERIDIEM}|{_PART})(?:\W*please)?\W*$", re.I)
_WRITTEN = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_NIGHT = {"tonight": "night"}


@dataclass(frozen=True)
class TimeOfDayKind(Kind[time]):
    """
    A time of day.

    Args: between: From when to when an hour is meant that is said without a part of the day, such
        as the opening times: between 9:00 and 18:00 "three" is 15:00.
    """

    between: tuple[time, time] | None = None
    name: str = "time"
    type: ClassVar[type] = time

    def readings(self, text: str, now: datetime) -> list[Found]:
        sure: list[re.Match[str]] = []
        unsure: list[re.Match[str]] = []
        taken: list[tuple[int, int]] = []
        for pattern, is_sure in _PATTERNS:
            for match in pattern.finditer(text):
                start, end = _span(match)
                if all(end <= one[0] or start >= one[1] for one in taken):
                    taken.append((start, end))
                    (sure if is_sure or _has_context(match) else unsure).append(match)
        for match in _BARE.finditer(text):
            start, end = _span(match)
            linked = _LINK.search(before(text, start)) and any(one.end() <= start for one in sure)
            if linked and all(end <= one[0] or start >= one[1] for one in taken):
                sure.append(match)
        return self._as_found(text, sure, taken, now) + self._as_found(text, unsure, taken, now)

    def is_refused(self, text: str, one: Found) -> bool:
        return super().is_refused(text, one) or suits_not(text, one.start, one.end)

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := self.decide(self.find(text, now), now):
            return found
        bare = list(_BARE.finditer(text))
        taken = [_span(one) for one in bare]
        return self.decide(self.as_meant(text, self._as_found(text, bare, taken, now)), now)

    def go_on(self, value: time, text: str, now: datetime) -> time | None:
        """With the part of the day, or the minutes of an hour."""
        if part := _ONLY_PART.match(text):
            times = _times(value.hour % 12 or 12, value.minute, part["meridiem"] or part["part"])
            return times[0] if len(times) == 1 else None
        minutes = _ONLY_MINUTES.match(text)
        if minutes is None or value.minute:
            return None
        # Up to twelve it is rather another hour, but for "oh five".
        minute = _minute(minutes["minutes"])
        is_minute = minute > 12 or minutes["minutes"].lower().startswith("o")
        return value.replace(minute=minute) if is_minute else None

    def correct(self, value: time, text: str, now: datetime) -> time | None:
        rest = without_lead(text)
        if past := _HALF_PAST.match(rest):
            changed = value.replace(minute=30 if past[1].lower() == "half" else 15)
        elif moved := _MOVED.match(rest):
            changed = _moved(value, moved)
        elif (more := self.go_on(value, rest, now)) is not None:
            changed = more
        else:
            found = self.answer(text, now)
            if found is None or found.question:
                return None
            changed = found.value
        return None if changed == value else changed

    def say(self, value: time, now: datetime) -> str:
        if value.minute == 0 and value.hour in (0, 12):
            return "noon" if value.hour else "midnight"
        minutes = f":{value.minute:02}" if value.minute else ""
        return f"{value.hour % 12 or 12}{minutes} {'AM' if value.hour < 12 else 'PM'}"

    def which(self, one: time, other: time, now: datetime) -> str:
        said = f"{_in_words(one)}, or {_in_words(other)}?"
        return said[0].upper() + said[1:]

    def to_json(self, value: time) -> str:
        return value.strftime("%H:%M")

    def from_json(self, written: JsonValue) -> time:
        if not isinstance(written, str) or not _WRITTEN.fullmatch(written):
            raise ValueError("not a time of day")
        return time.fromisoformat(written)

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "description": 'A time of day in 24 hours as "15:00", or in the words of the caller: '
            '"quarter past three", "nine in the evening".',
        }

    def _as_found(
        self,
        text: str,
        matches: Sequence[re.Match[str]],
        taken: Sequence[tuple[int, int]],
        now: datetime,
    ) -> list[Found]:
        found = []
        for match in sorted(matches, key=_span):
            start, end = _span(match)
            said = match.groupdict()
            part = said.get("meridiem") or said.get("part")
            part = part or _part_elsewhere(text, start, end, taken)
            times = self._meant(match, part)
            if not times:
                continue
            question = "" if len(times) == 1 else self.which(times[0], times[1], now)
            if not question and (_ROUGHLY.search(before(text, start)) or _RANGE.match(text, end)):
                question = f"At {self.say(times[0], now)} exactly?"
            found.append(Found(start, end, times[0], question))
        return found

    def _meant(self, match: re.Match[str], part: str | None) -> list[time]:
        """What was said can mean these; where several, it must be asked."""
        said = match.groupdict()
        if said.get("named"):
            return [time(0) if said["named"].lower() == "midnight" else time(12)]
        hour, minute, written = _hour_and_minute(said)
        if hour > 24 or (hour == 24 and minute):
            return []
        if written.startswith("0") or hour > 12:
            at = time(hour % 24, minute)
            if part is None:
                return [at]
            fits = at in _times(hour % 12 or 12, minute, part)
            return [at] if fits else [at, time((hour + 12) % 24, minute)]
        if said.get("way") in ("to", "before", "of", "till") or said.get("half"):
            times = _before(_times(hour, 0, part), minute, said.get("half"))
        else:
            times = _times(hour, minute, part)
        if part is None and self.between is not None:
            opens, closes = self.between
            within = [
                at
                for at in times
                if (opens <= at <= closes if opens <= closes else at >= opens or at <= closes)
            ]
            return within or times
        return times


def _has_context(match: re.Match[str]) -> bool:
    """Whether it is a time by what stands before or after it, not an amount: "twelve fifty"."""
    said = match.groupdict()
    return bool(
        said.get("meridiem")
        or said.get("part")
        or re.search(rf"{_LEAD}$", before(match.string, match.start()), re.I)
        or re.match(rf"\s*(?:on\s+)?{_DAY_WORD}\b", match.string[match.end() :], re.I)
    )


def _span(match: re.Match[str]) -> tuple[int, int]:
    """Without the "at" before and the "in the evening" after it."""
    said = match.groupdict()
    start = match.start()
    if match.re.pattern.startswith((_LEAD, _FOR)):
        start = match.start("hour")
    part = said.get("part")
    if part is None:
        return start, match.end()
    return start, match.end("part")


def _hour_and_minute(said: dict[str, str | None]) -> tuple[int, int, str]:
    """With the hour as it was written."""
    if half := said.get("half"):
        return number_of(half), 30, half
    written = said["hour"] or ""
    minutes = said.get("sharp") or said.get("counted") or said.get("minutes")
    return number_of(written), _minute(minutes) if minutes else 0, written


def _minute(said: str) -> int:
    word = " ".join(said.lower().replace("-", " ").split())
    if word in ("quarter", "half"):
        return 15 if word == "quarter" else 30
    return number_of(re.sub(r"^oh ?", "", word))


def _times(hour: int, minute: int, part: str | None) -> list[time]:
    """The times that an hour from 1 to 12 can mean in a part of the day; None: in none."""
    early, late = time(hour % 12, minute), time(hour % 12 + 12, minute)
    if part is None:
        return [late, early] if hour == 12 else [early, late]
    match _NIGHT.get(part.lower(), part.lower()):
        case "a":
            return [early]
        case "p" | "afternoon":
            return [late]
        case "morning":
            return [late, early] if hour == 12 else [early]
        case "evening":
            return [early if hour == 12 else late] if hour >= 4 else [late, early]
        case _:
            return [early] if hour == 12 or hour < 5 else [late]


def _before(times: list[time], minute: int, half: str | None) -> list[time]:
    """ "ten to four" is before four, in the part of the day in which four is; "half ten" after."""
    if half:
        return [one.replace(minute=30) for one in times]
    day = datetime(2000, 1, 2)  # noqa: DTZ001
    return [(datetime.combine(day, one) - timedelta(minutes=minute)).time() for one in times]


def _part_elsewhere(
    text: str, start: int, end: int, taken: Sequence[tuple[int, int]]
) -> str | None:
    """The part of the day that is said elsewhere in *text*: "in the evening, say nine"."""
    best: tuple[bool, int, str] | None = None
    for one in _PARTS.finditer(text):
        gap = start - one.end() if one.end() <= start else one.start() - end
        if gap < 0 or _GREETING.search(before(text, one.start("part"))):
            continue
        if one["when"] and gap > FAR_PART_CHARS:
            continue
        claimed = any(a <= one.start("part") < b for a, b in taken)
        rank = (claimed, gap, one["part"])
        best = rank if best is None or rank[:2] < best[:2] else best
    return None if best is None else best[2]


def _moved(value: time, moved: re.Match[str]) -> time:
    if moved["half"]:
        by = timedelta(minutes=30)
    else:
        count = 1 if moved["count"].lower() in ("a", "an") else number_of(moved["count"])
        is_hours = moved["unit"].lower().startswith("hour")
        by = timedelta(hours=count) if is_hours else timedelta(minutes=count)
    day = datetime(2000, 1, 2)  # noqa: DTZ001
    return (datetime.combine(day, value) + (by if moved["way"].lower() == "later" else -by)).time()


def _in_words(value: time) -> str:
    if value.minute == 0 and value.hour in (0, 12):
        return "noon" if value.hour else "midnight"
    names = {number: word for word, number in reversed(SMALL.items()) if "-" not in word}
    minutes = f"oh {names[value.minute]}" if value.minute < 10 else names[value.minute]
    said = names[value.hour % 12 or 12] + (f" {minutes}" if value.minute else "")
    if value.hour < 12:
        return f"{said} in the morning"
    if value.hour < 18:
        return f"{said} in the afternoon"
    return f"{said} in the evening" if value.hour < 21 else f"{said} at night"


TimeOfDay = Annotated[time, TimeOfDayKind()]
"""A time of day, to the minute: a `datetime.time`."""
