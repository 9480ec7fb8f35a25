"""Access: the shared secret, the customer, the call, and what is logged of them."""

import httpx2 as httpx
import pytest
from structlog.testing import capture_logs

from tests.unit.storefront.conftest import OpenClient

SECRET = "a-shared-secret-of-the-shop"


@pytest.mark.parametrize(
    "authorization",
    [None, SECRET, "Bearer", "Bearer wrong", f"Bearer {SECRET}x", f"Basic {SECRET}", "Bearer é"],
)
async def test_request_without_the_secret_is_unauthorized(
    open_client: OpenClient, authorization: str | None
) -> None:
    """With a key in the settings every route of the API asks for it, the ledger included."""
    headers = httpx.Headers(encoding="latin-1")
    if authorization is not None:
        headers["Authorization"] = authorization
    async with open_client(storefront_api_key=SECRET) as client:
        for path in ("/v1/me", "/v1/opening-hours", "/v1/ledger", "/v1/nowhere"):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_request_with_the_secret_is_served(open_client: OpenClient) -> None:
    """The scheme's case does not matter; health needs no secret."""
    async with open_client(storefront_api_key=SECRET) as client:
        for scheme in ("Bearer", "bearer"):
            headers = {"Authorization": f"{scheme} {SECRET}"}
            assert (await client.get("/v1/me", headers=headers)).status_code == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_me_without_a_name_is_the_demo_customer(client: httpx.AsyncClient) -> None:
    """Sam Rivera is the default caller."""
    assert (await client.get("/v1/me")).json() == {
        "id": "sam-rivera",
        "name": "Sam Rivera",
        "phone": "+1 555 0134",
    }


async def test_me_without_a_name_and_without_a_default_is_forbidden(
    open_client: OpenClient,
) -> None:
    """With the demo customer turned off, whoever names no one is no one."""
    async with open_client(storefront_demo_customer=False) as client:
        assert (await client.get("/v1/me")).status_code == 403
        named = await client.get("/v1/me", headers={"X-Customer-Id": "sam-rivera"})
        assert named.status_code == 200


@pytest.mark.parametrize("customer", ["nobody", ""])
@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/orders", "/v1/orders/7", "/v1/appointments", "/v1/callbacks"]
)
async def test_request_for_an_unknown_customer_is_forbidden(
    client: httpx.AsyncClient, path: str, customer: str
) -> None:
    """A wrong name is never taken for the default."""
    answer = await client.get(path, headers={"X-Customer-Id": customer})
    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-customer")


async def test_post_for_an_unknown_customer_has_no_effect(client: httpx.AsyncClient) -> None:
    """Writing checks the customer too."""
    headers = {"X-Customer-Id": "nobody", "Idempotency-Key": "k"}
    answer = await client.post("/v1/callbacks", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "unknown-customer")
    assert (await client.get("/v1/ledger")).json()["effects"] == []


@pytest.mark.parametrize("call", ["", "two words", "x" * 65])
async def test_request_with_a_call_id_that_is_none_is_a_bad_request(
    client: httpx.AsyncClient, call: str
) -> None:
    """It goes into logs and the ledger, so it must look like one."""
    answer = await client.get("/v1/me", headers={"X-Call-Id": call})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


async def test_request_is_logged_by_its_route_without_what_was_said(
    client: httpx.AsyncClient,
) -> None:
    """One event a request; search words and phone numbers are not in it."""
    with capture_logs() as logs:
        await client.get("/v1/products?query=private")
        await client.post(
            "/v1/callbacks", json={"phone": "+49 30 1234"}, headers={"Idempotency-Key": "k"}
        )
    events = [(row["event"], row.get("route"), row.get("status")) for row in logs]
    assert events == [
        ("request.answered", "/v1/products", 200),
        ("effect.committed", None, None),
        ("request.answered", "/v1/callbacks", 201),
    ]
    assert "private" not in str(logs)
    assert "1234" not in str(logs)
