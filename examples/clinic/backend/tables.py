"""The clinic's tables."""

from datetime import date, datetime, time
from typing import Literal

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from examples.backend_base.columns import COLUMN_TYPES
from examples.backend_base.effects import KeyColumns

Topic = Literal["question", "prescription"]


class Base(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = COLUMN_TYPES


class Patient(Base):
    __tablename__ = "patient"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    """The name as it is compared."""
    phone_number: Mapped[str] = mapped_column(String(16), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    identity: Mapped[str | None] = mapped_column(String(300), unique=True)
    """The name by which the patient signs in."""


class Appointment(Base):
    """`day` and `start` are on the clinic's own clock."""

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    patient: Mapped[Patient] = relationship(lazy="joined", innerjoin=True)
    day: Mapped[date]
    start: Mapped[time]
    reason: Mapped[str] = mapped_column(String(200))
    status: Mapped[Literal["booked", "cancelled"]]

    # Of two bookings of one time at the same moment, this refuses the second.
    __table_args__ = (
        Index(
            "appointment_time",
            "day",
            "start",
            unique=True,
            sqlite_where=text("status = 'booked'"),
            postgresql_where=text("status = 'booked'"),
        ),
    )


class Callback(Base):
    """Somebody whom the clinic has to call; a patient or not."""

    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    phone_number: Mapped[str] = mapped_column(String(16))
    topic: Mapped[Topic]
    text: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class IdempotencyKey(KeyColumns, Base):
    __tablename__ = "idempotency_key"
