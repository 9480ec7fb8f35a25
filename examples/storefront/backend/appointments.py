"""Appointments in the shop: seen, booked, moved, cancelled."""

from datetime import date, datetime, time, timedelta

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.effects import Done
from examples.backend_base.errors import NotFound, Refusal
from examples.backend_base.payloads import (
    MAX_ID,
    ClockTime,
    Day,
    Nothing,
    Payload,
    answer,
    query_of,
)
from examples.storefront.backend import slots, speech
from examples.storefront.backend.access import customer_of
from examples.storefront.backend.effects import Work, perform
from examples.storefront.backend.opening_hours import week
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Appointment, AppointmentKind, AppointmentStatus

LIMIT = 100


class AppointmentUnknown(NotFound):
    """There is no such appointment."""

    code = "appointment-not-found"


class AppointmentOver(Refusal):
    """That appointment is already over or cancelled."""

    code = "appointment-over"


class AppointmentUnchanged(Refusal):
    """The appointment is already at that time."""

    code = "appointment-unchanged"


class AppointmentQuery(Payload):
    upcoming: bool = True
    """False: also those that are over or cancelled."""


class SlotQuery(Payload):
    kind: AppointmentKind = "fitting"
    date: Day | None = None
    """Left out: the first day with a free slot."""


class MoveRequest(Payload):
    date: Day
    time: ClockTime


class BookingRequest(MoveRequest):
    kind: AppointmentKind = "fitting"
    note: str = Field("", max_length=500)


class AppointmentAnswer(BaseModel):
    """An appointment; date and times are on the shop's own clock."""

    id: int
    kind: AppointmentKind
    status: AppointmentStatus
    date: Day
    time: ClockTime
    ends: ClockTime
    note: str


class AppointmentsAnswer(BaseModel):
    """The next one first."""

    appointments: list[AppointmentAnswer]


class SlotsAnswer(BaseModel):
    """The times that can be booked. `open`: whether the shop opens on that day at all."""

    kind: AppointmentKind
    date: Day | None
    """Null: no day was asked for, and there is no free slot within 60 days."""
    open: bool
    duration_min: int
    slots: list[ClockTime]


async def index(request: Request) -> Response:
    """`GET /v1/appointments?upcoming=`"""
    query = query_of(request, AppointmentQuery)
    shop = shop_of(request)
    async with shop.database.reading() as session:
        customer = await customer_of(request, session)
        own = select(Appointment).where(Appointment.customer_id == customer.id)
        if query.upcoming:
            own = own.where(Appointment.status == "booked", Appointment.day >= shop.today())
        rows = await session.scalars(own.order_by(Appointment.day, Appointment.start).limit(LIMIT))
        now = shop.now()
        found = [_answer(row) for row in rows if not query.upcoming or not _past(row, now)]
        return answer(AppointmentsAnswer(appointments=found))


async def free_slots(request: Request) -> Response:
    """`GET /v1/appointments/slots?kind=&date=`"""
    query = query_of(request, SlotQuery)
    shop = shop_of(request)
    now = shop.now()
    last = now.date() + timedelta(days=slots.BOOKING_DAYS)
    async with shop.database.reading() as session:
        hours = await week(session)
        rows = await session.execute(
            select(Appointment.day, Appointment.start).where(
                Appointment.kind == query.kind,
                Appointment.status == "booked",
                Appointment.day.between(query.date or now.date(), query.date or last),
            )
        )
        taken: dict[date, set[time]] = {}
        for day, start in rows:
            taken.setdefault(day, set()).add(start)

    def free(day: date) -> list[time]:
        return slots.free(query.kind, day, hours, taken.get(day, ()), now)

    ahead = (now.date() + timedelta(days=n) for n in range(slots.BOOKING_DAYS + 1))
    chosen = query.date or next((day for day in ahead if free(day)), None)
    return answer(
        SlotsAnswer(
            kind=query.kind,
            date=chosen,
            open=chosen is not None and chosen.weekday() in hours,
            duration_min=slots.DURATION_MIN[query.kind],
            slots=free(chosen) if chosen else [],
        )
    )


async def book(request: Request) -> Response:
    """`POST /v1/appointments`"""

    async def effect(work: Work, wish: BookingRequest) -> Done:
        slots.check(wish.kind, wish.date, wish.time, await week(work.session), work.shop.now())
        booked = Appointment(
            customer_id=work.customer.id,
            kind=wish.kind,
            day=wish.date,
            start=wish.time,
            note=wish.note,
            status="booked",
        )
        work.session.add(booked)
        await _take(work.session, wish)
        subject = f"appointment:{booked.id}"
        return Done("appointment.booked", subject, _answer(booked), status=201)

    return await perform(request, BookingRequest, effect)


async def move(request: Request) -> Response:
    """`POST /v1/appointments/{id}/move`"""

    async def effect(work: Work, wish: MoveRequest) -> Done:
        moved = await _open(work, request.path_params["id"])
        if (moved.day, moved.start) == (wish.date, wish.time):
            raise AppointmentUnchanged(f"Your appointment is already on {_spoken(wish)}.")
        hours, now = await week(work.session), work.shop.now()
        slots.check(moved.kind, wish.date, wish.time, hours, now)
        moved.day, moved.start = wish.date, wish.time
        await _take(work.session, wish)
        return Done("appointment.moved", f"appointment:{moved.id}", _answer(moved))

    return await perform(request, MoveRequest, effect)


async def cancel(request: Request) -> Response:
    """`POST /v1/appointments/{id}/cancel`"""

    async def effect(work: Work, _: Nothing) -> Done:
        cancelled = await _open(work, request.path_params["id"])
        cancelled.status = "cancelled"
        return Done("appointment.cancelled", f"appointment:{cancelled.id}", _answer(cancelled))

    return await perform(request, Nothing, effect)


async def _take(session: Session, wish: MoveRequest) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise slots.SlotTaken(f"{_spoken(wish)} is already taken.") from None


async def _open(work: Work, number: int) -> Appointment:
    """The customer's own appointment, locked, that can still be changed."""
    row = None
    if number <= MAX_ID:
        row = await work.session.get(Appointment, number, with_for_update=True)
    if row is None or row.customer_id != work.customer.id:
        raise AppointmentUnknown(f"There is no appointment {number} on this account.")
    if row.status == "cancelled":
        raise AppointmentOver("That appointment has already been cancelled.")
    if _past(row, work.shop.now()):
        raise AppointmentOver("That appointment is already over.")
    return row


def _past(row: Appointment, now: datetime) -> bool:
    return (row.day, row.start) <= (now.date(), now.time())


def _spoken(wish: MoveRequest) -> str:
    return f"{speech.day(wish.date)} at {speech.clock_time(wish.time)}"


def _answer(row: Appointment) -> AppointmentAnswer:
    return AppointmentAnswer(
        id=row.id,
        kind=row.kind,
        status=row.status,
        date=row.day,
        time=row.start,
        ends=slots.end(row.kind, row.start),
        note=row.note,
    )


ROUTES = [
    Route("/v1/appointments", index),
    Route("/v1/appointments", book, methods=["POST"]),
    Route("/v1/appointments/slots", free_slots),
    Route("/v1/appointments/{id:int}/move", move, methods=["POST"]),
    Route("/v1/appointments/{id:int}/cancel", cancel, methods=["POST"]),
]
