"""A real clinic on a real database file, asked over ASGI; only the clock is fake."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from examples.clinic.backend.app import build, open_clinic, prepare
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.settings import ClinicSettings
from service_base.settings import load
from tests.support.backend_clock import FakeClock

NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)
"""A Wednesday."""
SAM = {"name": "Sam Rivera", "phone_number": "2025550134"}
ALEX = {"name": "Alex Kim", "phone_number": "2025550177"}
SAMS_DAY = "2026-11-23"

Post = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def settings(tmp_path: Path) -> ClinicSettings:
    """Of a clinic whose database is a file."""
    url = f"sqlite+aiosqlite:///{tmp_path}/clinic.db"
    return load(ClinicSettings, clinic_database_url=url, _env_file=None)


@pytest.fixture
async def clinic(settings: ClinicSettings, clock: FakeClock) -> AsyncIterator[Clinic]:
    opened = open_clinic(settings, clock)
    await prepare(opened)
    yield opened
    await opened.database.close()


@pytest.fixture
async def client(clinic: Clinic, settings: ClinicSettings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(settings, clinic), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic") as client:
        yield client


@pytest.fixture
def post(client: httpx.AsyncClient) -> Post:
    """POST with a new idempotency key unless one is given."""
    numbers = itertools.count(1)

    async def send(path: str, *, key: str | None = None, **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key or f"key-{next(numbers)}", "X-Call-Id": "call-1"}
        return await client.post(path, json=body, headers=headers)

    return send
