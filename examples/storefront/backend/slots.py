"""Slots: the times at which an appointment can begin."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from examples.backend_base.errors import Refusal
from examples.storefront.backend import speech
from examples.storefront.backend.opening_hours import Week
from examples.storefront.backend.tables import AppointmentKind

DURATION_MIN: dict[AppointmentKind, int] = {"fitting": 30, "repair": 60}
"""Each kind has a bench of its own, so the two never stand in each other's way."""
BOOKING_DAYS = 60


class ShopClosed(Refusal):
    """The shop is closed on that day."""

    code = "shop-closed"


class SlotPast(Refusal):
    """That time has already passed."""

    code = "slot-past"


class TooFarAhead(Refusal):
    """Appointments can be booked up to 60 days ahead."""

    code = "too-far-ahead"


class NoSuchSlot(Refusal):
    """No appointment begins at that time."""

    code = "no-such-slot"


class SlotTaken(Refusal):
    """That time is already taken."""

    code = "slot-taken"


def starts(kind: AppointmentKind, day: date, week: Week) -> list[time]:
    """All times of *day* at which *kind* can begin, taken or not; empty when it is closed."""
    if day.weekday() not in week:
        return []
    opens, closes = (datetime.combine(day, at) for at in week[day.weekday()])
    length = timedelta(minutes=DURATION_MIN[kind])
    return [(opens + n * length).time() for n in range((closes - opens) // length)]


def free(
    kind: AppointmentKind, day: date, week: Week, taken: Iterable[time], now: datetime
) -> list[time]:
    """The times of *day* that can still be booked. *now*: on the shop's own clock."""
    if not now.date() <= day <= now.date() + timedelta(days=BOOKING_DAYS):
        return []
    gone = set(taken)
    return [
        start
        for start in starts(kind, day, week)
        if start not in gone and (day, start) > (now.date(), now.time())
    ]


def end(kind: AppointmentKind, start: time) -> time:
    """When an appointment that begins at *start* is over."""
    length = timedelta(minutes=DURATION_MIN[kind])
    return (datetime.combine(date.min, start) + length).time()


def check(kind: AppointmentKind, day: date, start: time, week: Week, now: datetime) -> None:
    """
    Refuse a time that no one could book. *now*: on the shop's own clock.

    Raises: SlotPast, TooFarAhead, ShopClosed, NoSuchSlot.
    """
    if (day, start.replace(tzinfo=None)) <= (now.date(), now.time()):
        raise SlotPast
    if day > now.date() + timedelta(days=BOOKING_DAYS):
        raise TooFarAhead
    possible = starts(kind, day, week)
    if not possible:
        raise ShopClosed(f"The shop is closed on {speech.day(day)}.")
    if start not in possible:
        raise NoSuchSlot(
            f"A {kind} on {speech.day(day)} can begin every {DURATION_MIN[kind]} minutes "
            f"from {speech.clock_time(possible[0])} to {speech.clock_time(possible[-1])}."
        )
