"""A token for a new call, and the page."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import pytest
import structlog
from livekit import api, rtc
from prometheus_client import REGISTRY
from starlette.applications import Starlette

from call_record import calls, journal, slots, workers
from call_record.record import Record
from call_record.tables import CallState
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from tests.support.token_service import browser, claims, client, room
from token_service.app import build
from token_service.cookie import COOKIE
from token_service.rooms import ROOM_DEPARTURE_TIMEOUT_S
from token_service.settings import TokenSettings
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import CallRequested
from voice_contract.limits import JOIN_WITHIN_S
from voice_contract.room import RoomState
from voice_contract.tokens import QueueProblem, VoiceToken


async def test_voice_token_is_all_that_is_answered(http: httpx.AsyncClient) -> None:
    """The browser gets three fields, not to be stored anywhere."""
    response = await http.post("/api/voice-token", json={})
    assert response.status_code == 200
    assert set(response.json()) == {"rtc_url", "token", "expires_at"}
    assert response.headers["cache-control"] == "no-store"


async def test_page_gets_the_words_of_its_agent(settings: TokenSettings, tmp_path: Path) -> None:
    """From the file that the settings name; without one, none."""
    async with client(build(settings)) as http:
        assert set((await http.get("/api/page")).json().values()) == {None}
    file = tmp_path / "page.json"
    file.write_text('{"name": "The House"}')
    named = settings.model_copy(update={"token_page_file": file})
    async with client(build(named)) as http:
        assert (await http.get("/api/page")).json()["name"] == "The House"


async def test_voice_token_grants_one_room_microphone_and_data(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """The token's claims are exactly what a caller needs, and it expires in 30 s."""
    before = time.time()
    response = await http.post("/api/voice-token")
    answer = VoiceToken.model_validate_json(response.content)
    said = claims(response, sfu)
    room = said["video"].pop("room")
    assert said["video"] == {
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canPublishSources": ["microphone"],
        "canUpdateOwnMetadata": False,
    }
    assert set(said) == {"video", "sub", "iss", "nbf", "exp"}
    assert said["sub"].startswith("caller-") and room not in said["sub"]
    assert JOIN_WITHIN_S - 1 <= said["exp"] - before <= JOIN_WITHIN_S + 2
    assert abs((answer.expires_at - datetime.fromtimestamp(said["exp"], UTC)).seconds) <= 1


async def test_voice_token_room_exists_with_dispatch_before_the_answer(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """The agent is on its way before the browser has its token."""
    said = claims(await http.post("/api/voice-token", json={"call_id": None}), sfu)
    name = said["video"]["room"]
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        rooms = (await sfu_api.room.list_rooms(api.ListRoomsRequest(names=[name]))).rooms
        dispatches = await sfu_api.agent_dispatch.list_dispatch(name)
    assert [found.departure_timeout for found in rooms] == [ROOM_DEPARTURE_TIMEOUT_S]
    assert RoomState.model_validate_json(rooms[0].metadata) == RoomState(
        attempt=1, state="connecting"
    )
    assert [found.agent_name for found in dispatches] == ["parley"]
    metadata = DispatchMetadata.model_validate_json(dispatches[0].metadata)
    assert metadata == DispatchMetadata(call_id=name, attempt=1, caller=said["sub"])


async def test_voice_token_call_is_on_the_record(
    http: httpx.AsyncClient, sfu: LocalStack, record: Record
) -> None:
    """Its id is the room's name; its caller the identity in the token."""
    said = claims(await http.post("/api/voice-token"), sfu)
    call = await the_call(record, said["video"]["room"])
    assert (call.state, call.caller) == (CallState.REQUESTED, said["sub"])
    [first] = await journal.read(record, call.call_id)
    assert first.entry == CallRequested(caller=said["sub"])


async def test_voice_token_without_a_cookie_is_another_caller(
    http: httpx.AsyncClient, app: Starlette, sfu: LocalStack
) -> None:
    """Two callers never share a room or an identity."""
    async with browser(app) as other:
        said = [claims(await one.post("/api/voice-token"), sfu) for one in (http, other)]
    assert said[0]["video"]["room"] != said[1]["video"]["room"]
    assert said[0]["sub"] != said[1]["sub"]


async def test_voice_token_asked_for_twice_is_one_call(
    http: httpx.AsyncClient, sfu: LocalStack, record: Record
) -> None:
    """A double click, a reload before the join: same room, new token, one slot, one agent."""
    before = (await slots.read(record)).free
    first = await http.post("/api/voice-token")
    again = await asyncio.gather(*(http.post("/api/voice-token") for _ in range(4)))
    assert {room(answer, sfu) for answer in again} == {room(first, sfu)}
    assert {claims(answer, sfu)["sub"] for answer in again} == {claims(first, sfu)["sub"]}
    assert (await slots.read(record)).free == before - 1
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        assert len(await sfu_api.agent_dispatch.list_dispatch(room(first, sfu))) == 1


async def test_token_joins_its_room_and_may_not_change_itself(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """The SFU lets the caller in, and refuses to let it steer the agent by its attributes."""
    answer = VoiceToken.model_validate_json((await http.post("/api/voice-token")).content)
    room = rtc.Room()
    await room.connect(answer.rtc_url, answer.token)
    try:
        assert room.isconnected()
        await room.local_participant.set_attributes({"lk.simulator": "1"})
        async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
            asked = api.ListParticipantsRequest(room=room.name)
            people = (await sfu_api.room.list_participants(asked)).participants
        assert [dict(person.attributes) for person in people] == [{}]
    finally:
        await room.disconnect()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"room_name": "mine"}', 400, "bad-request"),
        (b'{"room_config": {"agents": []}}', 400, "bad-request"),
        (b"[]", 400, "bad-request"),
        (b"{", 400, "bad-request"),
        (b"\xff", 400, "bad-request"),
        (b" " * 5000, 413, "body-too-large"),
    ],
)
async def test_voice_token_with_wishes_is_refused(
    http: httpx.AsyncClient, body: bytes, status: int, code: str
) -> None:
    """The caller may choose nothing; what it sends is refused with a plain problem."""
    response = await http.post("/api/voice-token", content=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code


async def test_voice_token_asked_for_again_when_the_sfu_lost_the_room_makes_it_anew(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """With an agent on its way: nobody has been in it yet."""
    call_id = room(await http.post("/api/voice-token"), sfu)
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        await sfu_api.room.delete_room(api.DeleteRoomRequest(room=call_id))
        assert room(await http.post("/api/voice-token"), sfu) == call_id
        assert len(await sfu_api.agent_dispatch.list_dispatch(call_id)) == 1


async def test_voice_token_without_a_free_slot_says_when_to_ask_again(
    http: httpx.AsyncClient, app: Starlette, record: Record, sfu: LocalStack
) -> None:
    """Busy is said before a room is made, not found in a silent one; who came first is next."""
    await workers.register(record, "worker", 1)
    call_id = room(await http.post("/api/voice-token"), sfu)
    async with browser(app) as second, browser(app) as third:
        for other, position in ((second, 1), (third, 2), (second, 1)):
            refused = await other.post("/api/voice-token")
            assert (refused.status_code, refused.json()["code"]) == (503, "agents-busy")
            assert QueueProblem.model_validate_json(refused.content).position == position
            assert refused.headers["retry-after"] == "2"
        await http.post(f"/api/calls/{call_id}/end")
        assert (await third.post("/api/voice-token")).json()["position"] == 2
        assert (await second.post("/api/voice-token")).status_code == 200
        assert (await third.post("/api/voice-token")).json()["position"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_voice_token_with_the_record_away_says_so(settings: TokenSettings) -> None:
    """No call without a record of it; no word of why to a stranger."""
    away = settings.model_copy(
        update={"database_url": "postgresql+asyncpg://nobody:hunter2@127.0.0.1:9/none"}
    )
    async with client(build(away)) as http:
        response = await http.post("/api/voice-token")
        ready = await http.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "record-unavailable")
    assert response.headers["retry-after"] == "2"
    assert (ready.status_code, ready.json()["parts"]["sfu"]) == (503, "ok")
    assert ready.json()["parts"]["database"] == response.json()["detail"]


async def test_voice_token_with_the_sfu_away_says_so_and_takes_no_slot(
    settings: TokenSettings, record: Record, capfd: pytest.CaptureFixture[str]
) -> None:
    """An SFU that cannot be reached is a problem of its own, without a secret in it."""
    before = (await slots.read(record)).free
    away = settings.model_copy(update={"sfu_url": "ws://127.0.0.1:9"})
    async with client(build(away)) as http:
        response = await http.post("/api/voice-token")
        ready = await http.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "sfu-unavailable")
    assert response.headers["retry-after"] == "2"
    assert ready.status_code == 503
    assert (await slots.read(record)).free == before
    assert await calls.not_ended(record) == []
    assert settings.sfu_key().secret not in response.text + ready.text + capfd.readouterr().out


async def test_voice_token_with_a_wrong_key_is_not_ready(
    settings: TokenSettings, tmp_path: Path
) -> None:
    """A key that the SFU does not know is found by /readyz, not by the first caller."""
    keys = tmp_path / "keys.yaml"
    keys.write_text("other: " + "x" * 40)
    keys.chmod(0o600)
    wrong = settings.model_copy(update={"sfu_keys_file": keys})
    async with client(build(wrong)) as http:
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.post("/api/voice-token")).json()["code"] == "sfu-unavailable"


async def test_voice_token_by_get_is_not_allowed(http: httpx.AsyncClient) -> None:
    """A link or an image on another page can not start a call."""
    response = await http.get("/api/voice-token")
    assert response.status_code == 405
    assert response.json()["code"] == "method-not-allowed"


async def test_metrics_count_requests_by_outcome_and_time_to_mint(
    http: httpx.AsyncClient, app: Starlette, record: Record, sfu: LocalStack
) -> None:
    """What an operator watches: mint latency, admissions and refusals by reason, slots."""

    def count(outcome: str) -> float:
        labels = {"endpoint": "/api/voice-token", "outcome": outcome}
        return REGISTRY.get_sample_value("parley_token_requests_total", labels) or 0

    before = {outcome: count(outcome) for outcome in ("admitted", "returned", "agents-busy")}
    await workers.register(record, "worker", 1)
    call_id = room(await http.post("/api/voice-token"), sfu)
    await http.post("/api/voice-token", json={"call_id": call_id})
    async with browser(app) as other:
        await other.post("/api/voice-token")
    assert {outcome: count(outcome) - before[outcome] for outcome in before} == dict.fromkeys(
        before, 1
    )
    text = (await http.get("/metrics")).text
    assert "parley_token_mint_seconds_bucket" in text
    assert 'route="/api/voice-token",status="503"' in text


async def test_log_of_a_request_is_one_event_without_token_or_person(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """By it a call can be followed; nothing in it opens a door or says who called."""
    with structlog.testing.capture_logs() as events:
        response = await http.post("/api/voice-token")
        refused = await http.post("/api/voice-token", content=b"{")
    said = claims(response, sfu)
    assert refused.status_code == 400
    text = repr(events)
    for private in (response.json()["token"], said["sub"], http.cookies[COOKIE]):
        assert private not in text
    assert all(event.pop("duration_ms") > 0 for event in events)
    assert events == [
        {
            "event": "call.requested",
            "log_level": "info",
            "endpoint": "/api/voice-token",
            "outcome": "admitted",
            "status": 200,
            "call_id": said["video"]["room"],
        },
        {
            "event": "call.refused",
            "log_level": "info",
            "endpoint": "/api/voice-token",
            "outcome": "bad-request",
            "status": 400,
        },
    ]
