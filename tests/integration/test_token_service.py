"""The token service against a real SFU."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import jwt
import pytest
import structlog
from livekit import api, rtc
from starlette.applications import Starlette

from tests.local_stack import LocalStack
from token_service.admission import ROOM_DEPARTURE_TIMEOUT_S
from token_service.app import build
from token_service.settings import TokenSettings
from voice_contract.dispatch import DispatchMetadata
from voice_contract.limits import JOIN_WITHIN_S
from voice_contract.tokens import VoiceToken


@asynccontextmanager
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of *app*, which is started and stopped around it."""
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://parley") as http:
            yield http


@pytest.fixture
def web_dir(tmp_path: Path) -> Path:
    """A built page, as small as can be."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Parley</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    return tmp_path


@pytest.fixture
def settings(sfu: LocalStack, web_dir: Path) -> TokenSettings:
    """Settings for the SFU of the tests."""
    return TokenSettings(sfu_url=sfu.sfu_url, sfu_keys_file=sfu.keys_file, web_dir=web_dir)


@pytest.fixture
async def http(settings: TokenSettings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the token service."""
    async with client(build(settings)) as connected:
        yield connected


async def test_voice_token_is_all_that_is_answered(http: httpx.AsyncClient) -> None:
    """The browser gets three fields, not to be stored anywhere."""
    response = await http.post("/api/voice-token", json={})
    assert response.status_code == 200
    assert set(response.json()) == {"rtc_url", "token", "expires_at"}
    assert response.headers["cache-control"] == "no-store"


async def test_voice_token_grants_one_room_microphone_and_data(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """The token's claims are exactly what a caller needs, and it expires in 30 s."""
    before = time.time()
    answer = VoiceToken.model_validate_json((await http.post("/api/voice-token")).content)
    claims = jwt.decode(answer.token, sfu.key.secret, algorithms=["HS256"])
    room = claims["video"].pop("room")
    assert claims["video"] == {
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canPublishSources": ["microphone"],
        "canUpdateOwnMetadata": False,
    }
    assert set(claims) == {"video", "sub", "iss", "nbf", "exp"}
    assert claims["sub"].startswith("caller-") and room not in claims["sub"]
    assert JOIN_WITHIN_S - 1 <= claims["exp"] - before <= JOIN_WITHIN_S + 2
    assert abs((answer.expires_at - datetime.fromtimestamp(claims["exp"], UTC)).seconds) <= 1


async def test_voice_token_room_exists_with_dispatch_before_the_answer(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """The agent is on its way before the browser has its token."""
    answer = (await http.post("/api/voice-token")).json()
    claims = jwt.decode(answer["token"], sfu.key.secret, algorithms=["HS256"])
    room = claims["video"]["room"]
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        rooms = (await sfu_api.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms
        dispatches = await sfu_api.agent_dispatch.list_dispatch(room)
    assert [found.departure_timeout for found in rooms] == [ROOM_DEPARTURE_TIMEOUT_S]
    assert [found.agent_name for found in dispatches] == ["parley"]
    metadata = DispatchMetadata.model_validate_json(dispatches[0].metadata)
    assert metadata == DispatchMetadata(call_id=room, attempt=1, caller=claims["sub"])


async def test_voice_token_each_request_is_another_call(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """Two callers never share a room or an identity."""
    answers = [(await http.post("/api/voice-token")).json() for _ in range(2)]
    claims = [jwt.decode(a["token"], sfu.key.secret, algorithms=["HS256"]) for a in answers]
    assert claims[0]["video"]["room"] != claims[1]["video"]["room"]
    assert claims[0]["sub"] != claims[1]["sub"]


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


async def test_voice_token_with_the_sfu_away_says_so(
    settings: TokenSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    """An SFU that cannot be reached is a problem of its own, without a secret in it."""
    away = settings.model_copy(update={"sfu_url": "ws://127.0.0.1:9"})
    async with client(build(away)) as http:
        response = await http.post("/api/voice-token")
        ready = await http.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "sfu-unavailable")
    assert response.headers["retry-after"] == "2"
    assert ready.status_code == 503
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


async def test_page_is_served_under_a_strict_policy(
    http: httpx.AsyncClient, settings: TokenSettings
) -> None:
    """Scripts and styles from here alone; connections to the SFU and nowhere else."""
    response = await http.get("/")
    policy = dict(
        part.split(" ", 1) for part in response.headers["content-security-policy"].split("; ")
    )
    assert response.status_code == 200
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    host = settings.sfu_url.removeprefix("ws://")
    assert policy["connect-src"] == f"'self' ws://{host} http://{host}"
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_page_assets_are_cached_and_the_page_is_not(http: httpx.AsyncClient) -> None:
    """A new version is seen at the next load; unchanged parts are not fetched again."""
    assert (await http.get("/")).headers["cache-control"] == "no-cache"
    asset = await http.get("/assets/index-abc.js")
    assert "immutable" in asset.headers["cache-control"]
    missing = await http.get("/assets/gone.js")
    assert missing.status_code == 404
    assert "immutable" not in missing.headers["cache-control"]


async def test_page_that_is_not_built_says_how_to_build_it(
    settings: TokenSettings, tmp_path: Path
) -> None:
    """Without the web client the API works, and the page says what to run."""
    bare = settings.model_copy(update={"web_dir": tmp_path / "nothing"})
    async with client(build(bare)) as http:
        page = await http.get("/")
        assert (page.status_code, "make" in page.text) == (503, True)
        assert (await http.post("/api/voice-token")).status_code == 200


async def test_metrics_count_admitted_calls_and_time_to_mint(http: httpx.AsyncClient) -> None:
    """What an operator watches: mint latency, outcomes, requests by route."""
    await http.post("/api/voice-token")
    text = (await http.get("/metrics")).text
    assert 'parley_token_requests_total{outcome="admitted"}' in text
    assert "parley_token_mint_seconds_bucket" in text
    assert 'route="/api/voice-token",status="200"' in text


async def test_log_of_a_call_has_its_id_and_no_token(
    http: httpx.AsyncClient, sfu: LocalStack
) -> None:
    """One event for each call, by which it can be followed, and nothing that opens its door."""
    with structlog.testing.capture_logs() as events:
        answer = (await http.post("/api/voice-token")).json()
    claims = jwt.decode(answer["token"], sfu.key.secret, algorithms=["HS256"])
    (event,) = events
    assert event.pop("mint_ms") > 0
    assert event == {
        "event": "call.requested",
        "log_level": "info",
        "call_id": claims["video"]["room"],
        "caller": claims["sub"],
    }
