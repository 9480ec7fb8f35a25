"""The supervisor's webhook and health, without an SFU."""

import hashlib
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest
from livekit import api
from starlette.applications import Starlette

from call_record import keys
from call_supervisor.app import build
from call_supervisor.settings import SupervisorSettings
from service_base.settings import load
from tests.support.calls import live
from tests.support.local_stack import free_ports
from tests.unit.call_supervisor.world import World

KEY, SECRET = "key", "x" * 40


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Starlette]:
    """Started on a record of its own; nobody listens where it looks for the SFU."""
    settings = load(
        SupervisorSettings,
        _env_file=None,
        database_url=f"sqlite+aiosqlite:///{tmp_path}/app.db",
        journal_keys_file=tmp_path / "journal-keys.yaml",
        sfu_url=f"ws://127.0.0.1:{free_ports(1)[0]}",
        sfu_api_key=KEY,
        sfu_api_secret=SECRET,
    )
    keys.ensure(settings.journal_keys_file)
    built = build(settings)
    async with built.router.lifespan_context(built):
        yield built


@pytest.fixture
async def http(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://supervisor") as client:
        yield client


async def test_supervisor_is_ready_when_sfu_and_record_answer(
    app: Starlette, http: httpx.AsyncClient, world: World
) -> None:
    """Each is told apart."""
    app.state.supervisor = world.supervisor
    answers = []
    for _ in range(2):
        answers.append(await http.get("/readyz"))
        await world.look()
    assert [(one.status_code, one.json()["parts"]) for one in answers] == [
        (503, {"sfu": "the SFU does not answer", "record": "the record does not answer"}),
        (503, {"sfu": "the SFU does not answer", "record": "ok"}),
    ]


async def test_webhook_of_the_sfu_makes_the_supervisor_look(
    app: Starlette, http: httpx.AsyncClient, world: World
) -> None:
    """At that room and soon; one that is not signed, or is of no room, has no effect."""
    app.state.supervisor = world.supervisor
    call_id = await live(world.record, "sam")
    world.room(call_id).people.add("sam")
    await world.pass_time(1)
    for secret, room, status, asked in [
        ("y" * 40, {"name": call_id}, 401, []),
        (SECRET, {}, 204, []),
        (SECRET, {"name": call_id}, 204, ["people"]),
    ]:
        world.rooms.asked.clear()
        body = json.dumps({"event": "participant_left", "room": room})
        digest = b64encode(hashlib.sha256(body.encode()).digest()).decode()
        jwt = api.AccessToken(KEY, secret).with_sha256(digest).to_jwt()
        answer = await http.post("/webhook", content=body, headers={"Authorization": jwt})
        assert answer.status_code == status
        await world.look()
        assert world.rooms.asked == asked
