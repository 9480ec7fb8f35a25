"""Demo data, relative to the day on which it is made."""

from datetime import datetime, time, timedelta

from examples.backend_base.database import Session
from examples.clinic.backend import schedule
from examples.clinic.backend.patients import name_key
from examples.clinic.backend.tables import Appointment, Patient

SAM, ALEX = ("Sam Rivera", "2025550134"), ("Alex Kim", "2025550177")
IDENTITIES = tuple(name.lower().replace(" ", "-") for name, _ in (SAM, ALEX))
"""The names by which they sign in."""


async def seed(session: Session, now: datetime) -> None:
    """Fill empty tables. *now*: on the clinic's own clock."""
    sam, alex = (
        Patient(
            name=name,
            name_key=name_key(name),
            phone_number=phone_number,
            identity=identity,
        )
        for (name, phone_number), identity in zip((SAM, ALEX), IDENTITIES, strict=True)
    )
    soon = now.date() + timedelta(days=3)
    while soon.weekday() not in schedule.HOURS:
        soon += timedelta(days=1)
    # At whatever hour, so that the rule of 24 hours can be tried at any hour.
    hours = (now + timedelta(hours=4)).replace(minute=0)
    session.add_all(
        [
            Appointment(
                patient=sam, day=soon, start=time(10), reason="Yearly check-up", status="booked"
            ),
            Appointment(
                patient=alex,
                day=hours.date(),
                start=time(hours.hour),
                reason="Sore throat",
                status="booked",
            ),
        ]
    )
    await session.flush()
