"""The clinic's tables."""

from datetime import date, datetime, time
from typing import Literal

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from examples.backend_base.columns import COLUMN_TYPES, booked_once
from examples.backend_base.effects import KeyColumns
from examples.backend_base.ledger import LedgerColumns

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

    __table_args__ = (booked_once("appointment_time", "day", "start"),)


class Callback(Base):
    """Somebody whom the clinic has to call; a patient or not."""

    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    phone_number: Mapped[str] = mapped_column(String(16))
    topic: Mapped[Topic]
    text: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]


class LedgerEntry(LedgerColumns, Base):
    __tablename__ = "ledger"


class IdempotencyKey(KeyColumns, Base):
    __tablename__ = "idempotency_key"
