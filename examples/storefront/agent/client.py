"""The agent's side of the shop's HTTP API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date

import httpx2 as httpx

from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.tools.tool import BackendUnavailable, Caller, ToolRefused
from examples.backend_base.client import BackendClient, BackendLedger, connect, start_over
from examples.storefront.address import ShopClientSettings
from examples.storefront.customers import customer_headers
from service_base.settings import load


class ShopClient(BackendClient):
    """Asks the shop on behalf of one caller. The shop knows no customer: `ToolRefused`."""

    async def today(self) -> date:
        """
        The day that it is in the shop, which may be in another time zone.

        Raises: as `get`.
        """
        return date.fromisoformat((await self.get("/v1/opening-hours"))["today"])


@asynccontextmanager
async def open_shop(caller: Caller) -> AsyncIterator[tuple[object, ...]]:
    """What the tools need for a call of *caller*."""
    async with _connect(caller, load(ShopClientSettings)) as http:
        shop = ShopClient(http)
        orders: set[int] = set()
        # Beside the greeting: the shop may take its time.
        learning = asyncio.create_task(_learn_orders(shop, orders))
        try:
            yield (shop, KnownNumbers("order_number", orders))
        finally:
            learning.cancel()


@asynccontextmanager
async def open_rehearsal(caller: Caller) -> AsyncIterator[tuple[object, ...]]:
    """
    The same for a rehearsal: the shop has its demo data as on the first day.

    Raises: RuntimeError: the shop does not answer, or does not let its data be erased.
    """
    settings = load(ShopClientSettings)
    async with _connect(caller, settings) as http:
        await start_over(http, f"the shop at {settings.storefront_url}")
    async with open_shop(caller) as (shop, known):
        assert isinstance(shop, ShopClient)
        yield (shop, known, BackendLedger(shop, caller.call_id))


def _connect(caller: Caller, settings: ShopClientSettings) -> httpx.AsyncClient:
    headers = {**customer_headers(caller.identity, caller.tenant), **settings.headers}
    return connect(settings.storefront_url, caller.call_id, headers)


async def _learn_orders(shop: ShopClient, orders: set[int]) -> None:
    """Add the numbers of the caller's orders to *orders*; without them each is taken as whole."""
    with suppress(ToolRefused, BackendUnavailable, httpx.HTTPError):
        found = await shop.get("/v1/orders", limit="50")
        orders.update(order["number"] for order in found["orders"])
