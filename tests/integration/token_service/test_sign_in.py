"""Callers who are known by name: signed in with an issuer, or named by a server with an API key."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette

from call_record import calls, workers
from call_record.record import Record
from tests.support.calls import the_call
from tests.support.jwks import AUDIENCE, ISSUER, Issuer, serving
from tests.support.local_stack import LocalStack
from tests.support.token_service import claims, client, room, served
from token_service.app import build
from token_service.settings import TokenSettings

SHOP, BANK = "s" * 40, "b" * 40


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """With one key, `one`."""
    made = Issuer()
    made.rotate("one")
    with serving(made):
        yield made


@pytest.fixture
def with_oidc(settings: TokenSettings, issuer: Issuer) -> Starlette:
    """A service for those who are signed in."""
    chosen = {
        "token_auth": "oidc",
        "token_oidc_issuer": ISSUER,
        "token_oidc_audience": AUDIENCE,
        "token_oidc_jwks_url": issuer.url,
        "token_oidc_tenant_claim": "shop",
    }
    return build(settings.model_copy(update=chosen))


@pytest.fixture
def with_keys(settings: TokenSettings, tmp_path: Path) -> Starlette:
    """A service for two tenants' servers."""
    file = tmp_path / "api-keys.yaml"
    file.write_text(f"shop: {SHOP}\nbank: {BANK}\n")
    chosen = {"token_auth": "api-key", "token_api_keys_file": file}
    return build(settings.model_copy(update=chosen))


def bearer(token: str, **headers: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}", **headers}}


async def test_caller_who_is_not_signed_in_is_asked_to(with_oidc: Starlette) -> None:
    """Whatever it asks for; no cookie helps, and none is set."""
    async with client(with_oidc) as http:
        http.cookies.set("parley-caller", "x" * 43)
        for method, path in (
            ("POST", "/api/voice-token"),
            ("POST", "/api/livekit-token"),
            ("GET", "/api/calls/x"),
            ("POST", "/api/calls/x/end"),
            ("GET", "/api/calls/x/follow-up"),
        ):
            answer = await http.request(method, path)
            assert (answer.status_code, answer.json()["code"]) == (401, "sign-in-required")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "set-cookie" not in answer.headers


async def test_caller_who_is_signed_in_is_in_the_record_and_the_room_by_name(
    with_oidc: Starlette, issuer: Issuer, sfu: LocalStack, record: Record
) -> None:
    """The token's names, and no other; it is no cookie's business."""
    token = issuer.token("one", {"shop": "north", "name": "Sam Rivera"})
    async with client(with_oidc) as http:
        answer = await http.post("/api/voice-token", **bearer(token, **{"Parley-Caller": "kim"}))
    assert claims(answer, sfu)["sub"] == "sam"
    assert "set-cookie" not in answer.headers
    call = await the_call(record, room(answer, sfu))
    assert (call.caller, call.tenant, call.display_name) == ("sam", "north", "Sam Rivera")
    assert call.return_proof_hash is None


async def test_call_of_a_caller_who_is_signed_in_is_its_own_on_any_device(
    with_oidc: Starlette, issuer: Issuer, sfu: LocalStack, record: Record
) -> None:
    """The same name in another tenant is a stranger's."""
    sam = bearer(issuer.token("one", {"shop": "north"}))
    async with client(with_oidc) as http:
        call_id = room(await http.post("/api/voice-token", **sam), sfu)
        await calls.claim(record, call_id, 1, "job", "worker")
        back = await http.post("/api/voice-token", json={"call_id": call_id}, **sam)
        assert room(back, sfu) == call_id
        for claims_ in ({"shop": "south"}, {"shop": "north", "sub": "kim"}):
            other = bearer(issuer.token("one", claims_))
            refused = await http.post("/api/voice-token", json={"call_id": call_id}, **other)
            assert (refused.status_code, refused.json()["code"]) == (404, "call-not-found")
            assert (await http.get(f"/api/calls/{call_id}", **other)).status_code == 404
        assert (await http.get(f"/api/calls/{call_id}", **sam)).status_code == 200
        assert (await http.post(f"/api/calls/{call_id}/end", **sam)).status_code == 204


async def test_office_behind_one_address_is_let_in_beside_somebody_who_cannot_sign_in(
    with_oidc: Starlette, settings: TokenSettings, issuer: Issuer, record: Record
) -> None:
    """Fifty who are signed in, and one next to them who uses up what failures may."""
    await workers.register(record, "large", 100, "large")
    async with served(with_oidc) as port, httpx.AsyncClient(timeout=30) as http:
        url = f"http://127.0.0.1:{port}/api/voice-token"

        async def fail() -> int:
            return (await http.post(url, **bearer("no-token"))).status_code

        async def call(number: int) -> int:
            token = issuer.token("one", {"shop": "north", "sub": f"colleague-{number}"})
            return (await http.post(url, **bearer(token))).status_code

        # The window slides, so that a few more may fail meanwhile.
        failed = [await fail() for _ in range(settings.token_rate_address + 20)]
        assert 429 in failed
        told = await asyncio.gather(*map(call, range(50)), *(fail() for _ in range(20)))
        assert told[:50] == [200] * 50


async def test_sign_in_that_cannot_be_checked_is_told_apart(
    with_oidc: Starlette, issuer: Issuer
) -> None:
    """The person is signed in: asking to sign in again would lead nowhere."""
    issuer.is_broken = True
    async with client(with_oidc) as http:
        answer = await http.post("/api/voice-token", **bearer(issuer.token("one")))
    assert (answer.status_code, answer.json()["code"]) == (503, "sign-in-unavailable")
    assert answer.headers["retry-after"] == "10"


async def test_server_with_an_api_key_calls_for_its_user(
    with_keys: Starlette, sfu: LocalStack, record: Record
) -> None:
    """The tenant is the key's; the user is the server's own to name."""
    async with client(with_keys) as http:
        asked = bearer(SHOP, **{"Parley-Caller": "sam", "Parley-Caller-Name": "S%C3%A1m"})
        answer = await http.post("/api/voice-token", **asked)
        call = await the_call(record, room(answer, sfu))
        assert (call.caller, call.tenant, call.display_name) == ("sam", "shop", "Sám")
        other = bearer(BANK, **{"Parley-Caller": "sam"})
        assert (await http.get(f"/api/calls/{call.call_id}", **other)).status_code == 404
        unknown = await http.post("/api/voice-token", **bearer("x" * 40))
        nobody = await http.post("/api/voice-token", **bearer(SHOP))
    assert (unknown.status_code, nobody.status_code) == (401, 403)


async def test_secrets_are_in_no_answer_and_no_log(
    with_keys: Starlette, capfd: pytest.CaptureFixture[str], sfu: LocalStack
) -> None:
    """Of what is sent and of what is kept, however it ends."""
    answers: list[httpx.Response] = []
    async with client(with_keys) as http:
        for asked in (
            bearer(SHOP, **{"Parley-Caller": "sam-of-4711"}),
            bearer(SHOP, **{"Parley-Caller": "agent-1"}),
            bearer(SHOP + "x"),
        ):
            answers.append(await http.post("/api/voice-token", **asked))
        answers.append(await http.get("/metrics"))
    said = "".join(answer.text for answer in answers) + capfd.readouterr().out
    for secret in (SHOP, BANK, sfu.key.secret):
        assert secret not in said
    assert "sam-of-4711" not in answers[-1].text
