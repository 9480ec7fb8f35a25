"""The ledger: every effect that a backend has had. For operators and tests, across all calls."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Select, String
from sqlalchemy.orm import Mapped, mapped_column

from examples.backend_base.payloads import Payload


class LedgerColumns:
    """A table's columns for effects. What people said or are called does not belong there."""

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(40), index=True)
    """Such as `order.cancelled`."""
    subject: Mapped[str] = mapped_column(String(80))
    """Such as `order:9`."""
    call_id: Mapped[str | None] = mapped_column(String(64), index=True)
    idempotency_key: Mapped[str] = mapped_column(String(200))


class LedgerQuery(Payload):
    call_id: str | None = Field(None, max_length=64)
    kind: str | None = Field(None, max_length=40)
    limit: int = Field(100, ge=1, le=1000)


class EffectAnswer(BaseModel):
    """One effect."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: AwareDatetime
    kind: str
    subject: str
    call_id: str | None
    idempotency_key: str


S = TypeVar("S", bound=Select[*tuple[Any, ...]])


def chosen(found: S, table: type[LedgerColumns], query: LedgerQuery) -> S:
    """Of the rows *found* in *table* those that *query* wants, the newest first."""
    if query.call_id is not None:
        found = found.where(table.call_id == query.call_id)
    if query.kind is not None:
        found = found.where(table.kind == query.kind)
    return found.order_by(table.id.desc()).limit(query.limit)
