"""Money, days and times as words that an agent can say aloud."""

from datetime import date, time

NAMES = {"USD": ("dollar", "cent"), "EUR": ("euro", "cent"), "GBP": ("pound", "penny")}


def money(cents: int, currency: str) -> str:
    """`1250, "USD"` is "12 dollars and 50 cents"."""
    if currency not in NAMES:
        return f"{cents / 100:.2f} {currency}"
    big, small = NAMES[currency]
    parts = [_count(cents // 100, big)] if cents >= 100 or cents == 0 else []
    if cents % 100:
        parts.append(_count(cents % 100, small))
    return " and ".join(parts)


def day(value: date) -> str:
    """ "Tuesday, November 24"."""
    return f"{value:%A}, {value:%B} {value.day}"


def clock_time(value: time) -> str:
    """ "9 AM", "2:30 PM"."""
    minutes = f":{value:%M}" if value.minute else ""
    return f"{value.hour % 12 or 12}{minutes} {'AM' if value.hour < 12 else 'PM'}"


def _count(number: int, noun: str) -> str:
    plural = "pence" if noun == "penny" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
