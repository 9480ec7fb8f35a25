"""Who is not let in, and what it is told: each refusal with a code of its own, over HTTP."""

import asyncio
from typing import Any

import httpx2 as httpx
import pytest
from sqlalchemy import update

from call_record import calls, put_out, tables, workers
from call_record.__main__ import parser
from call_record.calls import Claim
from call_record.record import Record
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from tests.support.token_service import browser, client, room
from token_service.app import build
from token_service.settings import TokenSettings


def limited(settings: TokenSettings, **limits: Any) -> TokenSettings:
    """The same settings with other limits."""
    return settings.model_copy(update=limits)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert response.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in response.headers
    return response.status_code, response.json()["code"]


async def in_a_call(http: httpx.AsyncClient, sfu: LocalStack, record: Record) -> str:
    """The id of a call of this browser, in which both sides are."""
    call_id = room(await http.post("/api/voice-token"), sfu)
    assert await calls.claim(record, call_id, 1, "job", "worker") is Claim.CLAIMED
    await calls.join(record, call_id)
    return call_id


async def test_caller_in_too_many_calls_is_told(
    settings: TokenSettings, sfu: LocalStack, record: Record
) -> None:
    """And when one that was left will have ended; coming back to it is no new call."""
    async with client(build(limited(settings, token_calls_a_caller=1))) as http:
        call_id = await in_a_call(http, sfu, record)
        refused = await http.post("/api/voice-token")
        assert refusal(refused) == (429, "too-many-calls")
        assert refused.headers["retry-after"] == "30"
        assert (await http.post("/api/voice-token", json={"call_id": call_id})).status_code == 200


async def test_caller_beyond_todays_minutes_is_told_when_tomorrow_is(
    settings: TokenSettings, sfu: LocalStack, record: Record
) -> None:
    """The call under way goes on, and can be come back to."""
    async with client(build(limited(settings, token_minutes_a_day=1))) as http:
        call_id = await in_a_call(http, sfu, record)
        seconds_into_the_day = record.clock.now_ms() // 1000 % 86_400
        if seconds_into_the_day < 65:  # nobody has talked for a minute today
            await asyncio.sleep(65 - seconds_into_the_day)
        await _joined_earlier(record, call_id, 61_000)
        refused = await http.post("/api/voice-token")
        assert refusal(refused) == (429, "daily-limit")
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert (await http.post("/api/voice-token", json={"call_id": call_id})).status_code == 200


async def _joined_earlier(record: Record, call_id: str, ms: int) -> None:
    statement = update(tables.call).where(tables.call.c.call_id == call_id)
    async with record.database.writing() as connection:
        await connection.execute(statement.values(joined_at_ms=record.clock.now_ms() - ms))


async def test_service_with_as_many_calls_as_it_may_have_says_when_to_ask_again(
    settings: TokenSettings,
) -> None:
    """Told apart from agents that are busy."""
    app = build(limited(settings, token_calls_max=1))
    async with client(app) as http, browser(app) as other:
        assert (await http.post("/api/voice-token")).status_code == 200
        refused = await other.post("/api/voice-token")
    assert (refused.status_code, refused.json()["code"]) == (503, "service-busy")
    assert (refused.headers["retry-after"], refused.json()["position"]) == ("2", 1)


async def test_caller_who_was_put_out_stays_out(
    http: httpx.AsyncClient, sfu: LocalStack, record: Record
) -> None:
    """Of that call, although the cookie proves that it is the caller's; then of all."""
    call_id = await in_a_call(http, sfu, record)
    caller = (await the_call(record, call_id)).caller
    assert caller is not None
    assert await put_out.run(record, parser().parse_args(["put-out", call_id])) == 0
    back = await http.post("/api/voice-token", json={"call_id": call_id})
    assert refusal(back) == (403, "not-allowed")
    assert (await http.post("/api/voice-token")).status_code == 200
    by_name = ["put-out", "--caller", caller]
    assert await put_out.run(record, parser().parse_args(by_name)) == 0
    assert refusal(await http.post("/api/voice-token")) == (403, "not-allowed")
    assert await put_out.run(record, parser().parse_args([*by_name, "--undo"])) == 0
    assert (await http.post("/api/voice-token")).status_code == 200


async def test_caller_who_asks_too_often_is_told_when_to_ask_again(
    settings: TokenSettings,
) -> None:
    """By its cookie, wherever it is; whatever it asks for. Each answer says what is left."""
    async with client(build(limited(settings, token_rate_caller=2))) as http:
        first = await http.post("/api/voice-token")
        assert first.headers["ratelimit-policy"] == '"address";q=1000;w=60'
        second = await http.get("/api/calls/x")
        assert second.headers["ratelimit-policy"] == '"caller";q=2;w=60'
        assert second.headers["ratelimit"].startswith('"caller";r=1;t=')
        await http.post("/api/voice-token")
        refused = await http.post("/api/voice-token")
    assert refusal(refused) == (429, "rate-limited")
    assert refused.headers["ratelimit"].startswith('"caller";r=0;t=')
    assert 1 <= int(refused.headers["retry-after"]) <= 120


@pytest.mark.parametrize(
    ("trusted", "forwarded", "is_refused"),
    [
        # Nobody in front: whatever a caller says of itself changes nothing.
        ("", ["1.1.1.1", "2.2.2.2"], True),
        # A proxy that we know: the address that it appended, not those that came to it.
        ("127.0.0.1", ["9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"], True),
        ("127.0.0.1, 10.0.0.0/8", ["1.1.1.1, 10.2.3.4", "2.2.2.2, 1.1.1.1, 10.9.9.9"], True),
        ("127.0.0.1", ["1.1.1.1", "2.2.2.2"], False),
    ],
)
async def test_address_cannot_be_made_up(
    settings: TokenSettings, trusted: str, forwarded: list[str], is_refused: bool
) -> None:
    """A header escapes no limit, unless it is a proxy's of ours."""
    app = build(limited(settings, token_trusted_proxies=trusted, token_rate_address=1))
    async with client(app) as http:
        answers = [
            await http.get("/api/calls/x", headers={"X-Forwarded-For": value})
            for value in forwarded
        ]
    assert [answer.status_code for answer in answers] == [404, 429 if is_refused else 404]


async def test_cookie_behind_a_proxy_with_tls_is_for_tls_alone(settings: TokenSettings) -> None:
    """The proxy says how the browser came."""
    for trusted, is_secure in (("127.0.0.1", True), ("", False)):
        async with client(build(limited(settings, token_trusted_proxies=trusted))) as http:
            answer = await http.post("/api/voice-token", headers={"X-Forwarded-Proto": "https"})
            assert ("Secure" in answer.headers["set-cookie"]) is is_secure
            assert ("strict-transport-security" in answer.headers) is is_secure


@pytest.mark.parametrize("callers", [20])
async def test_callers_beyond_the_slots_are_told_and_none_waits_in_silence(
    settings: TokenSettings, record: Record, callers: int
) -> None:
    """Twenty on five slots: each has a place or knows that it has none."""
    await workers.register(record, "worker", 5)
    app = build(settings)
    async with client(app):

        async def call() -> tuple[int, str]:
            async with browser(app) as http:
                response = await http.post("/api/voice-token")
                return response.status_code, response.json().get("code", "")

        answers = await asyncio.gather(*(call() for _ in range(callers)))
    assert sorted(answers) == [(200, "")] * 5 + [(503, "agents-busy")] * (callers - 5)
