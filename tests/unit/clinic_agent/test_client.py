"""Who calls the clinic, as its agent learns it, over a real backend."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest

from agent_worker.reasoning.known_values import KnownValues
from agent_worker.rehearsal.ledger import Ledger
from agent_worker.tools.tool import Caller, IdempotencyKey
from examples.clinic.agent.client import ClinicClient, open_clinic, open_rehearsal
from examples.clinic.backend.app import build, prepare
from examples.clinic.backend.app import open_clinic as open_backend
from examples.clinic.backend.settings import ClinicSettings
from service_base.settings import load

NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)


@pytest.fixture
async def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The clinic, to which the agent's HTTP client leads."""
    url = f"sqlite+aiosqlite:///{tmp_path}/clinic.db"
    settings = load(ClinicSettings, clinic_database_url=url, _env_file=None)
    clinic = open_backend(settings, lambda: NOW)
    await prepare(clinic)
    transport = httpx.ASGITransport(build(settings, clinic, allow_reset=True))

    class ToClinic(httpx.AsyncClient):
        def __init__(self, **rest: object) -> None:
            super().__init__(
                transport=transport,
                base_url=str(rest["base_url"]),
                headers=rest["headers"],  # type: ignore[arg-type]
            )

    monkeypatch.setattr(httpx, "AsyncClient", ToClinic)
    yield
    await clinic.database.close()


async def known(caller: Caller) -> dict[str, object]:
    """What is known of *caller* before they say anything."""
    async with open_clinic(caller) as (clinic, values):
        assert isinstance(clinic, ClinicClient) and isinstance(values, KnownValues)
        assert await clinic.today() == NOW.date()
        return dict(values.values)


@pytest.mark.usefixtures("backend")
async def test_patient_who_signed_in_is_known_and_nobody_else() -> None:
    """By name and number, as they would say them; of another tenant the same name is a stranger."""
    sam = {"name": "Sam Rivera", "phone_number": "2025550134"}
    assert await known(Caller("sam-rivera", "call-1")) == sam
    assert await known(Caller("sam-rivera", "call-1", tenant="other")) == {}
    assert await known(Caller("tom", "call-1")) == {}
    assert await known(Caller("caller-0123", "call-1")) == {}


async def test_caller_is_served_while_the_clinic_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the caller is asked."""
    monkeypatch.setenv("PARLEY_CLINIC_URL", "http://127.0.0.1:9")
    async with open_clinic(Caller("sam-rivera", "call-1")) as (_, values):
        assert values == KnownValues({})


@pytest.mark.usefixtures("backend")
async def test_rehearsal_starts_with_the_first_days_data_and_tells_its_effects() -> None:
    """Each time; nobody is known who did not sign in."""
    anne = {"name": "Anne Mayer", "phone_number": "2025550144"}
    for _ in range(2):
        async with open_rehearsal(Caller("caller-1", "call-1")) as (clinic, values, ledger):
            assert isinstance(clinic, ClinicClient) and isinstance(ledger, Ledger)
            assert values == KnownValues({})
            assert await ledger.effects() == []
            when = {"date": "2026-11-24", "time": "09:00"}
            await clinic.post("/v1/appointments", IdempotencyKey("k"), **anne, **when)
            assert await ledger.effects() == ["appointment.booked appointment:3"]
