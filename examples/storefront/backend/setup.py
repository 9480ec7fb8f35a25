"""The database made ready: its folder, its tables, its demo data."""

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from examples.storefront.backend.seed import seed
from examples.storefront.backend.shop import Shop
from examples.storefront.backend.tables import Base, Customer
from service_base.settings import SettingsError

log = structlog.get_logger()

POSTGRES_LOCK = 8083
"""Any number: two processes that start together must not both create the tables."""


async def prepare(shop: Shop, *, reset: bool = False) -> None:
    """
    Create what is missing; fill a database without customers with demo data.

    Args: reset: erase all that the shop knows first.
    Raises: SettingsError: the database cannot be opened.
    """
    database = shop.database
    try:
        database.make_folder()
        async with database.writing() as session:
            if database.engine.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                await session.execute(lock, {"key": POSTGRES_LOCK})
            connection = await session.connection()
            if reset:
                await connection.run_sync(Base.metadata.drop_all)
            await connection.run_sync(Base.metadata.create_all)
            if await session.scalar(select(Customer.id).limit(1)) is None:
                await seed(session, shop.now())
                log.info("storefront.seeded", today=shop.today().isoformat())
    except (OSError, SQLAlchemyError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SettingsError(
            f"PARLEY_STOREFRONT_DATABASE_URL: the database cannot be opened: {reason}"
        ) from error
