"""The shop's CRM and its tickets."""

import asyncio

import httpx2 as httpx
import pytest

from tests.unit.storefront.conftest import OpenClient, Post

ACTIVITY = {"external_id": "call-1", "at": "2026-11-18T10:00:00Z", "outcome": "resolved"}


async def test_contact_created_is_found_by_its_external_id(
    client: httpx.AsyncClient, post: Post
) -> None:
    """A stranger keeps the name that it gave; there is nobody before."""
    query = {"external_id": "caller-5d"}
    assert (await client.get("/v1/contacts", params=query)).json() == {"contacts": []}
    made = await post("/v1/contacts", {"external_id": "caller-5d", "name": "Kim"})
    assert made.status_code == 201
    assert made.json() == {"id": 1, "external_id": "caller-5d", "customer_id": None, "name": "Kim"}
    assert (await client.get("/v1/contacts", params=query)).json()["contacts"] == [made.json()]


async def test_contact_of_a_customer_is_linked_and_named_by_the_shop(post: Post) -> None:
    """Not by who asks."""
    made = await post("/v1/contacts", {"external_id": "alex-kim", "name": "Mallory"})
    assert (made.json()["customer_id"], made.json()["name"]) == ("alex-kim", "Alex Kim")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/contacts", {"external_id": "c"}, "contact-exists"),
        ("/v1/contacts/1/activities", ACTIVITY, "activity-exists"),
        ("/v1/tickets", {"external_id": "call-1", "subject": "A dent"}, "ticket-exists"),
    ],
)
async def test_external_id_of_ten_at_once_is_given_to_one(
    client: httpx.AsyncClient, post: Post, path: str, body: object, code: str
) -> None:
    """Under keys of their own the others are told that it exists."""
    if "activities" in path:
        await post("/v1/contacts", {"external_id": "c"})
    answers = await asyncio.gather(*(post(path, body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 9]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {code}


async def test_activity_is_logged_with_its_contact(client: httpx.AsyncClient, post: Post) -> None:
    """And found by its external id."""
    await post("/v1/contacts", {"external_id": "c"})
    made = await post("/v1/contacts/1/activities", {**ACTIVITY, "text": "Asked about order 7."})
    assert made.status_code == 201
    found = await client.get("/v1/activities", params={"external_id": "call-1"})
    assert found.json()["activities"] == [made.json()]
    assert found.json()["activities"][0]["at"] == "2026-11-18T10:00:00Z"


async def test_activity_or_ticket_of_nobody_is_not_found(post: Post) -> None:
    """There is no contact of that number."""
    for number in (7, 2**40):
        answer = await post(f"/v1/contacts/{number}/activities", ACTIVITY)
        assert (answer.status_code, answer.json()["code"]) == (404, "contact-not-found")
    wish = {"external_id": "call-1", "subject": "A dent", "contact_id": 7}
    assert (await post("/v1/tickets", wish)).json()["code"] == "contact-not-found"


async def test_ticket_opened_is_listed_and_in_the_ledger_as_the_offices(
    client: httpx.AsyncClient, post: Post
) -> None:
    """No customer is named or asked for."""
    wish = {"external_id": "call-1", "subject": "A dent", "text": "In the frame."}
    first = await post("/v1/tickets", wish, key="call-1:ticket", customer="nobody")
    again = await post("/v1/tickets", wish, key="call-1:ticket", customer="alex-kim")
    assert (first.status_code, again.content) == (201, first.content)
    for query in ({"external_id": "call-1"}, {"status": "open"}):
        assert (await client.get("/v1/tickets", params=query)).json()["tickets"] == [first.json()]
    assert (await client.get("/v1/tickets", params={"status": "closed"})).json()["tickets"] == []
    [effect] = (await client.get("/v1/ledger")).json()["effects"]
    assert (effect["kind"], effect["subject"]) == ("ticket.opened", "ticket:1")
    assert (effect["customer_id"], effect["requests"]) == ("#office", 2)


async def test_office_works_without_a_demo_customer(open_client: OpenClient) -> None:
    """Who keeps the CRM acts for the shop."""
    async with open_client(storefront_demo_customer=False) as client:
        made = await client.post(
            "/v1/contacts", json={"external_id": "c"}, headers={"Idempotency-Key": "k"}
        )
    assert made.status_code == 201
