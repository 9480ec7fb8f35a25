"""The database made ready: its folder, its tables, brought up to this version."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from call_record.database import DATABASE_DOWN, Database, what_is_wrong
from service_base.settings import SettingsError

MIGRATIONS = Path(__file__).parent / "migrations"
POSTGRES_LOCK = 0x7061726C6579
"""Any fixed number: processes that start at the same time migrate one after another."""
WAIT_S = 30.0


async def prepare(url: str) -> None:
    """
    Create or migrate the tables of the database at *url*; safe when several processes do it.

    Raises: SettingsError: the database cannot be opened or migrated.
    """
    database = Database(url, connections=1, wait_s=WAIT_S)
    try:
        if database.is_sqlite:
            name = make_url(url).database
            assert name
            await asyncio.to_thread(_prepare_sqlite, name)
        async with database.writing() as connection:
            if not database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                await connection.execute(lock, {"key": POSTGRES_LOCK})
            await connection.run_sync(_upgrade)
    except (*DATABASE_DOWN, SQLAlchemyError, sqlite3.Error) as error:
        raise SettingsError(
            f"PARLEY_DATABASE_URL: the database cannot be opened: {what_is_wrong(error)}"
        ) from error
    finally:
        await database.close()


def refuse_missing_file(url: str) -> None:
    """
    For readers: opening an SQLite file that does not exist would make an empty one.

    Raises: SettingsError: there is none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise SettingsError(
            f"PARLEY_DATABASE_URL: there is no database {parsed.database}. "
            "`python -m call_record migrate` makes it."
        )


def _prepare_sqlite(name: str) -> None:
    """Its folder, and WAL for good: a busy database refuses that switch without waiting."""
    Path(name.removeprefix("file:")).parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + WAIT_S
    with closing(sqlite3.connect(name, uri=name.startswith("file:"))) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
