"""The ledger: the judge of what happened and of what was asked."""

from datetime import UTC, datetime

import httpx2 as httpx
import pytest

from examples.storefront.backend.reads import LIMIT, Reads
from tests.unit.storefront.conftest import Post


async def test_ledger_of_a_new_shop_is_empty(client: httpx.AsyncClient) -> None:
    """Seeding is not an effect."""
    assert (await client.get("/v1/ledger")).json() == {"effects": [], "reads": []}


async def test_ledger_has_every_effect_in_order_with_call_and_key(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Each kind of effect leaves one row; a refusal leaves none."""
    await post("/v1/orders/9/cancel", key="k1")
    await post("/v1/orders/9/cancel", key="refused")
    await post("/v1/orders/3/refund", key="k2")
    await post("/v1/appointments", {"date": "2026-11-20", "time": "14:00"}, key="k3")
    await post("/v1/appointments/4/move", {"date": "2026-11-20", "time": "15:00"}, key="k4")
    await post("/v1/appointments/4/cancel", key="k5")
    await post("/v1/callbacks", key="k6")
    effects = (await client.get("/v1/ledger")).json()["effects"]
    assert [
        (row["id"], row["kind"], row["subject"], row["idempotency_key"]) for row in effects
    ] == [
        (1, "order.cancelled", "order:9", "k1"),
        (2, "order.refunded", "order:3", "k2"),
        (3, "appointment.booked", "appointment:4", "k3"),
        (4, "appointment.moved", "appointment:4", "k4"),
        (5, "appointment.cancelled", "appointment:4", "k5"),
        (6, "callback.requested", "callback:1", "k6"),
    ]
    common = {
        "at": "2026-11-18T10:15:00Z",
        "customer_id": "sam-rivera",
        "call_id": "call-1",
        "requests": 1,
    }
    assert all(common.items() <= row.items() for row in effects)


async def test_ledger_by_kind_and_limit_is_the_newest_of_them(
    client: httpx.AsyncClient, post: Post
) -> None:
    """The newest rows are kept, the newest last."""
    for number in (9, 10, 11):
        await post(f"/v1/orders/{number}/cancel")
    await post("/v1/callbacks")
    rows = (await client.get("/v1/ledger?kind=order.cancelled&limit=2")).json()["effects"]
    assert [row["subject"] for row in rows] == ["order:10", "order:11"]


async def test_ledger_counts_reads_by_path_customer_and_call(client: httpx.AsyncClient) -> None:
    """A test can tell that order 7 was asked for, how often, and during which call."""
    headers = {"X-Customer-Id": "sam-rivera", "X-Call-Id": "call-1"}
    for _ in range(2):
        await client.get("/v1/orders/7", headers=headers)
    await client.get("/v1/orders/13")
    reads = (await client.get("/v1/ledger")).json()["reads"]
    at = "2026-11-18T10:15:00Z"
    seven = {
        "path": "/v1/orders/7",
        "status": 200,
        "customer_id": "sam-rivera",
        "call_id": "call-1",
        "count": 2,
        "last_at": at,
    }
    thirteen = {
        "path": "/v1/orders/13",
        "status": 404,
        "customer_id": None,
        "call_id": None,
        "count": 1,
        "last_at": at,
    }
    assert reads == [seven, thirteen]


async def test_ledger_of_one_call_leaves_out_the_others(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Effects and reads of another call are not shown."""
    await post("/v1/orders/9/cancel")
    await client.get("/v1/me", headers={"X-Call-Id": "call-2"})
    one = (await client.get("/v1/ledger?call_id=call-1")).json()
    two = (await client.get("/v1/ledger?call_id=call-2")).json()
    assert (len(one["effects"]), one["reads"]) == (1, [])
    assert (two["effects"], [read["path"] for read in two["reads"]]) == ([], ["/v1/me"])


async def test_ledger_holds_nothing_that_was_said(client: httpx.AsyncClient, post: Post) -> None:
    """Neither a phone number nor a reason nor a search is in it."""
    await post("/v1/callbacks", {"phone": "+49 30 1234", "reason": "a private matter"})
    await client.get("/v1/products?query=private")
    ledger = (await client.get("/v1/ledger")).text
    assert "1234" not in ledger
    assert "private" not in ledger


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "since=now"])
async def test_ledger_with_a_wrong_query_is_a_bad_request(
    client: httpx.AsyncClient, query: str
) -> None:
    """Its size is bounded."""
    assert (await client.get(f"/v1/ledger?{query}")).status_code == 400


def test_reads_beyond_the_limit_forget_the_one_asked_longest_ago() -> None:
    """Memory is bounded, and what is asked again stays."""
    reads, at = Reads(), datetime(2026, 11, 18, tzinfo=UTC)
    for number in (*range(LIMIT), 0, LIMIT):
        reads.add(f"/v1/orders/{number}", 404, None, None, at)
    paths = [read.path for read in reads.all()]
    assert len(paths) == LIMIT
    assert paths[-2:] == ["/v1/orders/0", f"/v1/orders/{LIMIT}"]
    assert "/v1/orders/1" not in paths
