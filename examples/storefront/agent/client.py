"""The agent's side of the shop's HTTP API."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date

import httpx2 as httpx

from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.tools.tool import BackendUnavailable, Caller, ToolRefused
from examples.backend_base.client import BackendClient
from examples.storefront.address import ShopClientSettings
from examples.storefront.customers import customer_headers
from service_base.settings import load

TIMEOUT_S = 4.0
# Read once: reading it would hold up the first words of each call.
_TLS = ssl.create_default_context()


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
    settings = load(ShopClientSettings)
    headers = {
        "X-Call-Id": caller.call_id,
        **customer_headers(caller.identity, caller.tenant),
        **settings.headers,
    }
    async with httpx.AsyncClient(
        base_url=settings.storefront_url, headers=headers, timeout=TIMEOUT_S, verify=_TLS
    ) as http:
        shop = ShopClient(http)
        orders: set[int] = set()
        # Beside the greeting: the shop may take its time.
        learning = asyncio.create_task(_learn_orders(shop, orders))
        try:
            yield (shop, KnownNumbers("order_number", orders))
        finally:
            learning.cancel()


async def _learn_orders(shop: ShopClient, orders: set[int]) -> None:
    """Add the numbers of the caller's orders to *orders*; without them each is taken as whole."""
    with suppress(ToolRefused, BackendUnavailable, httpx.HTTPError):
        found = await shop.get("/v1/orders", limit="50")
        orders.update(order["number"] for order in found["orders"])
