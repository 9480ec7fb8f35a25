"""Whose orders a caller hears of: its own as a customer, the demo customer's, or none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from livekit.agents.llm import ToolError

from agent_worker.tools.tool import Caller
from examples.storefront.agent.client import ShopClient
from examples.storefront.agent.client import open_shop as ask_shop
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.knowledge.server import build as build_knowledge
from service_base.settings import load
from tests.support.token_service import served
from tests.unit.storefront_agent.shop_call import ShopCall

SAM, ALEX = Caller("sam-rivera", "call-1"), Caller("alex-kim", "call-1")
OTHER_SAM = Caller("sam-rivera", "call-1", tenant="elsewhere")
ANONYMOUS = Caller("caller-5d", "call-1")
NO_ACCOUNT = "I cannot find an account of yours"


@asynccontextmanager
async def running_shop(
    folder: Path, patch: pytest.MonkeyPatch, *, demo: bool
) -> AsyncIterator[str]:
    """A shop over real HTTP, which the agent's settings name. Yields: its address."""
    settings = load(
        StorefrontSettings,
        storefront_database_url=f"sqlite+aiosqlite:///{folder}/shop.db",
        storefront_demo_customer=demo,
        _env_file=None,
    )
    shop = open_shop(settings)
    await prepare(shop)
    async with served(build(settings, shop)) as port:
        patch.setenv("PARLEY_STOREFRONT_URL", f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


async def hear(caller: Caller, tool: str, **arguments: object) -> str:
    """What *caller* is told."""
    async with ask_shop(caller) as (shop, _):
        assert isinstance(shop, ShopClient)
        try:
            return (await ShopCall(shop).ask(tool, **arguments)).say
        except ToolError as refused:
            return refused.message


async def test_caller_who_is_signed_in_hears_of_its_own_orders_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there is a demo customer: that one is for callers whom nobody knows."""
    async with running_shop(tmp_path, monkeypatch, demo=True):
        assert "Order 7 is on its way" in await hear(SAM, "order_status", order_number=7)
        assert "no order 7" in await hear(ALEX, "order_status", order_number=7)
        assert "Order 14" in await hear(ALEX, "order_status", order_number=14)
        assert "Order 7 is on its way" in await hear(ANONYMOUS, "order_status", order_number=7)
        for nobody in (OTHER_SAM, Caller("kim", "call-1")):
            assert NO_ACCOUNT in await hear(nobody, "order_status", order_number=7)
            assert NO_ACCOUNT in await hear(nobody, "cancel_order", order_number=9)
            assert NO_ACCOUNT in await hear(nobody, "my_appointments")
            assert "We have" in await hear(nobody, "find_product", query="helmet")


async def test_caller_whom_nobody_knows_has_no_orders_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo customer is asked for by a setting."""
    assert not load(StorefrontSettings, _env_file=None).storefront_demo_customer
    async with running_shop(tmp_path, monkeypatch, demo=False):
        assert NO_ACCOUNT in await hear(ANONYMOUS, "list_orders")
        assert "Order 7 is on its way" in await hear(SAM, "order_status", order_number=7)


async def test_mechanic_calls_the_customer_who_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The MCP server asks the shop for the same customer as the agent's own tools."""
    asked = {"question": "a chain", "idempotency_key": "k", "call_id": "call-1"}
    async with running_shop(tmp_path, monkeypatch, demo=True) as url:
        knowledge = build_knowledge(url, None)
        await knowledge.call_tool("ask_mechanic", {**asked, "caller": "alex-kim", "tenant": None})
        stranger = {**asked, "caller": "alex-kim", "tenant": "elsewhere"}
        assert NO_ACCOUNT in str(await knowledge.call_tool("ask_mechanic", stranger))
        async with ask_shop(ALEX) as (shop, _):
            assert isinstance(shop, ShopClient)
            assert len((await shop.get("/v1/callbacks"))["callbacks"]) == 1
