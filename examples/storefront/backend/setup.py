"""The shop's database made ready."""

import structlog
from sqlalchemy import select

from examples.backend_base.database import Session
from examples.backend_base.setup import make_ready
from examples.storefront.backend.seed import seed
from examples.storefront.backend.shop import Shop
from examples.storefront.backend.tables import Base, Customer

log = structlog.get_logger()


async def prepare(shop: Shop, *, reset: bool = False) -> None:
    """
    Create what is missing; fill a database without customers with demo data.

    Args: reset: erase all that the shop knows first.
    Raises: SettingsError: the database cannot be opened.
    """

    async def fill(session: Session) -> None:
        if await session.scalar(select(Customer.id).limit(1)) is None:
            await seed(session, shop.now())
            log.info("storefront.seeded", today=shop.today().isoformat())

    await make_ready(
        shop.database,
        Base.metadata,
        fill,
        setting="PARLEY_STOREFRONT_DATABASE_URL",
        reset=reset,
    )
