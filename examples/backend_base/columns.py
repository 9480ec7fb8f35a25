"""How Python's types are stored."""

from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Date, DateTime, Dialect, Index, Time, TypeDecorator, text


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, UTC. SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


COLUMN_TYPES: dict[Any, Any] = {datetime: UtcDateTime, date: Date, time: Time}
"""The `type_annotation_map` of a backend's tables."""


def booked_once(name: str, *columns: str) -> Index:
    """Of two bookings of the same *columns* at the same moment, this refuses the second."""
    booked = text("status = 'booked'")
    return Index(name, *columns, unique=True, sqlite_where=booked, postgresql_where=booked)
