"""LiveKit's standard token endpoint, asked by LiveKit's own client."""

import asyncio
import json
from typing import Any

import httpx2 as httpx
import jwt
import pytest
from starlette.applications import Starlette

from call_record import calls
from call_record.record import Record
from tests.support.local_stack import ROOT, LocalStack
from tests.support.token_service import client, served
from token_service.voice_token import CHOSEN_BY_US

ASK = """
import { TokenSource } from 'livekit-client';
const [url, options] = process.argv.slice(1);
try {
  console.log(JSON.stringify(await TokenSource.endpoint(url).fetch(JSON.parse(options))));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
process.exit(0);
"""


async def token_source(url: str, **options: Any) -> dict[str, Any]:
    """What `TokenSource.endpoint(url).fetch(options)` of livekit-client answers, run by Node."""
    node = await asyncio.create_subprocess_exec(
        *("node", "--input-type=module", "--eval", ASK, "--", url, json.dumps(options)),
        cwd=ROOT / "web",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(node.communicate(), 30)
    assert output, errors.decode()
    answer: dict[str, Any] = json.loads(output.decode().splitlines()[-1])
    return answer


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_livekits_own_client_gets_a_place_in_a_call(
    app: Starlette, sfu: LocalStack, record: Record
) -> None:
    """`TokenSource.endpoint` takes the answer; what it may not choose is refused in words."""
    async with client(app), served(app) as port:
        url = f"http://127.0.0.1:{port}/api/livekit-token"
        place, refused = await asyncio.gather(
            token_source(url), token_source(url, agentName="another", roomName="mine")
        )
    assert place["serverUrl"] == sfu.sfu_url
    claims = jwt.decode(place["participantToken"], sfu.key.secret, algorithms=["HS256"])
    [call] = await calls.not_ended(record)
    assert (claims["video"]["room"], claims["sub"]) == (call.call_id, call.caller)
    assert "received 400" in refused["error"] and CHOSEN_BY_US in refused["error"]


async def test_livekit_token_is_created(http: httpx.AsyncClient) -> None:
    """201 and the two fields, not to be stored; the cookie is the same one."""
    answer = await http.post("/api/livekit-token", json={})
    assert answer.status_code == 201
    assert set(answer.json()) == {"server_url", "participant_token"}
    assert answer.headers["cache-control"] == "no-store"
    again = await http.post("/api/livekit-token")
    rooms = [
        jwt.decode(one.json()["participant_token"], options={"verify_signature": False})["video"]
        for one in (answer, again)
    ]
    assert rooms[0] == rooms[1]


@pytest.mark.parametrize(
    "wish",
    [
        {"room_name": "mine"},
        {"participant_identity": "agent-1"},
        {"participant_name": "Sam"},
        {"participant_metadata": "x"},
        {"participant_attributes": {"lk.simulator": "1"}},
        {"room_config": {"agents": [{"agent_name": "another"}]}},
        {"room_config": {"egress": {}}},
        {"call_id": "01a20fbc-ac2f-7644-8680-f960471e1e49"},
    ],
    ids=lambda wish: next(iter(wish)),
)
async def test_livekit_token_with_a_wish_is_refused(
    http: httpx.AsyncClient, record: Record, wish: dict[str, Any]
) -> None:
    """Nothing of the standard request is the caller's to choose; nothing is made."""
    refused = await http.post("/api/livekit-token", json=wish)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-request")
    assert refused.json()["detail"] == CHOSEN_BY_US
    assert await calls.not_ended(record) == []
