"""Callbacks: a person calls back."""

import httpx2 as httpx
import pytest

from tests.unit.storefront.conftest import Post


async def test_callback_is_kept_for_the_customer_alone(
    client: httpx.AsyncClient, post: Post
) -> None:
    """It is answered in full and listed for the one who asked."""
    answer = await post("/v1/callbacks", {"phone": "+49 30 1234", "reason": "A dent"})
    assert answer.status_code == 201
    assert answer.json() == {
        "id": 1,
        "status": "open",
        "phone": "+49 30 1234",
        "reason": "A dent",
        "at": "2026-11-18T10:15:00Z",
    }
    assert (await client.get("/v1/callbacks")).json() == {"callbacks": [answer.json()]}
    theirs = await client.get("/v1/callbacks", headers={"X-Customer-Id": "alex-kim"})
    assert theirs.json() == {"callbacks": []}


async def test_callback_without_a_number_uses_the_one_on_the_account(post: Post) -> None:
    """A caller need not spell what the shop knows."""
    assert (await post("/v1/callbacks")).json()["phone"] == "+1 555 0134"


@pytest.mark.parametrize(
    "body",
    [
        {"phone": ""},
        {"phone": "call me"},
        {"phone": "1" * 41},
        {"reason": "x" * 501},
        {"name": "A"},
    ],
)
async def test_callback_with_a_wrong_body_is_a_bad_request(post: Post, body: object) -> None:
    """Numbers look like numbers, and reasons have an end."""
    answer = await post("/v1/callbacks", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
