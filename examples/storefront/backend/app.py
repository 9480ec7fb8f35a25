"""The storefront backend's routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy import select
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import Route

from examples.backend_base.access import CALL_HEADER, AccessMiddleware, warn_if_open
from examples.backend_base.clock import Clock, system_clock, to_timezone
from examples.backend_base.database import Database
from examples.backend_base.errors import BACKEND_HANDLERS
from examples.backend_base.reset import reset_route
from examples.storefront.backend import (
    appointments,
    callbacks,
    contacts,
    customers,
    ledger,
    opening_hours,
    orders,
    products,
    tickets,
)
from examples.storefront.backend.access import CUSTOMER_HEADER
from examples.storefront.backend.seed import CUSTOMER_IDS
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.backend.shop import Shop
from examples.storefront.backend.tables import Customer
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware


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

    warn_if_open(settings.storefront_host, settings.storefront_api_key)

    def read(path: str, status: int, headers: Headers) -> None:
        if path != "/v1/ledger":
            customer, call = headers.get(CUSTOMER_HEADER), headers.get(CALL_HEADER)
            shop.reads.add(path, status, customer, call, shop.clock())

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
            *([_reset(shop)] if allow_reset else ()),
            *health_routes({"database": database}),
            METRICS_ROUTE,
        ],
        middleware=[
            Middleware(MetricsMiddleware),
            Middleware(AccessMiddleware, api_key=settings.storefront_api_key, read=read),
        ],
        exception_handlers=BACKEND_HANDLERS,
        lifespan=lifespan,
    )
    app.state.shop = shop
    return app


def _reset(shop: Shop) -> Route:
    strangers = select(Customer.id).where(Customer.id.not_in(CUSTOMER_IDS))
    return reset_route(shop.database, strangers, partial(prepare, shop, reset=True))
