"""Orders: what is shown, and when they can be cancelled or refunded."""

import asyncio
from datetime import date

import httpx2 as httpx
import pytest

from tests.support.backend_clock import FakeClock
from tests.unit.storefront.conftest import Post


async def test_orders_of_the_demo_customer_are_one_to_twelve_newest_first(
    client: httpx.AsyncClient,
) -> None:
    """A caller can name each order by a small number."""
    orders = (await client.get("/v1/orders")).json()["orders"]
    assert [order["number"] for order in orders] == list(range(12, 0, -1))


async def test_orders_by_status_and_limit_are_only_those(client: httpx.AsyncClient) -> None:
    """The filter and the limit are applied together."""
    answer = await client.get("/v1/orders", params={"status": "processing", "limit": 2})
    assert [order["number"] for order in answer.json()["orders"]] == [12, 11]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "status=lost", "colour=red"])
async def test_orders_with_a_wrong_query_are_a_bad_request(
    client: httpx.AsyncClient, query: str
) -> None:
    """Bounds, names and values of the query are checked."""
    answer = await client.get(f"/v1/orders?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


async def test_order_seven_is_shipped_and_arrives_on_a_weekday(client: httpx.AsyncClient) -> None:
    """The order that the examples ask for has all that an answer needs."""
    order = (await client.get("/v1/orders/7")).json()
    expected = date.fromisoformat(order["expected_on"])
    assert order == {
        "number": 7,
        "status": "shipped",
        "placed_on": "2026-11-15",
        "expected_on": "2026-11-20",
        "delivered_on": None,
        "items": [
            {
                "sku": "gloves",
                "name": "Winter gloves",
                "quantity": 1,
                "unit_price_cents": 3495,
            },
            {"sku": "helmet", "name": "Commuter helmet", "quantity": 1, "unit_price_cents": 5900},
        ],
        "total_cents": 9395,
        "currency": "USD",
        "refunded_cents": 0,
        "cancellable": False,
        "refundable_cents": 0,
    }
    assert expected.weekday() < 5


@pytest.mark.parametrize("number", [13, 99, 2**31, 10**30])
async def test_order_of_another_customer_or_of_none_is_not_found(
    client: httpx.AsyncClient, number: int
) -> None:
    """An order that is not the caller's looks the same as one that does not exist."""
    answer = await client.get(f"/v1/orders/{number}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "order-not-found"
    assert answer.json()["detail"] == f"There is no order {number} on this account."


async def test_cancel_of_a_processing_order_is_done_and_restocks(
    client: httpx.AsyncClient, post: Post
) -> None:
    """The order is cancelled for good and its items can be sold again."""
    answer = await post("/v1/orders/9/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (await client.get("/v1/orders/9")).json() == answer.json()
    lights = (await client.get("/v1/products?query=light set")).json()["products"][0]
    assert lights["stock"] == 27


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        (3, "Order 3 has already been delivered, so it can no longer be cancelled."),
        (4, "Order 4 has already been cancelled."),
        (7, "Order 7 is already on its way, so it can no longer be cancelled."),
    ],
)
async def test_cancel_too_late_is_refused_with_a_sentence(
    client: httpx.AsyncClient, post: Post, number: int, detail: str
) -> None:
    """The refusal says why, and nothing changes."""
    before = (await client.get(f"/v1/orders/{number}")).json()
    answer = await post(f"/v1/orders/{number}/cancel")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (409, "order-not-cancellable")
    assert answer.json()["detail"] == detail
    assert (await client.get(f"/v1/orders/{number}")).json() == before


async def test_cancel_of_another_customers_order_is_not_found_and_changes_nothing(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Writing is as narrow as reading."""
    assert (await post("/v1/orders/14/cancel")).status_code == 404
    theirs = await client.get("/v1/orders/14", headers={"X-Customer-Id": "alex-kim"})
    assert theirs.json()["status"] == "processing"


async def test_cancel_twice_at_once_with_two_keys_is_one_effect(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Two intents for one order: the second one finds it cancelled."""
    answers = await asyncio.gather(*(post("/v1/orders/9/cancel") for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await client.get("/v1/ledger")).json()["effects"]) == 1


async def test_cancel_of_two_orders_at_once_restocks_both(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Order 12 and another customer's order 14 each give back a helmet."""
    await asyncio.gather(
        post("/v1/orders/12/cancel"), post("/v1/orders/14/cancel", customer="alex-kim")
    )
    helmet = (await client.get("/v1/products?query=commuter")).json()["products"][0]
    assert helmet["stock"] == 19


async def test_refund_without_an_amount_is_all_that_is_left(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Order 3 is refunded in full."""
    answer = await post("/v1/orders/3/refund")
    assert answer.status_code == 201
    assert answer.json() == {
        "id": 3,
        "order_number": 3,
        "amount_cents": 5400,
        "currency": "USD",
        "at": "2026-11-18T10:15:00Z",
        "refundable_cents": 0,
    }
    order = (await client.get("/v1/orders/3")).json()
    assert (order["refunded_cents"], order["refundable_cents"]) == (5400, 0)


async def test_refund_in_parts_never_exceeds_the_total(
    client: httpx.AsyncClient, post: Post
) -> None:
    """What was refunded before counts."""
    first = await post("/v1/orders/3/refund", {"amount_cents": 4000})
    assert first.json()["refundable_cents"] == 1400
    second = await post("/v1/orders/3/refund", {"amount_cents": 1401})
    assert (second.status_code, second.json()["code"]) == (409, "refund-too-large")
    assert second.json()["detail"] == "At most 14 dollars of order 3 can be refunded."
    assert (await post("/v1/orders/3/refund", {"amount_cents": 1400})).status_code == 201
    assert (await client.get("/v1/orders/3")).json()["refunded_cents"] == 5400


async def test_refunds_at_once_with_several_keys_never_exceed_the_total(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Five refunds of 20 dollars race for 54 dollars: two win."""
    wishes = [post("/v1/orders/3/refund", {"amount_cents": 2000}) for _ in range(5)]
    codes = [answer.status_code for answer in await asyncio.gather(*wishes)]
    assert sorted(codes) == [201, 201, 409, 409, 409]
    assert (await client.get("/v1/orders/3")).json()["refunded_cents"] == 4000


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        (
            1,
            "Order 1 was delivered more than 30 days ago, so it can no longer be refunded.",
        ),
        (4, "Order 4 was cancelled before anything was charged."),
        (6, "Order 6 has already been refunded in full."),
        (7, "Order 7 has not been delivered yet, so it cannot be refunded."),
    ],
)
async def test_refund_of_what_cannot_be_refunded_is_refused_with_a_sentence(
    post: Post, number: int, detail: str
) -> None:
    """Each reason has its own words."""
    answer = await post(f"/v1/orders/{number}/refund")
    assert (answer.status_code, answer.json()["code"]) == (409, "order-not-refundable")
    assert answer.json()["detail"] == detail


async def test_refund_is_possible_until_the_thirtieth_day(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    """Order 3 was delivered 10 days ago: 20 more are fine, 21 are not."""
    clock.forward(days=20)
    assert (await client.get("/v1/orders/3")).json()["refundable_cents"] == 5400
    clock.forward(days=1)
    assert (await client.get("/v1/orders/3")).json()["refundable_cents"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"amount_cents": 0},
        {"amount_cents": -1},
        {"amount_cents": "100"},
        {"amount_cents": 1.5},
        {"amount_cents": 2**31},
        {"amount": 100},
        [],
    ],
)
async def test_refund_with_a_wrong_body_is_a_bad_request(
    client: httpx.AsyncClient, body: object
) -> None:
    """Amounts are whole, positive cents under their own name."""
    answer = await client.post(
        "/v1/orders/3/refund", json=body, headers={"Idempotency-Key": "wrong"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
