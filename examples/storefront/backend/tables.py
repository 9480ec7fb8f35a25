"""The shop's tables."""

from datetime import date, datetime, time
from typing import Literal

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from examples.backend_base.columns import COLUMN_TYPES, booked_once
from examples.backend_base.effects import KeyColumns
from examples.backend_base.ledger import LedgerColumns

OrderStatus = Literal["processing", "shipped", "delivered", "cancelled"]
AppointmentKind = Literal["fitting", "repair"]
AppointmentStatus = Literal["booked", "cancelled"]
CallbackStatus = Literal["open", "done"]
TicketStatus = Literal["open", "closed"]


class Base(DeclarativeBase):
    """The base of all tables."""

    type_annotation_map = COLUMN_TYPES


class Customer(Base):
    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    phone: Mapped[str] = mapped_column(String(40))


class Product(Base):
    __tablename__ = "product"
    __table_args__ = (CheckConstraint("stock >= 0"),)

    sku: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    stock: Mapped[int]


class Order(Base):
    __tablename__ = "shop_order"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    status: Mapped[OrderStatus]
    currency: Mapped[str] = mapped_column(String(3))
    placed_on: Mapped[date]
    expected_on: Mapped[date | None]
    delivered_on: Mapped[date | None]
    items: Mapped[list["OrderItem"]] = relationship(lazy="selectin", order_by="OrderItem.sku")
    refunds: Mapped[list["Refund"]] = relationship(lazy="selectin", order_by="Refund.id")

    @property
    def total_cents(self) -> int:
        return sum(item.quantity * item.unit_price_cents for item in self.items)

    @property
    def refunded_cents(self) -> int:
        return sum(refund.amount_cents for refund in self.refunds)


class OrderItem(Base):
    __tablename__ = "order_item"

    order_number: Mapped[int] = mapped_column(ForeignKey("shop_order.number"), primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("product.sku"), primary_key=True)
    quantity: Mapped[int]
    unit_price_cents: Mapped[int]
    """What the customer paid, whatever the product costs today."""
    product: Mapped[Product] = relationship(lazy="selectin")

    @property
    def name(self) -> str:
        return self.product.name


class Refund(Base):
    __tablename__ = "refund"
    __table_args__ = (CheckConstraint("amount_cents > 0"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    order_number: Mapped[int] = mapped_column(ForeignKey("shop_order.number"), index=True)
    amount_cents: Mapped[int]
    at: Mapped[datetime]


class OpeningHours(Base):
    """One row for each day on which the shop opens."""

    __tablename__ = "opening_hours"

    weekday: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """0 is Monday."""
    opens: Mapped[time]
    closes: Mapped[time]


class Appointment(Base):
    """`day` and `start` are on the shop's own clock."""

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    kind: Mapped[AppointmentKind]
    day: Mapped[date]
    start: Mapped[time]
    note: Mapped[str] = mapped_column(String(500))
    status: Mapped[AppointmentStatus]

    __table_args__ = (booked_once("appointment_slot", "kind", "day", "start"),)


class Callback(Base):
    __tablename__ = "callback"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"), index=True)
    phone: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(500))
    status: Mapped[CallbackStatus]
    at: Mapped[datetime]


class Contact(Base):
    """Somebody whom the shop has talked with; a customer, where `customer_id` says so."""

    __tablename__ = "crm_contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(300), unique=True)
    customer_id: Mapped[str | None] = mapped_column(ForeignKey("customer.id"))
    name: Mapped[str] = mapped_column(String(200))


class Activity(Base):
    __tablename__ = "crm_activity"

    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200), unique=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("crm_contact.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)


class Ticket(Base):
    __tablename__ = "ticket"

    number: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200), unique=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("crm_contact.id"))
    status: Mapped[TicketStatus]
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class LedgerEntry(LedgerColumns, Base):
    __tablename__ = "ledger"

    customer_id: Mapped[str] = mapped_column(String(64))


class IdempotencyKey(KeyColumns, Base):
    """A customer's key, and what came of it."""

    __tablename__ = "idempotency_key"

    customer_id: Mapped[str] = mapped_column(String(64), primary_key=True, sort_order=-1)
