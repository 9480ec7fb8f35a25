"""Appointments: free slots, booking, moving, cancelling."""

import asyncio

import httpx2 as httpx
import pytest

from tests.support.backend_clock import FakeClock
from tests.unit.storefront.conftest import Post

# The tests' today is Wednesday, November 18, 2026, 10:15. The seed books fittings on Monday,
# November 23, at 10:00 (Sam, appointment 1) and 11:00 (Alex, appointment 2).


async def test_appointments_are_the_callers_upcoming_ones(client: httpx.AsyncClient) -> None:
    """Neither another customer's nor a past one is shown."""
    assert (await client.get("/v1/appointments")).json() == {
        "appointments": [
            {
                "id": 1,
                "kind": "fitting",
                "status": "booked",
                "date": "2026-11-23",
                "time": "10:00",
                "ends": "10:30",
                "note": "Saddle height",
            }
        ]
    }


async def test_appointments_with_past_ones_are_all_the_callers(client: httpx.AsyncClient) -> None:
    """The past one comes first."""
    answer = await client.get("/v1/appointments?upcoming=false")
    assert [row["id"] for row in answer.json()["appointments"]] == [3, 1]


async def test_appointment_is_upcoming_until_it_begins(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    """At 9:59 it is still ahead, at 10:00 it is not."""
    clock.forward(days=4, hours=23, minutes=44)
    assert len((await client.get("/v1/appointments")).json()["appointments"]) == 1
    clock.forward(minutes=1)
    assert (await client.get("/v1/appointments")).json()["appointments"] == []


async def test_slots_of_a_day_leave_out_what_is_taken(client: httpx.AsyncClient) -> None:
    """Monday's fittings without 10:00 and 11:00."""
    answer = (await client.get("/v1/appointments/slots?date=2026-11-23")).json()
    assert (answer["kind"], answer["open"], answer["duration_min"]) == ("fitting", True, 30)
    assert answer["slots"][:4] == ["09:00", "09:30", "10:30", "11:30"]
    assert (len(answer["slots"]), answer["slots"][-1]) == (16, "17:30")


async def test_slots_of_another_kind_are_not_taken_by_the_first(client: httpx.AsyncClient) -> None:
    """Repairs have a bench of their own."""
    answer = await client.get("/v1/appointments/slots?date=2026-11-23&kind=repair")
    assert answer.json()["slots"] == [f"{hour:02}:00" for hour in range(9, 18)]


async def test_slots_without_a_date_are_of_the_first_day_with_one(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    """Today from 10:30 on; after closing time tomorrow."""
    today = (await client.get("/v1/appointments/slots")).json()
    assert (today["date"], today["slots"][0]) == ("2026-11-18", "10:30")
    clock.forward(hours=8)
    tomorrow = (await client.get("/v1/appointments/slots")).json()
    assert (tomorrow["date"], tomorrow["slots"][0]) == ("2026-11-19", "09:00")


@pytest.mark.parametrize(
    ("day", "is_open"),
    [("2026-11-22", False), ("2026-11-17", True), ("2027-01-18", True), ("9999-12-31", True)],
)
async def test_slots_on_a_day_that_cannot_be_booked_are_none(
    client: httpx.AsyncClient, day: str, is_open: bool
) -> None:
    """A Sunday, yesterday, a day more than 60 days ahead, the last day there is."""
    answer = (await client.get("/v1/appointments/slots", params={"date": day})).json()
    assert (answer["date"], answer["open"], answer["slots"]) == (day, is_open, [])


@pytest.mark.parametrize("query", ["date=tomorrow", "date=2026-02-30", "kind=haircut"])
async def test_slots_with_a_wrong_query_are_a_bad_request(
    client: httpx.AsyncClient, query: str
) -> None:
    """Dates are ISO 8601, kinds are those of the shop."""
    assert (await client.get(f"/v1/appointments/slots?{query}")).status_code == 400


async def test_booking_a_free_slot_takes_it(client: httpx.AsyncClient, post: Post) -> None:
    """It is listed for the customer and gone from the slots."""
    wish = {"kind": "repair", "date": "2026-11-20", "time": "14:00", "note": "Brakes"}
    answer = await post("/v1/appointments", wish)
    assert answer.status_code == 201
    booked = {**wish, "id": 4, "status": "booked", "ends": "15:00"}
    assert answer.json() == booked
    assert booked in (await client.get("/v1/appointments")).json()["appointments"]
    slots = await client.get("/v1/appointments/slots?date=2026-11-20&kind=repair")
    assert "14:00" not in slots.json()["slots"]


@pytest.mark.parametrize(
    ("day", "time", "code", "detail"),
    [
        (
            "2026-11-23",
            "11:00",
            "slot-taken",
            "Monday, November 23 at 11 AM is already taken.",
        ),
        (
            "2026-11-22",
            "11:00",
            "shop-closed",
            "The shop is closed on Sunday, November 22.",
        ),
        ("2026-11-18", "10:00", "slot-past", "That time has already passed."),
        (
            "2027-01-18",
            "11:00",
            "too-far-ahead",
            "Appointments can be booked up to 60 days ahead.",
        ),
        (
            "2026-11-21",
            "16:00",
            "no-such-slot",
            "A fitting on Saturday, November 21 can begin every 30 minutes from 10 AM to 3:30 PM.",
        ),
        (
            "2026-11-20",
            "09:15",
            "no-such-slot",
            "A fitting on Friday, November 20 can begin every 30 minutes from 9 AM to 5:30 PM.",
        ),
    ],
)
async def test_booking_and_moving_to_what_is_no_free_slot_is_refused_with_a_sentence(
    client: httpx.AsyncClient, post: Post, day: str, time: str, code: str, detail: str
) -> None:
    """Both ways to take a slot know the same reasons, and nothing changes."""
    before = (await client.get("/v1/appointments")).json()
    for path in ("/v1/appointments", "/v1/appointments/1/move"):
        answer = await post(path, {"date": day, "time": time})
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert answer.json()["detail"] == detail
    assert (await client.get("/v1/appointments")).json() == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"date": "2026-11-20"},
        {"date": "2026-11-20", "time": "25:00"},
        {"date": 20, "time": "10:00"},
        {"date": "2026-11-20", "time": "10:00", "kind": "haircut"},
        {"date": "2026-11-20", "time": "10:00", "note": "x" * 501},
    ],
)
async def test_booking_with_a_wrong_body_is_a_bad_request(post: Post, body: object) -> None:
    """Each field is checked."""
    answer = await post("/v1/appointments", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")


async def test_booking_with_a_time_zone_is_refused(post: Post) -> None:
    """Times are on the shop's clock; one with an offset is none of its slots."""
    answer = await post("/v1/appointments", {"date": "2026-11-20", "time": "10:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-such-slot")


async def test_booking_of_one_slot_by_two_at_once_has_one_winner(
    client: httpx.AsyncClient, post: Post
) -> None:
    """The loser hears that it is taken; one appointment and one ledger row exist."""
    wish = {"date": "2026-11-20", "time": "14:00"}
    answers = await asyncio.gather(
        post("/v1/appointments", wish), post("/v1/appointments", wish, customer="alex-kim")
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (loser,) = [answer for answer in answers if answer.status_code == 409]
    assert loser.json()["code"] == "slot-taken"
    (effect,) = (await client.get("/v1/ledger")).json()["effects"]
    assert effect["kind"] == "appointment.booked"


async def test_move_to_a_free_slot_frees_the_old_one(client: httpx.AsyncClient, post: Post) -> None:
    """The appointment keeps its number and its note."""
    answer = await post("/v1/appointments/1/move", {"date": "2026-11-24", "time": "15:30"})
    assert answer.status_code == 200
    moved = {"id": 1, "date": "2026-11-24", "time": "15:30", "ends": "16:00"}
    assert moved.items() <= answer.json().items()
    assert (await client.get("/v1/appointments")).json()["appointments"] == [answer.json()]
    slots = (await client.get("/v1/appointments/slots?date=2026-11-23")).json()["slots"]
    assert "10:00" in slots


async def test_move_to_the_same_time_is_refused(post: Post) -> None:
    """Nothing to do is not an effect."""
    answer = await post("/v1/appointments/1/move", {"date": "2026-11-23", "time": "10:00"})
    assert (answer.status_code, answer.json()["code"]) == (409, "appointment-unchanged")
    detail = "Your appointment is already on Monday, November 23 at 10 AM."
    assert answer.json()["detail"] == detail


async def test_move_into_one_slot_by_two_at_once_has_one_winner(post: Post) -> None:
    """Moving is as safe as booking."""
    wish = {"date": "2026-11-24", "time": "15:30"}
    answers = await asyncio.gather(
        post("/v1/appointments/1/move", wish),
        post("/v1/appointments/2/move", wish, customer="alex-kim"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_cancel_frees_the_slot_for_others(client: httpx.AsyncClient, post: Post) -> None:
    """Cancelled is a status: the row stays, the slot is free again."""
    answer = await post("/v1/appointments/1/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert (await client.get("/v1/appointments")).json()["appointments"] == []
    wish = {"date": "2026-11-23", "time": "10:00"}
    assert (await post("/v1/appointments", wish, customer="alex-kim")).status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [("cancel", {}), ("move", {"date": "2026-11-24", "time": "15:30"})],
)
async def test_change_of_an_appointment_that_is_over_cancelled_or_foreign_is_refused(
    post: Post, path: str, body: object
) -> None:
    """Past: 3. Cancelled: 1. Another customer's: 2. Unknown: 99 and beyond any integer."""
    await post("/v1/appointments/1/cancel")
    for number, status, detail in [
        (3, 409, "That appointment is already over."),
        (1, 409, "That appointment has already been cancelled."),
        (2, 404, "There is no appointment 2 on this account."),
        (99, 404, "There is no appointment 99 on this account."),
        (10**30, 404, f"There is no appointment {10**30} on this account."),
    ]:
        answer = await post(f"/v1/appointments/{number}/{path}", body)
        assert (answer.status_code, answer.json()["detail"]) == (status, detail)
