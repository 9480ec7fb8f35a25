"""Idempotency: one key, one effect."""

import asyncio

import httpx2 as httpx
import pytest
from sqlalchemy import text

from examples.storefront.backend.shop import Shop
from tests.unit.storefront.conftest import OpenClient, Post


async def test_post_again_with_the_same_key_is_replayed(
    client: httpx.AsyncClient, post: Post
) -> None:
    """The answer is the same to the byte and marked; nothing happens twice."""
    first = await post("/v1/orders/3/refund", {"amount_cents": 100}, key="k")
    again = await post("/v1/orders/3/refund", {"amount_cents": 100}, key="k")
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json"
    assert (await client.get("/v1/orders/3")).json()["refunded_cents"] == 100


async def test_post_again_with_an_equal_body_written_differently_is_replayed(
    client: httpx.AsyncClient,
) -> None:
    """Spaces and spelled-out defaults make no other request."""
    headers = {"Idempotency-Key": "k"}
    for body in ("", "{}", ' {"amount_cents" : null} '):
        answer = await client.post("/v1/orders/3/refund", content=body, headers=headers)
        assert answer.status_code == 201
    assert len((await client.get("/v1/ledger")).json()["effects"]) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/orders/3/refund", {"amount_cents": 101}),
        ("/v1/orders/5/refund", {"amount_cents": 100}),
        ("/v1/orders/9/cancel", {}),
    ],
)
async def test_post_of_something_else_with_a_used_key_is_unprocessable(
    client: httpx.AsyncClient, post: Post, path: str, body: object
) -> None:
    """A key stands for one path and one body."""
    await post("/v1/orders/3/refund", {"amount_cents": 100}, key="k")
    answer = await post(path, body, key="k")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert len((await client.get("/v1/ledger")).json()["effects"]) == 1


async def test_post_with_another_customers_key_is_its_own_request(
    client: httpx.AsyncClient, post: Post
) -> None:
    """One customer's keys neither block nor show another's answers."""
    await post("/v1/orders/9/cancel", key="k")
    theirs = await post("/v1/orders/14/cancel", key="k", customer="alex-kim")
    assert (theirs.status_code, theirs.json()["number"]) == (200, 14)


@pytest.mark.parametrize("key", [None, "", "two words", "x" * 201])
@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders/9/cancel",
        "/v1/orders/3/refund",
        "/v1/appointments",
        "/v1/appointments/1/move",
        "/v1/appointments/1/cancel",
        "/v1/callbacks",
    ],
)
async def test_post_without_a_proper_key_is_a_bad_request(
    client: httpx.AsyncClient, path: str, key: str | None
) -> None:
    """Every route with an effect asks for a key, before it reads anything else."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await client.post(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")


async def test_post_twenty_times_at_once_with_one_key_is_one_effect(
    client: httpx.AsyncClient, post: Post
) -> None:
    """All get the same answer, one of them the first time."""
    wish = {"amount_cents": 100}
    answers = await asyncio.gather(*(post("/v1/orders/3/refund", wish, key="k") for _ in range(20)))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (201, answers[0].content)
    }
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 19
    assert (await client.get("/v1/orders/3")).json()["refunded_cents"] == 100
    (effect,) = (await client.get("/v1/ledger")).json()["effects"]
    assert (effect["idempotency_key"], effect["requests"]) == ("k", 20)


async def test_refusal_is_replayed_even_when_the_shop_would_now_agree(
    client: httpx.AsyncClient, post: Post
) -> None:
    """A refusal that the caller has heard is not undone by a late duplicate."""
    taken = {"date": "2026-11-23", "time": "11:00"}
    first = await post("/v1/appointments", taken, key="k")
    assert first.status_code == 409
    await post("/v1/appointments/2/cancel", customer="alex-kim")
    again = await post("/v1/appointments", taken, key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"
    assert (again.status_code, again.json()) == (409, first.json())
    assert (await post("/v1/appointments", taken)).status_code == 201


async def test_effect_whose_ledger_row_fails_leaves_neither_effect_nor_key(
    client: httpx.AsyncClient, post: Post, shop: Shop
) -> None:
    """Key, effect and ledger row are one transaction: with the ledger gone, nothing stays."""
    async with shop.database.writing() as session:
        await session.execute(text("ALTER TABLE ledger RENAME TO elsewhere"))
    assert (await post("/v1/orders/9/cancel", key="k")).status_code >= 500
    async with shop.database.writing() as session:
        await session.execute(text("ALTER TABLE elsewhere RENAME TO ledger"))
    assert (await client.get("/v1/orders/9")).json()["status"] == "processing"
    answer = await post("/v1/orders/9/cancel", key="k")
    assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (200, False)


async def test_wrong_body_does_not_use_up_the_key(post: Post) -> None:
    """A client that corrects its request may keep the key."""
    assert (await post("/v1/orders/3/refund", {"amount_cents": 0}, key="k")).status_code == 400
    assert (await post("/v1/orders/3/refund", {"amount_cents": 1}, key="k")).status_code == 201


async def test_key_is_known_to_another_process_on_the_same_database(
    post: Post, open_client: OpenClient
) -> None:
    """The key is in the database, so a restart or a second replica replays too."""
    await post("/v1/orders/9/cancel", key="k")
    async with open_client() as other:
        again = await other.post("/v1/orders/9/cancel", headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")


async def test_body_over_the_limit_is_refused(client: httpx.AsyncClient) -> None:
    """A body of 16 KiB and one byte is not read to its end."""
    answer = await client.post(
        "/v1/callbacks", content=b" " * (16 * 1024 + 1), headers={"Idempotency-Key": "k"}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_body_that_is_not_json_is_a_bad_request_without_its_words(
    client: httpx.AsyncClient,
) -> None:
    """What was sent is not repeated in the error."""
    answer = await client.post(
        "/v1/callbacks", content=b'{"reason": "secret', headers={"Idempotency-Key": "k"}
    )
    assert answer.status_code == 400
    assert "secret" not in answer.text
