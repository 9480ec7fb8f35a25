"""Products and opening hours: what the shop says of itself."""

import httpx2 as httpx
import pytest

from tests.support.backend_clock import FakeClock
from tests.unit.storefront.conftest import OpenClient


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("helmet", ["Commuter helmet"]),
        ("HELMETS", ["Commuter helmet"]),
        ("rear light", ["Light set"]),
        ("bike", ["City bike", "Trail bike"]),
        ("spaceship", []),
        ("100%", []),
        ("_", []),
    ],
)
async def test_products_by_query_are_those_with_every_word(
    client: httpx.AsyncClient, query: str, names: list[str]
) -> None:
    """Case and plural do not matter; wildcards of SQL are plain characters."""
    answer = await client.get("/v1/products", params={"query": query})
    assert [product["name"] for product in answer.json()["products"]] == names


async def test_products_without_a_query_are_all_with_price_and_stock(
    client: httpx.AsyncClient,
) -> None:
    """Something that is out of stock is listed as such."""
    products = (await client.get("/v1/products")).json()["products"]
    assert len(products) == 8
    assert products[-2] == {
        "sku": "bike-trail",
        "name": "Trail bike",
        "description": "Aluminium frame with front suspension.",
        "price_cents": 124900,
        "currency": "USD",
        "stock": 0,
    }


async def test_products_with_too_long_a_query_are_a_bad_request(client: httpx.AsyncClient) -> None:
    """A query has an end."""
    assert (await client.get("/v1/products", params={"query": "x" * 101})).status_code == 400


async def test_opening_hours_are_a_week_from_monday(client: httpx.AsyncClient) -> None:
    """Closed days are in it, without times."""
    answer = (await client.get("/v1/opening-hours")).json()
    days = {day["weekday"]: (day["opens"], day["closes"]) for day in answer["weekdays"]}
    assert list(days) == [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
    assert days["monday"] == days["friday"] == ("09:00", "18:00")
    assert (days["saturday"], days["sunday"]) == (("10:00", "16:00"), (None, None))
    now = (answer["timezone"], answer["today"], answer["local_time"], answer["open_now"])
    assert now == ("UTC", "2026-11-18", "10:15", True)


@pytest.mark.parametrize(
    ("hours_later", "open_now"),
    [(-2, False), (-1.25, True), (7.5, True), (7.75, False), (96, False)],
)
async def test_opening_hours_know_whether_it_is_open_now(
    client: httpx.AsyncClient, clock: FakeClock, hours_later: float, open_now: bool
) -> None:
    """8:15, 9:00, 17:45, 18:00 on a Wednesday, and a Sunday."""
    clock.forward(hours=hours_later)
    assert (await client.get("/v1/opening-hours")).json()["open_now"] is open_now


async def test_opening_hours_in_another_time_zone_are_on_the_shops_clock(
    open_client: OpenClient, clock: FakeClock
) -> None:
    """At 23:15 UTC it is the next day in Tokyo, and too early to be open."""
    clock.forward(hours=13)
    async with open_client(storefront_timezone="Asia/Tokyo") as client:
        answer = (await client.get("/v1/opening-hours")).json()
    assert (answer["timezone"], answer["today"]) == ("Asia/Tokyo", "2026-11-19")
    assert (answer["local_time"], answer["open_now"]) == ("08:15", False)
