"""
Days that a script names by what they are when it is played: `{today}`, `{tomorrow}`, `{friday}`.

A weekday is the next one after today.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from agent_worker.values import DayKind
from agent_worker.values.calendar_words import MONTH, MONTHS, WEEKDAYS

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_NEAR = ("today", "tomorrow")
NAMES = (*_NEAR, *WEEKDAYS)


def check(texts: Iterable[str]) -> None:
    """
    Check that every placeholder in *texts* is known.

    Raises: ValueError: one is not.
    """
    for text in texts:
        for name in _PLACEHOLDER.findall(text):
            if name not in NAMES:
                known = ", ".join(f"{{{one}}}" for one in NAMES)
                raise ValueError(f"there is no placeholder {{{name}}}; there are {known}")


def as_said(text: str, now: datetime) -> str:
    """*text* with its days as a caller says them."""

    def words(found: re.Match[str]) -> str:
        name = found[1]
        return name if name in _NEAR else _named(_day(name, now), now)

    return _PLACEHOLDER.sub(words, text)


def as_written(value: Any, now: datetime) -> Any:
    """*value*, of a tool's arguments, with its days as they are journalled: "2026-12-04"."""
    match value:
        case str():
            return _PLACEHOLDER.sub(lambda found: _day(found[1], now).isoformat(), value)
        case dict():
            return {name: as_written(one, now) for name, one in value.items()}
        case list():
            return [as_written(one, now) for one in value]
        case _:
            return value


def pattern(words: str, now: datetime) -> re.Pattern[str]:
    """
    What finds *words* in any case, their days in whichever way an agent words them: "tomorrow",
    "Friday", "Friday, December 4", "Friday the 4th of December".

    Raises: re.error: they are a regular expression that is wrong.
    """
    is_pattern = len(words) > 2 and words.startswith("/") and words.endswith("/")
    parts = _PLACEHOLDER.split(words[1:-1] if is_pattern else words)
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = _worded(_day(part, now), now)
        elif not is_pattern:
            parts[at] = re.escape(part)
    return re.compile("".join(parts), re.IGNORECASE)


def _day(name: str, now: datetime) -> date:
    today = now.date()
    if name in _NEAR:
        return today + timedelta(days=_NEAR.index(name))
    ahead = (WEEKDAYS.index(name) - today.weekday()) % 7
    return today + timedelta(days=ahead or 7)


def _named(day: date, now: datetime) -> str:
    """Weekday and date, which no caller is asked about: "on Friday" on a Friday may be today."""
    said = DayKind().say(day, now)
    return said.removeprefix("tomorrow, ")


def _worded(day: date, now: datetime) -> str:
    """A regular expression of every way in which an agent may word *day*, its "on" included."""
    month, number = MONTHS[day.month - 1], rf"0?{day.day}(?:st|nd|rd|th)?"
    dated = rf"(?:{month} {number}|(?:the )?{number}(?: of)? {month})\b(?:,? {day.year}\b)?"
    other_date = rf",? (?:the )?(?:\d+(?:st|nd|rd|th)?(?: of)? )?{MONTH}\b"
    weekday = rf"{WEEKDAYS[day.weekday()]}\b(?:,? {dated}|(?!{other_date}))"
    ways = [weekday, dated, day.isoformat()]
    ahead = (day - now.date()).days
    if ahead < len(_NEAR):
        ways.insert(0, rf"{_NEAR[ahead]}\b(?:, {weekday})?")
    return rf"\b(?:on )?(?:{'|'.join(ways)})"
