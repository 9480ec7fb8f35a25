"""A backend's database made ready: its folder, its tables, its demo data."""

from collections.abc import Awaitable, Callable

from sqlalchemy import MetaData, text
from sqlalchemy.exc import SQLAlchemyError

from examples.backend_base.database import Database, Session
from service_base.settings import SettingsError

POSTGRES_LOCK = 8083
"""Any number: two processes that start together must not both create the tables."""


async def make_ready(
    database: Database,
    tables: MetaData,
    fill: Callable[[Session], Awaitable[None]],
    *,
    setting: str,
    reset: bool = False,
) -> None:
    """
    Create what is missing, and let *fill* add the demo data where there is none.

    Args: setting: names the database. reset: erase everything first.
    Raises: SettingsError: the database cannot be opened.
    """
    try:
        database.make_folder()
        async with database.writing() as session:
            if database.engine.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                await session.execute(lock, {"key": POSTGRES_LOCK})
            connection = await session.connection()
            if reset:
                await connection.run_sync(tables.drop_all)
            await connection.run_sync(tables.create_all)
            await fill(session)
    except (OSError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SettingsError(f"{setting}: the database cannot be opened: {reason}") from error
