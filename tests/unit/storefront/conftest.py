"""A real shop on a real database file, asked over ASGI; only the clock is fake."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.backend.shop import Shop
from service_base.settings import load
from tests.support.backend_clock import FakeClock

NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)
"""A Wednesday."""

OpenClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/shop.db"


@pytest.fixture
async def shop(database_url: str, clock: FakeClock) -> AsyncIterator[Shop]:
    opened = open_shop(_settings(database_url), clock)
    await prepare(opened)
    yield opened
    await opened.database.close()


@pytest.fixture
def open_client(database_url: str, clock: FakeClock) -> OpenClient:
    """Opens a client of another process's worth of shop on the same database."""

    @asynccontextmanager
    async def opened(
        *, allow_reset: bool = False, **settings: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        chosen = _settings(database_url, **settings)
        shop = open_shop(chosen, clock)
        await prepare(shop)
        transport = httpx.ASGITransport(
            build(chosen, shop, allow_reset=allow_reset), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            yield client
        await shop.database.close()

    return opened


@pytest.fixture
async def client(shop: Shop, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    app = build(_settings(database_url), shop)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


@pytest.fixture
def post(client: httpx.AsyncClient) -> Post:
    """POST with a new idempotency key unless one is given."""
    numbers = itertools.count(1)

    async def send(
        path: str, body: object = None, *, key: str | None = None, customer: str = "sam-rivera"
    ) -> httpx.Response:
        headers = {
            "Idempotency-Key": key or f"key-{next(numbers)}",
            "X-Customer-Id": customer,
            "X-Call-Id": "call-1",
        }
        return await client.post(path, json=body or {}, headers=headers)

    return send


def _settings(database_url: str, **others: Any) -> StorefrontSettings:
    chosen = {"storefront_demo_customer": True, **others}
    return load(StorefrontSettings, storefront_database_url=database_url, _env_file=None, **chosen)
