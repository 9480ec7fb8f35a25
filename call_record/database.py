"""The connection to SQLite or PostgreSQL."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service_base.sqlite import stop_once

DATABASE_DOWN = (
    exc.DBAPIError,
    exc.TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
"""What is raised when the database is locked, slow, broken or gone."""

_NO_SUCH_TABLE_OR_COLUMN = ("no such table", "no such column", "42P01", "42703")
"""How SQLite's errors begin, and PostgreSQL's codes of the same."""


def what_is_wrong(error: BaseException) -> str:
    """The database's own words in one line, and how to make its tables if they are missing."""
    driver = getattr(error, "orig", None) or error
    # SQLAlchemy puts the name of a class before the words of asyncpg.
    words = str(driver.__cause__ or driver).partition("\n")[0] or "no answer"
    if (getattr(driver, "sqlstate", None) or words).startswith(_NO_SUCH_TABLE_OR_COLUMN):
        return f"{words}: `python -m call_record migrate` makes or updates its tables."
    if words.startswith("permission denied"):
        return f"{words}: run this as the database's owner."
    return words


class Database:
    """
    Transactions of two kinds. `writing()` takes SQLite's one write lock at its start, so that what
    it has read cannot change before it writes; on PostgreSQL row locks do that.

    A transaction is committed when its block ends, rolled back when the block raises.

    Args:
        connections: The most that are open at a time; a job needs one.
        wait_s: Longest wait in seconds for a connection, for a lock, for PostgreSQL's answer.
    """

    def __init__(self, url: str, *, connections: int = 5, wait_s: float = 5.0) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        connect_args: dict[str, Any] = {"timeout": wait_s}
        if not self.is_sqlite:
            connect_args["command_timeout"] = wait_s
            # A process that is stopped in mid-transaction must not keep its locks.
            idle_ms = str(round(wait_s * 1000))
            connect_args["server_settings"] = {"idle_in_transaction_session_timeout": idle_ms}
        self.engine = create_async_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=wait_s,
            pool_pre_ping=not self.is_sqlite,
            connect_args=connect_args,
            # Errors are logged; what callers said must not be.
            hide_parameters=True,
        )
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._writer = self.engine.execution_options(write=True)
        # No COMMIT follows for which a process that is stopped would keep others waiting.
        single = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._single = self._writer.execution_options(**single)
        # All that one transaction reads is of one moment; SQLite does it by itself.
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**level)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that only reads; it sees the database of one moment."""
        return self._reader.begin()

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction that writes; durable when its block has ended."""
        return self._writer.begin()

    def statement(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """For one statement that writes and is a transaction by itself."""
        return self._single.begin()

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()


def _configure_sqlite(connection: Any, _: object) -> None:
    stop_once(connection.driver_connection)
    # The driver's own transactions start too late: SELECT would not be part of them.
    connection.isolation_level = None
    # Text that somebody spoiled must not keep `verify` from saying so.
    connection.driver_connection.text_factory = _lenient
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is erased is overwritten.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def _lenient(text: bytes) -> str:
    return text.decode(errors="replace")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
