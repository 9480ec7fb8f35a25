"""The agent's side of the shop's HTTP API."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import date

import httpx2 as httpx
import pytest
from livekit.agents.llm import ToolError

from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Caller, IdempotencyKey, ToolRefused
from examples.storefront.agent.client import ShopClient, open_shop
from tests.support.local_stack import free_ports, until
from tests.unit.storefront_agent.shop_call import CALL_ID, ShopCall

SAYS = GatePhrases()
KEY = IdempotencyKey("call-1:1")


async def test_post_with_the_same_key_does_nothing_new(http: httpx.AsyncClient) -> None:
    """A repetition gets the first answer; the ledger has one effect that was asked for twice."""
    shop = ShopClient(http)
    first = await shop.post("/v1/orders/9/cancel", KEY)
    assert await shop.post("/v1/orders/9/cancel", KEY) == first
    (effect,) = (await http.get("/v1/ledger")).json()["effects"]
    assert (effect["idempotency_key"], effect["requests"]) == (KEY, 2)


async def test_today_is_the_shops_own_day(http: httpx.AsyncClient) -> None:
    """Not this machine's: the shop may be elsewhere."""
    assert await ShopClient(http).today() == date(2026, 11, 18)


async def test_numbers_of_the_callers_orders_are_learned(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is an order 104, so "order one" may go on; none begins with seven."""
    monkeypatch.setattr(httpx, "AsyncClient", lambda **_: nullcontext(http))
    async with open_shop(Caller("caller-1", CALL_ID)) as (_, known):
        assert isinstance(known, KnownNumbers) and known.slot == "order_number"
        await until(lambda: bool(known.values))
        assert known.may_go_on("1") and not known.may_go_on("7")


async def test_refusal_has_the_shops_words(http: httpx.AsyncClient) -> None:
    """404 and 409 are answers."""
    with pytest.raises(ToolRefused, match="no order 99"):
        await ShopClient(http).get("/v1/orders/99")


async def test_other_errors_are_not_spoken(http: httpx.AsyncClient) -> None:
    """What the shop says about a request that we got wrong is not for the caller."""
    with pytest.raises(httpx.HTTPStatusError):
        await ShopClient(http).get("/v1/orders", limit="many")


class Line:
    """A server on a raw socket that answers each connection in one way."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.heard = b""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.readuntil(b"\r\n\r\n")
        if self.answer is not None:
            writer.write(self.answer)
        writer.close()


@pytest.fixture(params=[None, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
async def broken_line(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Line]:
    """A shop whose answers get lost, at once or midway."""
    line = Line(request.param)
    (port,) = free_ports(1)
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", f"http://127.0.0.1:{port}")
    async with await asyncio.start_server(line.serve, "127.0.0.1", port):
        yield line


async def call(name: str, **arguments: object) -> str:
    """Call a tool through `open_shop`. Returns: what the caller is told."""
    async with open_shop(Caller("caller-1", "call-1")) as (shop, _):
        assert isinstance(shop, ShopClient)
        with pytest.raises(ToolError) as caught:
            await ShopCall(shop).ask(name, **arguments)
    return caught.value.message


async def test_write_whose_answer_is_lost_is_tried_again_and_unknown(broken_line: Line) -> None:
    """It may have been done: the caller must not be told to try again. The key is one."""
    assert await call("talk_to_person") == SAYS.in_doubt
    keys = [line for line in broken_line.heard.split(b"\r\n") if b"dempotency" in line]
    assert len(keys) == 3 and len(set(keys)) == 1


async def test_read_whose_answer_is_lost_has_failed(broken_line: Line) -> None:
    """A read can be tried again, and is."""
    assert await call("opening_hours") == SAYS.away
    assert broken_line.heard.count(b"GET /v1/opening-hours") == 3


async def test_write_that_was_not_sent_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens, so nothing was done."""
    (port,) = free_ports(1)
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", f"http://127.0.0.1:{port}")
    assert await call("talk_to_person") == SAYS.away


async def test_shop_that_asks_to_wait_is_asked_again_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Retry-After` is kept to."""
    line = Line(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}")
    (port,) = free_ports(1)
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", f"http://127.0.0.1:{port}")
    async with await asyncio.start_server(line.serve, "127.0.0.1", port):
        started_s = time.monotonic()
        assert await call("opening_hours") == SAYS.away
    assert line.heard.count(b"GET ") == 3
    assert 2 <= time.monotonic() - started_s < 10


async def test_open_shop_sends_call_and_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop learns which call asks, and that it may."""
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        monkeypatch.delenv(name)
    line = Line(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"orders": []}')
    (port,) = free_ports(1)
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("PARLEY_STOREFRONT_API_KEY", "a-shared-secret")
    async with await asyncio.start_server(line.serve, "127.0.0.1", port):
        async with open_shop(Caller("caller-1", "call-7")) as (shop, _):
            assert isinstance(shop, ShopClient)
            assert await shop.get("/v1/orders") == {"orders": []}
    heard = line.heard.decode().lower()
    assert "x-call-id: call-7" in heard
    assert "authorization: bearer a-shared-secret" in heard
