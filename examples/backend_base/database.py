"""The connection to SQLite or PostgreSQL."""

from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from service_base.sqlite import stop_once

WAIT_S = 5
"""For a free connection, for a lock, for PostgreSQL's answer."""


class Database:
    """
    Sessions of two kinds. `writing()` takes SQLite's one write lock at its first statement, so
    that what it has read cannot change before it writes; on PostgreSQL row locks do that.
    """

    def __init__(self, url: str, *, wait_s: float = WAIT_S) -> None:
        sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = create_async_engine(
            url,
            pool_size=5,
            max_overflow=5,
            pool_timeout=wait_s,
            pool_pre_ping=not sqlite,
            connect_args={"timeout": wait_s} | ({} if sqlite else {"command_timeout": wait_s}),
            # Errors are logged; what people said must not be.
            hide_parameters=True,
        )
        if sqlite:
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self.writer = self.engine.execution_options(write=True)
        self.reading = async_sessionmaker(self.engine, expire_on_commit=False).begin
        self.writing = async_sessionmaker(self.writer, expire_on_commit=False).begin

    def make_folder(self) -> None:
        """Create the folder of an SQLite file. Raises: OSError."""
        url = make_url(self.engine.url)
        if self.engine.dialect.name == "sqlite" and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()


Session = AsyncSession


def _configure_sqlite(connection: Any, _: object) -> None:
    stop_once(connection.driver_connection)
    # The driver's own transactions start too late: SELECT would not be part of them.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
    except BaseException:
        # A busy database refuses that switch, and the pool would forget the connection.
        connection.close()
        raise
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
