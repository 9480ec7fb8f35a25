"""A caller's own calls: come back to, looked at, ended; a stranger gets nothing."""

import asyncio

import httpx2 as httpx
import pytest
from livekit import api
from starlette.applications import Starlette

from call_record import calls, erasure, follow_up, journal, slots
from call_record.calls import Claim
from call_record.record import Record
from call_record.tables import CallState
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from tests.support.token_service import browser, claims, room
from token_service.cookie import COOKIE
from voice_contract.ids import new_call_id
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, Entry, ToolStarted, UserTurn
from voice_contract.room import RoomState


@pytest.fixture
async def call_id(http: httpx.AsyncClient, sfu: LocalStack) -> str:
    """A call of the browser, not joined yet."""
    return room(await http.post("/api/voice-token"), sfu)


@pytest.fixture
async def live_id(call_id: str, record: Record) -> str:
    """A call of the browser, which an agent has."""
    assert await calls.claim(record, call_id, 1, "job", "worker") is Claim.CLAIMED
    return call_id


async def test_cookie_is_for_our_api_alone(http: httpx.AsyncClient, app: Starlette) -> None:
    """No script reads it, no other page sends it; over TLS nothing else can set it."""
    plain = (await http.post("/api/voice-token")).headers["set-cookie"].split("; ")
    assert plain[0].startswith(f"{COOKIE}=")
    assert sorted(plain[1:]) == ["HttpOnly", "Max-Age=86400", "Path=/api", "SameSite=strict"]
    async with browser(app, base_url="https://parley") as tls:
        secure = (await tls.post("/api/voice-token")).headers["set-cookie"].split("; ")
    assert secure[0].startswith(f"__Secure-{COOKIE}=") and "Secure" in secure


async def test_cookie_secret_is_nowhere_but_in_the_cookie(
    http: httpx.AsyncClient, sfu: LocalStack, record: Record
) -> None:
    """Neither in the token nor in the record; the identity does not lead to it."""
    response = await http.post("/api/voice-token")
    secret = http.cookies[COOKIE]
    call = await the_call(record, room(response, sfu))
    assert len(secret) == 43
    assert secret not in response.text + repr(claims(response, sfu)) + repr(call)
    assert len(call.return_proof_hash or b"") == 32


async def test_cookie_is_kept_for_later_calls(
    http: httpx.AsyncClient, sfu: LocalStack, live_id: str
) -> None:
    """The same browser is the same caller in its next call."""
    secret = http.cookies[COOKIE]
    later = await http.post("/api/voice-token")
    assert room(later, sfu) != live_id
    assert http.cookies[COOKIE] == secret


async def test_cookie_of_another_shape_is_replaced(http: httpx.AsyncClient) -> None:
    """What we did not make is no secret."""
    sent = {"Cookie": f"{COOKIE}=guess"}
    response = await http.post("/api/voice-token", headers=sent)
    assert "guess" not in response.headers["set-cookie"]


async def test_coming_back_to_a_live_call_is_the_same_room_and_identity(
    http: httpx.AsyncClient, sfu: LocalStack, live_id: str, record: Record
) -> None:
    """Nothing is dispatched, admitted or changed; only a token is new."""
    identity = (await the_call(record, live_id)).caller
    before = (await slots.read(record)).free
    back = claims(await http.post("/api/voice-token", json={"call_id": live_id}), sfu)
    assert (back["video"]["room"], back["sub"]) == (live_id, identity)
    assert (await slots.read(record)).free == before
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        assert len(await sfu_api.agent_dispatch.list_dispatch(live_id)) == 1
        [found] = (await sfu_api.room.list_rooms(api.ListRoomsRequest(names=[live_id]))).rooms
    assert RoomState.model_validate_json(found.metadata).state == "connecting"


async def test_coming_back_when_the_sfu_lost_the_room_makes_it_without_an_agent(
    http: httpx.AsyncClient, sfu: LocalStack, live_id: str
) -> None:
    """After the first agent only the supervisor sends any."""
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as sfu_api:
        await sfu_api.room.delete_room(api.DeleteRoomRequest(room=live_id))
        back = await http.post("/api/voice-token", json={"call_id": live_id})
        assert room(back, sfu) == live_id
        sent = await sfu_api.agent_dispatch.list_dispatch(live_id)
        [found] = (await sfu_api.room.list_rooms(api.ListRoomsRequest(names=[live_id]))).rooms
    assert [dispatch.agent_name for dispatch in sent if dispatch.agent_name] == []
    assert RoomState.model_validate_json(found.metadata) == RoomState(attempt=1, state="recovering")


@pytest.mark.parametrize("sealed", [False, True])
async def test_coming_back_to_a_call_that_is_over_says_so(
    http: httpx.AsyncClient, live_id: str, record: Record, sealed: bool
) -> None:
    """Ending or ended: there is nothing to come back to."""
    await calls.end(record, live_id, "agent")
    if sealed:
        await journal.seal(record, live_id, 1, "agent")
    response = await http.post("/api/voice-token", json={"call_id": live_id})
    assert (response.status_code, response.json()["code"]) == (410, "call-ended")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/voice-token"),
        ("GET", "/api/calls/{}"),
        ("POST", "/api/calls/{}/end"),
        ("GET", "/api/calls/{}/follow-up"),
    ],
)
async def test_stranger_with_the_call_id_gets_what_nobodys_call_gets(
    app: Starlette, live_id: str, record: Record, method: str, path: str
) -> None:
    """With no cookie or another's; not even whether there is such a call."""
    answers = []
    async with browser(app) as stranger:
        for cookie in ("", f"{COOKIE}={'x' * 43}"):
            for asked in (live_id, new_call_id()):
                answer = await stranger.request(
                    method,
                    path.format(asked),
                    headers={"Cookie": cookie},
                    json={"call_id": asked} if path.endswith("token") else None,
                )
                answers.append((answer.status_code, answer.json(), "set-cookie" in answer.headers))
    assert answers[0][0] == 404 and answers[0][1]["code"] == "call-not-found"
    assert all(answer == answers[0] for answer in answers)
    assert (await the_call(record, live_id)).state is CallState.LIVE


@pytest.mark.parametrize("asked", ["x", "%00", "a" * 5_000, "0" * 36, "..%2F.."])
async def test_path_that_is_no_call_id_is_not_found(http: httpx.AsyncClient, asked: str) -> None:
    """It does not reach the database."""
    assert (await http.get(f"/api/calls/{asked}")).status_code == 404


async def test_erased_call_is_nobodys(
    http: httpx.AsyncClient, call_id: str, record: Record
) -> None:
    """Nothing is left by which it could be proven."""
    await erasure.end(record, call_id, "erased")
    await erasure.erase(record, call_id, "asked to")
    assert (await http.get(f"/api/calls/{call_id}")).status_code == 404


async def test_view_is_state_and_what_was_said(
    http: httpx.AsyncClient, live_id: str, record: Record
) -> None:
    """The caller's words as understood, the agent's as heard; nothing that was only begun."""
    entries: list[Entry] = [
        AgentTurnStarted(turn_id="1", planned="Hello there, this is"),
        AgentTurnEnded(turn_id="1", heard="Hello", interrupted=True),
        UserTurn(text="where is my order", typed=True),
        ToolStarted(invocation_id="t", tool="order", effect="read", arguments={"number": 7}),
        AgentTurnEnded(turn_id="2", heard="", interrupted=True),
        AgentTurnStarted(turn_id="3", planned="It is"),
    ]
    await journal.append(record, live_id, 1, entries)
    response = await http.get(f"/api/calls/{live_id}")
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {
        "call_id": live_id,
        "state": "live",
        "end_reason": None,
        "transcript": [
            {"seq": 4, "speaker": "agent", "text": "Hello", "typed": False},
            {"seq": 5, "speaker": "caller", "text": "where is my order", "typed": True},
        ],
    }


async def test_view_of_a_long_call_is_its_last_lines(
    http: httpx.AsyncClient, live_id: str, record: Record
) -> None:
    """Bounded, and in order."""
    await journal.append(record, live_id, 1, [UserTurn(text=str(n)) for n in range(310)])
    lines = (await http.get(f"/api/calls/{live_id}")).json()["transcript"]
    assert [line["text"] for line in lines] == [str(n) for n in range(10, 310)]


async def test_end_of_a_call_without_an_agent_frees_its_slot_at_once(
    http: httpx.AsyncClient, call_id: str, record: Record
) -> None:
    """Its journal is sealed; doing it again changes nothing."""
    before = (await slots.read(record)).free
    for _ in range(2):
        response = await http.post(f"/api/calls/{call_id}/end")
        assert (response.status_code, response.content) == (204, b"")
    call = await the_call(record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "caller")
    assert (await slots.read(record)).free == before + 1
    assert (await http.get(f"/api/calls/{call_id}")).json()["end_reason"] == "caller"


async def test_end_of_a_live_call_is_for_its_agent_to_seal(
    http: httpx.AsyncClient, live_id: str, record: Record
) -> None:
    """The agent sees it at its next renewal."""
    for _ in range(2):
        assert (await http.post(f"/api/calls/{live_id}/end")).status_code == 204
    assert (await the_call(record, live_id)).state is CallState.ENDING
    kinds = [entry.kind for entry in await journal.read(record, live_id)]
    assert kinds == ["call.requested", "call.claimed", "call.ending"]


async def test_end_while_an_agent_claims_the_call_seals_nothing_under_it(
    http: httpx.AsyncClient, call_id: str, record: Record
) -> None:
    """Either the agent is too late, or the call is its own to seal."""
    claim, _ = await asyncio.gather(
        calls.claim(record, call_id, 1, "job", "worker"), http.post(f"/api/calls/{call_id}/end")
    )
    state = (await the_call(record, call_id)).state
    assert (claim, state) in (
        (Claim.CLAIMED, CallState.ENDING),
        (Claim.OVER, CallState.ENDED),
    )


async def test_follow_up_of_an_own_call_is_waited_for(
    http: httpx.AsyncClient, call_id: str
) -> None:
    """Until the work after the call is done."""
    await http.post(f"/api/calls/{call_id}/end")
    response = await http.get(f"/api/calls/{call_id}/follow-up")
    assert response.json()["state"] == "waiting"


async def test_follow_up_that_is_done_is_shown_to_its_caller_alone(
    http: httpx.AsyncClient, app: Starlette, call_id: str, record: Record
) -> None:
    """What the work after the call wrote down."""
    await http.post(f"/api/calls/{call_id}/end")
    await follow_up.take(record)
    await follow_up.plan(record, call_id, ["summary"])
    await follow_up.settle(record, call_id, "summary", follow_up.StepState.SKIPPED)
    assert await follow_up.finish(record, call_id) is follow_up.WorkState.READY
    path = f"/api/calls/{call_id}/follow-up"
    assert (await http.get(path)).json()["state"] == "ready"
    async with browser(app) as stranger:
        assert (await stranger.get(path)).status_code == 404
