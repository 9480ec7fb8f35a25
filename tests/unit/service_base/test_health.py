"""Health and readiness of a small real app."""

import asyncio
import time
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from service_base import health
from service_base.health import Check, health_routes

pytestmark = pytest.mark.usefixtures("virtual_time")


async def ready() -> None:
    """Be ready."""


async def away() -> None:
    raise RuntimeError("the database is away")


async def speechless() -> None:
    raise KeyError


async def hangs() -> None:
    await asyncio.sleep(60)


async def ask(path: str, checks: dict[str, Check]) -> tuple[int, Any]:
    app = Starlette(routes=[*health_routes(checks)])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://app"
    ) as client:
        answer = await client.get(path)
    return answer.status_code, answer.json() if path == "/readyz" else answer.text


async def test_healthz_asks_nothing_else() -> None:
    """The process lives, though it cannot work."""
    assert await ask("/healthz", {"database": hangs}) == (200, "ok")


@pytest.mark.parametrize("checks", [{}, {"database": ready, "sfu": ready}])
async def test_readyz_all_ready_is_200(checks: dict[str, Check]) -> None:
    """Every part says ok; no parts are all parts."""
    parts = dict.fromkeys(checks, "ok")
    assert await ask("/readyz", checks) == (200, {"ready": True, "parts": parts})


async def test_readyz_one_part_away_is_503_with_reasons() -> None:
    """Each part says for itself what is wrong; an error without words says its kind."""
    status, body = await ask("/readyz", {"database": away, "sfu": ready, "voice": speechless})
    assert status == 503
    assert body == {
        "ready": False,
        "parts": {"database": "the database is away", "sfu": "ok", "voice": "KeyError"},
    }


async def test_readyz_slow_checks_are_bounded_together() -> None:
    """Checks run side by side, and none is waited for longer than the limit."""
    started = time.monotonic()
    status, body = await ask("/readyz", {"one": hangs, "two": hangs, "more": hangs, "three": ready})
    assert time.monotonic() - started == pytest.approx(health.CHECK_TIMEOUT_S, abs=0.01)
    assert status == 503
    assert body["parts"] == {
        "one": "no answer within 2 s",
        "two": "no answer within 2 s",
        "more": "no answer within 2 s",
        "three": "ok",
    }
