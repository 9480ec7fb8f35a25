"""Starting over, where that is allowed, and the ledger."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest

from examples.clinic.backend.app import build
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.settings import ClinicSettings
from examples.clinic.backend.tables import Patient
from tests.unit.clinic.conftest import SAM, SAMS_DAY, Post

ANNE = {"name": "Anne Mayer", "phone_number": "2025550144"}
NINE = {"date": "2026-11-24", "time": "09:00"}


@pytest.fixture
async def demonstration(
    clinic: Clinic, settings: ClinicSettings
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the clinic where it was started with `--allow-reset`."""
    transport = httpx.ASGITransport(build(settings, clinic, allow_reset=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic") as client:
        yield client


async def test_reset_where_it_is_allowed_starts_over(
    demonstration: httpx.AsyncClient, post: Post
) -> None:
    """As often as it is asked for, also when callers have made themselves patients."""
    for _ in range(2):
        booked = await post("/v1/appointments", key="k", **ANNE, **NINE)
        assert (booked.status_code, "Idempotency-Replayed" in booked.headers) == (201, False)
        assert (await post("/v1/appointments/1/cancel", **SAM)).status_code == 200
        assert (await demonstration.post("/v1/reset")).status_code == 204
        assert (await demonstration.get("/v1/appointments", params=ANNE)).status_code == 404
        (sams,) = (await demonstration.get("/v1/appointments", params=SAM)).json()["appointments"]
        assert sams["date"] == SAMS_DAY
    assert (await demonstration.get("/v1/ledger")).json() == {"effects": []}


async def test_reset_is_no_route_unless_it_is_allowed(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Off by default: nothing is erased."""
    await post("/v1/appointments", **ANNE, **NINE)
    assert (await client.post("/v1/reset")).status_code == 404
    assert (await client.get("/v1/appointments", params=ANNE)).status_code == 200


async def test_reset_of_a_clinic_with_patients_of_its_own_is_refused(
    demonstration: httpx.AsyncClient, clinic: Clinic
) -> None:
    """Whatever flag it was started with by mistake."""
    async with clinic.database.writing() as session:
        session.add(
            Patient(name="Jo Park", name_key="jopark", phone_number="2025550100", identity="jo")
        )
    refused = await demonstration.post("/v1/reset")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-a-demonstration")
    jo = await demonstration.get("/v1/me", headers={"X-Patient-Identity": "jo"})
    assert jo.json()["name"] == "Jo Park"


async def test_ledger_has_every_effect_in_order_with_call_and_key(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Each kind of effect leaves one row; a refusal and a repetition leave none."""
    await post("/v1/appointments", key="k1", **ANNE, **NINE)
    await post("/v1/appointments", key="k1", **ANNE, **NINE)
    await post("/v1/appointments", key="refused", **SAM, **NINE)
    await post("/v1/appointments/3/move", key="k2", **ANNE, **{**NINE, "time": "10:00"})
    await post("/v1/appointments/3/cancel", key="k3", **ANNE)
    await post("/v1/callbacks", key="k4", **ANNE, text="a private matter")
    ledger = await client.get("/v1/ledger")
    effects = ledger.json()["effects"]
    assert [(row["kind"], row["subject"], row["idempotency_key"]) for row in effects] == [
        ("appointment.booked", "appointment:3", "k1"),
        ("appointment.moved", "appointment:3", "k2"),
        ("appointment.cancelled", "appointment:3", "k3"),
        ("callback.requested", "callback:1", "k4"),
    ]
    assert {(row["call_id"], row["at"]) for row in effects} == {("call-1", "2026-11-18T10:15:00Z")}
    assert not any(word in ledger.text for word in ("Anne", "0144", "private"))
    one = (await client.get("/v1/ledger?kind=appointment.moved&call_id=call-1")).json()["effects"]
    assert [row["idempotency_key"] for row in one] == ["k2"]
    assert (await client.get("/v1/ledger?call_id=call-2")).json()["effects"] == []
