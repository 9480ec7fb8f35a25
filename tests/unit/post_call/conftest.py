"""A record with ended calls, a real shop over ASGI, a receiver on a socket."""

import base64
import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx2 as httpx
import pytest

from call_record import calls, follow_up, journal, workers
from call_record.record import Record
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from post_call.call_facts import CallFacts, tell
from service_base.settings import load
from tests.support.ended_calls import ended
from tests.support.receiver import Receiver
from voice_contract.journal import Entry

SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"


@pytest.fixture
def database_url(tmp_path: Path, sqlite_template: Path) -> str:
    """SQLite is enough here: what differs between databases is tested with the record."""
    shutil.copy(sqlite_template, tmp_path / "parley.db")
    return f"sqlite+aiosqlite:///{tmp_path}/parley.db"


@pytest.fixture
async def worked(record: Record) -> Record:
    """A record in which calls can be made."""
    await workers.register(record, "worker", 1_000)
    return record


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the shop."""
    settings = load(
        StorefrontSettings,
        storefront_database_url=f"sqlite+aiosqlite:///{tmp_path}/shop.db",
        _env_file=None,
    )
    opened = open_shop(settings)
    await prepare(opened)
    transport = httpx.ASGITransport(build(settings, opened), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client
    await opened.database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[Receiver, str]]:
    """A receiver and its address."""
    started = Receiver({"a": SECRET, "b": SECRET})
    server, url = await started.start()
    yield started, url
    server.close()


async def a_story(record: Record, entries: Sequence[Entry], reason: str = "caller") -> CallFacts:
    """The story of a call that had those entries."""
    call_id = await ended(record, entries, reason=reason)
    call = await calls.read(record, call_id)
    assert call is not None
    return tell(call, await journal.read(record, call_id))


async def taken(record: Record, entries: Sequence[Entry], **of: str) -> str:
    """An ended call whose work may begin."""
    call_id = await ended(record, entries, **of)
    await follow_up.take(record)
    return call_id
