"""The agent's tools on a real shop: its app over ASGI, its database a file; the clock stands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from agent_worker.tools import toolset
from agent_worker.tools.tool import Answer
from examples.storefront.agent.client import ShopClient
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from service_base.settings import load
from tests.unit.storefront_agent.shop_call import CALL_ID, NOW, ShopCall

Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture(autouse=True)
def is_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No "One moment, please." before an answer because this machine has other work."""
    monkeypatch.setattr(toolset, "RELEASE_S", 30.0)


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a freshly seeded shop."""
    settings = load(
        StorefrontSettings,
        storefront_database_url=f"sqlite+aiosqlite:///{tmp_path}/shop.db",
        storefront_demo_customer=True,
        _env_file=None,
    )
    shop = open_shop(settings, lambda: NOW)
    await prepare(shop)
    transport = httpx.ASGITransport(build(settings, shop))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://shop", headers={"X-Call-Id": CALL_ID}
    ) as client:
        yield client
    await shop.database.close()


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Ask:
    """Calls a tool by name, each time in a turn of its own; the caller says yes."""
    return ShopCall(ShopClient(http)).ask


@pytest.fixture
def effects(http: httpx.AsyncClient) -> Callable[[], Awaitable[list[tuple[str, str, str]]]]:
    """What the shop did: kind, subject and key of each effect, the newest last."""

    async def listed() -> list[tuple[str, str, str]]:
        found = (await http.get("/v1/ledger", params={"call_id": CALL_ID})).json()["effects"]
        return [(one["kind"], one["subject"], one["idempotency_key"]) for one in found]

    return listed
