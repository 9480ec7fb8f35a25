"""The storefront backend's routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy import exc, select
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from examples.storefront.backend import (
    appointments,
    callbacks,
    contacts,
    customers,
    ledger,
    opening_hours,
    orders,
    products,
    reset,
    tickets,
)
from examples.storefront.backend.access import AccessMiddleware
from examples.storefront.backend.database import Database
from examples.storefront.backend.errors import RecordsUnavailable
from examples.storefront.backend.settings import StorefrontSettings, to_timezone
from examples.storefront.backend.shop import Clock, Shop, system_clock
from examples.storefront.backend.tables import Customer
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS, ServiceError

log = structlog.get_logger()

LOOPBACK = ("127.0.0.1", "::1", "localhost")
DATABASE_DOWN = (exc.DBAPIError, exc.TimeoutError, OSError)
"""What the drivers raise when the database is locked, busy, broken or gone."""


def open_shop(settings: StorefrontSettings, clock: Clock = system_clock) -> Shop:
    """The shop of *settings*. Nothing is connected yet."""
    return Shop(
        Database(settings.storefront_database_url),
        clock,
        to_timezone(settings.storefront_timezone),
        settings.storefront_demo_customer,
    )


def build(settings: StorefrontSettings, shop: Shop, *, allow_reset: bool = False) -> Starlette:
    """
    The application. The database must have been prepared; it is closed at shutdown.

    Args: allow_reset: Whether a client may have all data erased: never where they are real.
    """

    if settings.storefront_api_key is None and settings.storefront_host not in LOOPBACK:
        log.warning("storefront.unprotected", host=settings.storefront_host)

    async def database() -> None:
        async with shop.database.reading() as session:
            if await session.scalar(select(Customer.id).limit(1)) is None:
                raise RuntimeError("there are no customers")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await shop.database.close()

    app = Starlette(
        routes=[
            *customers.ROUTES,
            *products.ROUTES,
            *orders.ROUTES,
            *opening_hours.ROUTES,
            *appointments.ROUTES,
            *callbacks.ROUTES,
            *contacts.ROUTES,
            *tickets.ROUTES,
            *ledger.ROUTES,
            *(reset.ROUTES if allow_reset else ()),
            *health_routes({"database": database}),
            METRICS_ROUTE,
        ],
        middleware=[
            Middleware(MetricsMiddleware),
            Middleware(AccessMiddleware, shop=shop, api_key=settings.storefront_api_key),
        ],
        exception_handlers={
            **EXCEPTION_HANDLERS,
            **dict.fromkeys(DATABASE_DOWN, _records_unavailable),
        },
        lifespan=lifespan,
    )
    app.state.shop = shop
    return app


async def _records_unavailable(request: Request, error: Exception) -> Response:
    log.error("database.failed", path=request.url.path, exc_info=error)
    return await EXCEPTION_HANDLERS[ServiceError](request, RecordsUnavailable())
