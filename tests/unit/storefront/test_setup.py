"""Seeding, resetting, and a database that cannot be opened."""

from datetime import UTC, date, timedelta
from pathlib import Path

import httpx2 as httpx
import pytest

from examples.backend_base.database import Database
from examples.storefront.backend.app import build, open_shop
from examples.storefront.backend.seed import workday
from examples.storefront.backend.settings import StorefrontSettings
from examples.storefront.backend.setup import prepare
from examples.storefront.backend.shop import Shop
from examples.storefront.backend.tables import Customer, Order
from service_base.settings import SettingsError, load
from tests.support.backend_clock import FakeClock
from tests.unit.storefront.conftest import OpenClient, Post


async def test_prepare_on_a_filled_database_keeps_what_happened(
    post: Post, client: httpx.AsyncClient, shop: Shop
) -> None:
    """Only an empty database is seeded."""
    await post("/v1/orders/9/cancel")
    await prepare(shop)
    assert (await client.get("/v1/orders/9")).json()["status"] == "cancelled"


async def test_prepare_with_reset_starts_over_on_the_new_day(
    post: Post, client: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    """Effects and keys are gone, dates count from the day of the reset."""
    await post("/v1/orders/9/cancel", key="k")
    clock.forward(days=7)
    await prepare(shop, reset=True)
    order = (await client.get("/v1/orders/7")).json()
    assert order["expected_on"] == "2026-11-27"
    assert (await client.get("/v1/ledger")).json()["effects"] == []
    again = await post("/v1/orders/9/cancel", key="k")
    assert (again.status_code, "Idempotency-Replayed" in again.headers) == (200, False)


async def test_reset_where_it_is_allowed_starts_over(open_client: OpenClient) -> None:
    """As often as it is asked for; effects and keys are gone."""
    headers = {"Idempotency-Key": "k"}
    async with open_client(allow_reset=True) as client:
        for _ in range(2):
            done = await client.post("/v1/orders/9/cancel", headers=headers)
            assert (done.status_code, "Idempotency-Replayed" in done.headers) == (200, False)
            assert (await client.post("/v1/reset")).status_code == 204
            assert (await client.get("/v1/orders/9")).json()["status"] == "processing"
        assert (await client.get("/v1/ledger")).json()["effects"] == []


async def test_reset_is_no_route_unless_it_is_allowed(
    post: Post, client: httpx.AsyncClient
) -> None:
    """Off by default: nothing is erased."""
    await post("/v1/orders/9/cancel")
    assert (await client.post("/v1/reset")).status_code == 404
    assert (await client.get("/v1/orders/9")).json()["status"] == "cancelled"


async def test_reset_of_a_shop_with_customers_of_its_own_is_refused(
    open_client: OpenClient, shop: Shop
) -> None:
    """Whatever flag it was started with by mistake."""
    async with shop.database.writing() as session:
        session.add(Customer(id="jo-park", name="Jo Park", phone="+1 555 0100"))
    async with open_client(allow_reset=True) as client:
        refused = await client.post("/v1/reset")
        assert (refused.status_code, refused.json()["code"]) == (409, "not-a-demonstration")
        me = await client.get("/v1/me", headers={"X-Customer-Id": "jo-park"})
        assert me.json()["name"] == "Jo Park"


async def test_reset_needs_the_shared_secret(open_client: OpenClient) -> None:
    """As all of `/v1/` does."""
    key = "a-shared-secret-of-the-shop"
    async with open_client(allow_reset=True, storefront_api_key=key) as client:
        assert (await client.post("/v1/reset")).status_code == 401
        headers = {"Authorization": f"Bearer {key}"}
        assert (await client.post("/v1/reset", headers=headers)).status_code == 204


async def test_reset_while_another_writes_is_told_to_come_back(
    shop: Shop, database_url: str, clock: FakeClock
) -> None:
    """It has erased nothing then."""
    impatient = Shop(Database(database_url, wait_s=0.3), clock, UTC, True)
    app = build(load(StorefrontSettings, _env_file=None), impatient, allow_reset=True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        async with shop.database.writing() as session:
            await session.get(Order, 9, with_for_update=True)
            answer = await client.post("/v1/reset")
        assert (answer.status_code, answer.json()["code"]) == (503, "records-unavailable")
        assert (await client.get("/v1/me")).status_code == 200
    await impatient.database.close()


@pytest.mark.parametrize("days", range(7))
async def test_seed_on_any_weekday_has_orders_arrive_on_working_days_ahead(
    open_client: OpenClient, clock: FakeClock, days: int
) -> None:
    """Whatever day it is, what is on its way arrives from Monday to Friday after today."""
    clock.forward(days=days)
    async with open_client() as client:
        orders = (await client.get("/v1/orders")).json()["orders"]
        appointments = (await client.get("/v1/appointments")).json()["appointments"]
    expected = [
        date.fromisoformat(order["expected_on"])
        for order in orders
        if order["status"] in ("processing", "shipped")
    ]
    assert len(expected) == 6
    assert all(day.weekday() < 5 and day > clock.at.date() for day in expected)
    assert [row["id"] for row in appointments] == [1]
    assert {order["number"] for order in orders if order["cancellable"]} == {9, 10, 11, 12}
    assert {order["number"] for order in orders if order["refundable_cents"]} == {3, 5}


def test_workday_at_a_weekend_is_the_next_monday() -> None:
    """Saturday and Sunday move, Monday to Friday stay."""
    monday = date(2026, 11, 16)
    week = [workday(monday + timedelta(days=days)) for days in range(7)]
    assert week == [
        *(monday + timedelta(days=days) for days in range(5)),
        *[date(2026, 11, 23)] * 2,
    ]


async def test_prepare_creates_the_folder_and_uses_write_ahead_logging(tmp_path: Path) -> None:
    """A first start needs nothing but the address; readers do not wait for a writer."""
    url = f"sqlite+aiosqlite:///{tmp_path}/a/b/shop.db"
    shop = open_shop(load(StorefrontSettings, storefront_database_url=url, _env_file=None))
    await prepare(shop)
    async with shop.database.engine.connect() as connection:
        mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
    await shop.database.close()
    assert mode == "wal"
    assert (tmp_path / "a/b/shop.db").is_file()


@pytest.mark.parametrize("path", ["file/shop.db", "file"])
async def test_prepare_where_no_database_can_be_is_a_plain_error(tmp_path: Path, path: str) -> None:
    """A folder that is a file, and a file that is no database."""
    (tmp_path / "file").write_text("This is a letter, not a database. " * 100)
    url = f"sqlite+aiosqlite:///{tmp_path}/{path}"
    shop = open_shop(load(StorefrontSettings, storefront_database_url=url, _env_file=None))
    with pytest.raises(SettingsError, match="PARLEY_STOREFRONT_DATABASE_URL: the database cannot"):
        await prepare(shop)
    await shop.database.close()


async def test_reader_is_served_while_a_writer_holds_the_lock(
    client: httpx.AsyncClient, shop: Shop
) -> None:
    """Orders can be asked for while another transaction writes."""
    async with shop.database.writing() as session:
        await session.connection()
        assert (await client.get("/v1/orders/7")).status_code == 200


async def test_writer_that_waits_too_long_for_a_lock_is_told_to_come_back(
    shop: Shop, database_url: str, clock: FakeClock
) -> None:
    """The wait is bounded; sent again with the same key the effect happens."""
    impatient = Shop(Database(database_url, wait_s=0.3), clock, UTC, True)
    transport = httpx.ASGITransport(build(load(StorefrontSettings, _env_file=None), impatient))
    headers = {"Idempotency-Key": "k"}
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        async with shop.database.writing() as session:
            await session.get(Order, 9, with_for_update=True)
            answer = await client.post("/v1/orders/9/cancel", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "records-unavailable")
        assert answer.headers["Retry-After"] == "1"
        again = await client.post("/v1/orders/9/cancel", headers=headers)
        assert (again.status_code, "Idempotency-Replayed" in again.headers) == (200, False)
    await impatient.database.close()


async def test_ready_with_the_tables_gone_is_not_ready(
    client: httpx.AsyncClient, shop: Shop, tmp_path: Path
) -> None:
    """Readiness looks into the database; liveness does not."""
    assert (await client.get("/readyz")).json() == {"ready": True, "parts": {"database": "ok"}}
    async with shop.database.writing() as session:
        await (await session.connection()).exec_driver_sql("ALTER TABLE customer RENAME TO gone")
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "records-unavailable")


async def test_metrics_name_the_route_not_the_path(client: httpx.AsyncClient) -> None:
    """Labels stay few, however many orders there are."""
    await client.get("/v1/orders/7")
    text = (await client.get("/metrics")).text
    assert 'route="/v1/orders/{number:int}",status="200"' in text
    assert "orders/7" not in text
