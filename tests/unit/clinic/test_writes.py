"""Writes: one key, one effect; and who may ask."""

import asyncio

import httpx2 as httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from examples.clinic.backend.app import build
from examples.clinic.backend.clinic import Clinic
from examples.clinic.backend.settings import ClinicSettings
from examples.clinic.backend.tables import Callback, IdempotencyKey
from tests.unit.clinic.conftest import SAM, Post

WISH = {**SAM, "topic": "prescription", "text": "The blue inhaler"}


async def callbacks(clinic: Clinic) -> int:
    """How many people the clinic has promised to call."""
    async with clinic.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(Callback)) or 0


async def test_write_twenty_times_at_once_with_one_key_is_one_effect(
    clinic: Clinic, post: Post
) -> None:
    """All get the same answer, one of them the first time."""
    answers = await asyncio.gather(*(post("/v1/callbacks", key="k", **WISH) for _ in range(20)))
    assert {(one.status_code, one.content) for one in answers} == {(201, answers[0].content)}
    assert sum("Idempotency-Replayed" in one.headers for one in answers) == 19
    assert await callbacks(clinic) == 1


async def test_key_stands_for_one_request(clinic: Clinic, post: Post) -> None:
    """Another path or body is none of its repetitions."""
    await post("/v1/callbacks", key="k", **WISH)
    for path, body in (
        ("/v1/callbacks", {**WISH, "text": "Another"}),
        ("/v1/appointments", {**SAM, "date": "2026-11-30", "time": "09:00"}),
    ):
        other = await post(path, key="k", **body)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert await callbacks(clinic) == 1


async def test_refusal_is_kept_too(post: Post) -> None:
    """The caller has heard it: a late duplicate books nothing."""
    wish = {**SAM, "date": "2026-11-23", "time": "10:00"}
    first = await post("/v1/appointments", key="k", **wish)
    assert first.json()["code"] == "time-taken"
    await post("/v1/appointments/1/cancel", **SAM)
    again = await post("/v1/appointments", key="k", **wish)
    assert (again.status_code, again.json()) == (409, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_effect_and_key_are_one_transaction(clinic: Clinic, post: Post) -> None:
    """Where the effect fails, neither stays."""
    async with clinic.database.writing() as session:
        await session.execute(text("ALTER TABLE callback RENAME TO elsewhere"))
    assert (await post("/v1/callbacks", key="k", **WISH)).status_code == 503
    async with clinic.database.writing() as session:
        assert await session.get(IdempotencyKey, "k") is None
        await session.execute(text("ALTER TABLE elsewhere RENAME TO callback"))
    answer = await post("/v1/callbacks", key="k", **WISH)
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False)


@pytest.mark.parametrize(
    "path",
    [
        *("/v1/callbacks", "/v1/appointments"),
        *("/v1/appointments/1/move", "/v1/appointments/1/cancel"),
    ],
)
async def test_write_without_a_key_is_a_bad_request(client: httpx.AsyncClient, path: str) -> None:
    """Every route with an effect asks for one."""
    answer = await client.post(path, json=WISH)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")


async def test_shared_secret_opens_the_clinic(clinic: Clinic, settings: ClinicSettings) -> None:
    """Nothing is told without it."""
    protected = settings.model_copy(update={"clinic_api_key": SecretStr("0123456789abcdef")})
    transport = httpx.ASGITransport(build(protected, clinic))
    async with httpx.AsyncClient(transport=transport, base_url="http://clinic") as client:
        assert (await client.get("/v1/practice")).status_code == 401
        headers = {"Authorization": "Bearer 0123456789abcdef"}
        assert (await client.get("/v1/practice", headers=headers)).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
