"""Appointments: seen, booked, moved and cancelled by whose they are."""

from datetime import date, datetime, timedelta

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.effects import Done
from examples.backend_base.errors import NotFound, Refusal
from examples.backend_base.payloads import MAX_ID, ClockTime, Day, Payload, answer, query_of
from examples.clinic.backend import schedule
from examples.clinic.backend.clinic import Clinic, clinic_of
from examples.clinic.backend.patients import PatientUnknown, Who, find, name_key
from examples.clinic.backend.tables import Appointment, Patient
from examples.clinic.backend.writing import perform

LIMIT = 20


class AppointmentUnknown(NotFound):
    """I find no such appointment under that name and telephone number."""

    code = "appointment-not-found"


class AppointmentUnchanged(Refusal):
    """The appointment is already at that time."""

    code = "appointment-unchanged"


class SlotQuery(Payload):
    date: Day | None = None
    """Left out: the first day with a free time."""


class BookingRequest(Who):
    email: str | None = Field(None, max_length=254)
    date: Day
    time: ClockTime
    reason: str = Field("", max_length=200)


class MoveRequest(Who):
    date: Day
    time: ClockTime


class AppointmentAnswer(BaseModel):
    """An appointment; date and time are on the clinic's own clock."""

    id: int
    name: str
    date: Day
    time: ClockTime
    reason: str
    unchangeable: str | None
    """Why it can no longer be moved or cancelled, in words for the patient."""


class AppointmentsAnswer(BaseModel):
    """Those to come, the next one first."""

    appointments: list[AppointmentAnswer]


class SlotsAnswer(BaseModel):
    """The times that can be booked; `date` is null where there is none within 60 days."""

    date: Day | None
    open: bool
    slots: list[ClockTime]


async def index(request: Request) -> Response:
    """`GET /v1/appointments?name=&phone_number=`"""
    who = query_of(request, Who)
    clinic = clinic_of(request)
    now = clinic.now()
    async with clinic.database.reading() as session:
        patient = await find(session, who)
        if patient is None:
            raise PatientUnknown
        booked = select(Appointment).where(
            Appointment.patient_id == patient.id, Appointment.status == "booked"
        )
        rows = await session.scalars(
            booked.where(Appointment.day >= now.date())
            .order_by(Appointment.day, Appointment.start)
            .limit(LIMIT)
        )
        to_come = [one for one in rows if schedule.moment(one.day, one.start, now) > now]
        return answer(AppointmentsAnswer(appointments=[_answer(one, now) for one in to_come]))


async def slots(request: Request) -> Response:
    """`GET /v1/slots?date=`"""
    query = query_of(request, SlotQuery)
    clinic = clinic_of(request)
    now = clinic.now()
    days = [now.date() + timedelta(days=n) for n in range(schedule.BOOKING_DAYS + 1)]
    async with clinic.database.reading() as session:
        rows = await session.execute(
            select(Appointment.day, Appointment.start).where(
                Appointment.status == "booked", Appointment.day >= now.date()
            )
        )
        taken = {(row.day, row.start) for row in rows}

    def free(day: date) -> list[ClockTime]:
        return schedule.free(day, [start for on, start in taken if on == day], now)

    chosen = query.date or next((day for day in days if free(day)), None)
    return answer(
        SlotsAnswer(
            date=chosen,
            open=chosen is not None and bool(schedule.starts(chosen)),
            slots=free(chosen) if chosen else [],
        )
    )


async def book(request: Request) -> Response:
    """`POST /v1/appointments`: a new patient is one whose name and number are not known."""

    async def effect(clinic: Clinic, session: Session, wish: BookingRequest) -> Done:
        schedule.check(wish.date, wish.time, clinic.now())
        patient = await find(session, wish)
        if patient is None:
            patient = Patient(
                name=wish.name, name_key=name_key(wish.name), phone_number=wish.phone_number
            )
        patient.email = wish.email or patient.email
        booked = Appointment(
            patient=patient, day=wish.date, start=wish.time, reason=wish.reason, status="booked"
        )
        session.add(booked)
        await _take(session)
        return _done("booked", booked, clinic, status=201)

    return await perform(request, BookingRequest, effect)


async def move(request: Request) -> Response:
    """`POST /v1/appointments/{id}/move`"""

    async def effect(clinic: Clinic, session: Session, wish: MoveRequest) -> Done:
        moved = await _own(clinic, session, request.path_params["id"], wish)
        if (moved.day, moved.start) == (wish.date, wish.time):
            raise AppointmentUnchanged
        schedule.check(wish.date, wish.time, clinic.now())
        moved.day, moved.start = wish.date, wish.time
        await _take(session)
        return _done("moved", moved, clinic)

    return await perform(request, MoveRequest, effect)


async def cancel(request: Request) -> Response:
    """`POST /v1/appointments/{id}/cancel`"""

    async def effect(clinic: Clinic, session: Session, who: Who) -> Done:
        cancelled = await _own(clinic, session, request.path_params["id"], who)
        cancelled.status = "cancelled"
        return _done("cancelled", cancelled, clinic)

    return await perform(request, Who, effect)


def _done(what: str, row: Appointment, clinic: Clinic, *, status: int = 200) -> Done:
    told = _answer(row, clinic.now())
    return Done(f"appointment.{what}", f"appointment:{row.id}", told, status)


async def _take(session: Session) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise schedule.TimeTaken from None


async def _own(clinic: Clinic, session: Session, number: int, who: Who) -> Appointment:
    """The appointment of that number, if it is *who*'s and can still be changed."""
    row = None
    if number <= MAX_ID:
        row = await session.get(Appointment, number, with_for_update={"of": Appointment})
    patient = await find(session, who)
    now = clinic.now()
    if row is None or patient is None or row.patient_id != patient.id:
        raise AppointmentUnknown
    if row.status == "cancelled" or schedule.moment(row.day, row.start, now) <= now:
        raise AppointmentUnknown
    if (refusal := _too_late(row, now)) is not None:
        raise refusal
    return row


def _too_late(row: Appointment, now: datetime) -> schedule.TooLate | None:
    notice = schedule.moment(row.day, row.start, now) - now
    return schedule.TooLate() if notice < schedule.NOTICE else None


def _answer(row: Appointment, now: datetime) -> AppointmentAnswer:
    refusal = _too_late(row, now)
    return AppointmentAnswer(
        id=row.id,
        name=row.patient.name,
        date=row.day,
        time=row.start,
        reason=row.reason,
        unchangeable=refusal and refusal.detail,
    )


ROUTES = [
    Route("/v1/slots", slots),
    Route("/v1/appointments", index),
    Route("/v1/appointments", book, methods=["POST"]),
    Route("/v1/appointments/{id:int}/move", move, methods=["POST"]),
    Route("/v1/appointments/{id:int}/cancel", cancel, methods=["POST"]),
]
