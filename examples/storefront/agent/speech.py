"""Dates, times, money and lists in words that sound right."""

from collections.abc import Sequence
from datetime import date, time, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def money(cents: int) -> str:
    """ "12 dollars and 50 cents"."""
    dollars, rest = divmod(cents, 100)
    parts = [f"{dollars} dollar{'' if dollars == 1 else 's'}"] if dollars or not rest else []
    if rest:
        parts.append(f"{rest} cent{'' if rest == 1 else 's'}")
    return " and ".join(parts)


def day(value: date, today: date) -> str:
    """ "today", "tomorrow", "Wednesday, November 25"."""
    if value == today:
        return "today"
    if value == today + timedelta(days=1):
        return "tomorrow"
    return f"{value:%A}, {value:%B} {value.day}"


def clock(value: time) -> str:
    """ "9 AM", "3:30 PM"."""
    hour = (value.hour - 1) % 12 + 1
    minutes = f":{value.minute:02}" if value.minute else ""
    return f"{hour}{minutes} {'AM' if value.hour < 12 else 'PM'}"


def listing(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
