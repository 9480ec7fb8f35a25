"""Days, times and lists in words that sound right."""

from collections.abc import Sequence
from datetime import date, datetime, time

from agent_worker.values import DayKind, TimeOfDayKind

NOON = time(12)


def at(day: date, start: time, today: date) -> str:
    """ "tomorrow, Friday, December 4 at 9 AM"."""
    return f"{on(day, today)} at {clock(start)}"


def on(day: date, today: date) -> str:
    """ "today, Thursday, December 3", "on Friday, December 4"."""
    said = DayKind().say(day, datetime.combine(today, NOON))
    return said if said.startswith("to") else f"on {said}"


def clock(value: time) -> str:
    """ "9 AM", "3:30 PM"."""
    return TimeOfDayKind().say(value, datetime.min)  # noqa: DTZ901 - it is the same at any time


def listing(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def name(value: str | None) -> str:
    """A person's name in a question, not spelled."""
    return value or "not said"
