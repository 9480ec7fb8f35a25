"""The shop's own scripts at any time, twice in a row on the same shop."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2 as httpx
import pytest

from agent_worker.agent import AgentError
from agent_worker.loading import open_resources
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.rehearsal.script import read
from agent_worker.rehearsal.stage import rehearse
from agent_worker.tools.tool import Caller
from examples.storefront.agent import AGENT
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from service_base.settings import load
from tests.unit.storefront_agent.shop_call import CALL_ID, StoppedClock

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "examples/storefront/agent/rehearsals").glob("*.yaml"))
BERLIN = ZoneInfo("Europe/Berlin")
CALLER = Caller("caller-1", CALL_ID)


@asynccontextmanager
async def shop_at(
    now: datetime, database: Path, patch: pytest.MonkeyPatch, *, allow_reset: bool = True
) -> AsyncIterator[None]:
    """A shop whose clock stands at *now*, reached by whatever connects over HTTP."""
    settings = load(
        StorefrontSettings,
        storefront_database_url=f"sqlite+aiosqlite:///{database}",
        storefront_demo_customer=True,
        storefront_timezone=BERLIN.key,
        _env_file=None,
    )
    shop = open_shop(settings, lambda: now)
    await prepare(shop)
    app = build(settings, shop, allow_reset=allow_reset)
    real = httpx.AsyncClient

    def connect(**options: object) -> httpx.AsyncClient:
        headers = options["headers"]
        assert isinstance(headers, dict)
        return real(transport=httpx.ASGITransport(app), base_url="http://shop", headers=headers)

    patch.setattr(httpx, "AsyncClient", connect)
    try:
        yield
    finally:
        await shop.database.close()


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 11, 18, 10, 15, tzinfo=BERLIN),
        datetime(2026, 11, 20, 9, 0, tzinfo=BERLIN),  # a Friday, and Saturday is tomorrow
        datetime(2026, 11, 21, 23, 58, tzinfo=BERLIN),  # before the day on which it is closed
        datetime(2026, 11, 22, 23, 58, tzinfo=BERLIN),  # a Sunday
        datetime(2026, 11, 30, 0, 2, tzinfo=BERLIN),  # the end of a month, and in UTC a Sunday
        datetime(2026, 12, 31, 23, 58, tzinfo=BERLIN),
        datetime(2027, 3, 27, 23, 58, tzinfo=BERLIN),  # the next day has 23 hours
        datetime(2027, 10, 31, 2, 30, tzinfo=BERLIN),  # a time that comes twice
    ],
    ids=str,
)
async def test_scripts_go_as_written_at_any_time_and_twice(
    now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one script has changed is as before when the next begins."""
    agent = dataclasses.replace(AGENT, mcp=(), time_zone=BERLIN.key)
    scripts = [read(file) for file in SCRIPTS if file.stem != "ask_the_mechanics"]  # another server
    assert len(scripts) >= 4
    async with shop_at(now, tmp_path / "shop.db", monkeypatch):
        for script in scripts * 2:
            report = await rehearse(agent, AgentLLM, {}, script, StoppedClock(now))
            assert report.failures == [], report.transcript


async def test_shop_that_keeps_its_data_is_not_rehearsed_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal would change them."""
    now = datetime(2026, 11, 18, 10, 15, tzinfo=BERLIN)
    async with shop_at(now, tmp_path / "shop.db", monkeypatch, allow_reset=False):
        with pytest.raises(AgentError, match=r"open_rehearsal: .* keeps its data.*--allow-reset"):
            async with open_resources(AGENT, CALLER, rehearses=True):
                pass


async def test_shop_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one sentence."""
    monkeypatch.setenv("PARLEY_STOREFRONT_URL", "http://127.0.0.1:9")
    with pytest.raises(AgentError, match=r"the shop at http://127\.0\.0\.1:9/? does not answer"):
        async with open_resources(AGENT, CALLER, rehearses=True):
            pass
