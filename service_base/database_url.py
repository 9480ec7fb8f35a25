"""A setting that names a database."""

from typing import Annotated

from pydantic import AfterValidator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except ArgumentError:
        raise ValueError("expected an SQLAlchemy database URL") from None
    if url.drivername not in DRIVERS:
        raise ValueError(f"expected a URL that starts with {' or '.join(DRIVERS)}")
    if not url.database or url.database == ":memory:":
        raise ValueError("expected a URL that names a database")
    return value


DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
"""An SQLAlchemy URL of an SQLite file or of PostgreSQL, with an asyncio driver."""
