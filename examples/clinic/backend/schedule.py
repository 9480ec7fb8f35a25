"""When the clinic is open, and the times at which an appointment can begin."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta

from examples.backend_base.errors import Refusal

LENGTH = timedelta(minutes=30)
BOOKING_DAYS = 60
NOTICE = timedelta(hours=24)
"""Until when an appointment can be moved or cancelled without a person of the clinic."""
_LONG, _SHORT = (time(8), time(17)), (time(8), time(13))
HOURS = {0: _LONG, 1: _LONG, 2: _LONG, 3: _LONG, 4: _SHORT}
"""Opening and closing time by weekday; 0 is Monday."""


class ClinicClosed(Refusal):
    """The clinic is closed on that day."""

    code = "clinic-closed"


class TimePast(Refusal):
    """That time has already passed."""

    code = "time-past"


class TooFarAhead(Refusal):
    """Appointments can be booked up to 60 days ahead."""

    code = "too-far-ahead"


class NoSuchTime(Refusal):
    """Appointments begin every half hour, from Monday to Thursday 8 to 5, and on Friday 8 to 1."""

    code = "no-such-time"


class TimeTaken(Refusal):
    """That time is already taken."""

    code = "time-taken"


class TooLate(Refusal):
    """
    Your appointment is in less than 24 hours, so I can't move or cancel it any more. Shall a
    colleague call you back?
    """

    code = "too-late"


def starts(day: date) -> list[time]:
    """All times of *day* at which an appointment can begin; empty when it is closed."""
    if day.weekday() not in HOURS:
        return []
    opens, closes = (datetime.combine(day, at) for at in HOURS[day.weekday()])
    return [(opens + n * LENGTH).time() for n in range((closes - opens) // LENGTH)]


def free(day: date, taken: Collection[time], now: datetime) -> list[time]:
    """The times of *day* that can still be booked. *now*: on the clinic's own clock."""
    if not now.date() <= day <= now.date() + timedelta(days=BOOKING_DAYS):
        return []
    return [at for at in starts(day) if at not in taken and moment(day, at, now) > now]


def check(day: date, start: time, now: datetime) -> None:
    """
    Refuse a time that nobody could book.

    Raises: TimePast, TooFarAhead, ClinicClosed, NoSuchTime.
    """
    if moment(day, start, now) <= now:
        raise TimePast
    if day > now.date() + timedelta(days=BOOKING_DAYS):
        raise TooFarAhead
    if not starts(day):
        raise ClinicClosed
    if start not in starts(day):
        raise NoSuchTime


def moment(day: date, start: time, now: datetime) -> datetime:
    """That time of that day in the zone of *now*."""
    return datetime.combine(day, start, tzinfo=now.tzinfo)
