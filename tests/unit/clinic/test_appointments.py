"""Appointments: booked, seen, moved and cancelled by whose they are, up to 24 hours before."""

from typing import Any

import httpx2 as httpx
import pytest

from tests.support.backend_clock import FakeClock
from tests.unit.clinic.conftest import ALEX, SAM, SAMS_DAY, Post

ANNE = {"name": "Anne Mayer", "phone_number": "2025550144"}
MONDAY_AT_NINE = {"date": "2026-11-30", "time": "09:00"}
TOO_LATE = (
    "Your appointment is in less than 24 hours, so I can't move or cancel it any more. Shall a "
    "colleague call you back?"
)


async def seen(client: httpx.AsyncClient, who: dict[str, str]) -> list[dict[str, Any]]:
    """The appointments of *who*."""
    found: list[dict[str, Any]] = (await client.get("/v1/appointments", params=who)).json()[
        "appointments"
    ]
    return found


async def free(client: httpx.AsyncClient, day: str) -> list[str]:
    """The times that can be booked on *day*."""
    times: list[str] = (await client.get("/v1/slots", params={"date": day})).json()["slots"]
    return times


async def test_booked_time_is_the_patients_and_no_longer_free(
    client: httpx.AsyncClient, post: Post
) -> None:
    """A new patient is one whose name and number are not known."""
    assert "09:00" in await free(client, "2026-11-30")
    booked = await post(
        "/v1/appointments", **ANNE, **MONDAY_AT_NINE, email="anne@example.com", reason="My knee"
    )
    assert booked.status_code == 201
    (mine,) = await seen(client, ANNE)
    assert (mine["date"], mine["time"], mine["reason"]) == ("2026-11-30", "09:00", "My knee")
    assert "09:00" not in await free(client, "2026-11-30")
    taken = await post("/v1/appointments", **SAM, **MONDAY_AT_NINE)
    assert (taken.status_code, taken.json()["code"]) == (409, "time-taken")


async def test_name_is_compared_without_case_and_signs(
    client: httpx.AsyncClient, post: Post
) -> None:
    """As a recognizer writes it."""
    who = {"name": "Anne-Marie O'Neill", "phone_number": "2025550144"}
    await post("/v1/appointments", **who, **MONDAY_AT_NINE)
    assert len(await seen(client, {**who, "name": "anne marie oneill"})) == 1


@pytest.mark.parametrize(
    ("day", "time", "code"),
    [
        ("2026-11-18", "10:00", "time-past"),
        ("2026-11-21", "10:00", "clinic-closed"),
        ("2026-11-20", "14:00", "no-such-time"),
        ("2026-11-20", "10:10", "no-such-time"),
        ("2027-01-20", "10:00", "too-far-ahead"),
    ],
)
async def test_time_that_nobody_can_have_is_refused(
    client: httpx.AsyncClient, post: Post, day: str, time: str, code: str
) -> None:
    """With its reason, to book and to move to."""
    booked = await post("/v1/appointments", **ANNE, date=day, time=time)
    assert (booked.status_code, booked.json()["code"]) == (409, code)
    (mine,) = await seen(client, SAM)
    moved = await post(f"/v1/appointments/{mine['id']}/move", **SAM, date=day, time=time)
    assert (moved.status_code, moved.json()["code"]) == (409, code)
    assert time not in await free(client, day)


async def test_appointment_is_moved_then_cancelled(client: httpx.AsyncClient, post: Post) -> None:
    """Its old time is free again each time."""
    (mine,) = await seen(client, SAM)
    path = f"/v1/appointments/{mine['id']}"
    assert (await post(f"{path}/move", **SAM, **MONDAY_AT_NINE)).status_code == 200
    assert "10:00" in await free(client, SAMS_DAY)
    again = await post(f"{path}/move", **SAM, **MONDAY_AT_NINE)
    assert again.json()["code"] == "appointment-unchanged"
    assert (await post(f"{path}/cancel", **SAM)).status_code == 200
    assert "09:00" in await free(client, "2026-11-30")
    assert await seen(client, SAM) == []
    assert (await post(f"{path}/cancel", **SAM)).json()["code"] == "appointment-not-found"


async def test_appointment_is_changed_up_to_24_hours_before_it(
    client: httpx.AsyncClient, post: Post, clock: FakeClock
) -> None:
    """To the minute, and refused with that reason; it stays as it is."""
    (mine,) = await seen(client, SAM)
    clock.at = clock.at.replace(day=22, hour=10, minute=0)
    assert (await seen(client, SAM))[0]["unchangeable"] is None
    clock.forward(minutes=1)
    assert (await seen(client, SAM))[0]["unchangeable"] == TOO_LATE
    for path, body in (("move", MONDAY_AT_NINE), ("cancel", {})):
        refused = await post(f"/v1/appointments/{mine['id']}/{path}", **SAM, **body)
        assert (refused.status_code, refused.json()["code"]) == (409, "too-late")
        assert refused.json()["detail"] == TOO_LATE
    (still,) = await seen(client, SAM)
    assert (still["date"], still["time"]) == (SAMS_DAY, "10:00")


async def test_appointments_of_others_are_neither_told_nor_touched(
    client: httpx.AsyncClient, post: Post
) -> None:
    """Half of what tells a patient is nothing; a stranger learns as little of one that is there."""
    (mine,) = await seen(client, SAM)
    for who in (
        {**SAM, "phone_number": "2025550199"},
        {**SAM, "name": "Tom Rivera"},
        {"name": SAM["name"], "phone_number": ALEX["phone_number"]},
    ):
        asked = await client.get("/v1/appointments", params=who)
        assert (asked.status_code, asked.json()["code"]) == (404, "patient-not-found")
    for who in (ALEX, ANNE):
        for number in (mine["id"], 99):
            refused = await post(f"/v1/appointments/{number}/cancel", **who)
            assert refused.json()["code"] == "appointment-not-found"
    assert len(await seen(client, SAM)) == 1


async def test_first_free_day_is_told_without_a_day(client: httpx.AsyncClient) -> None:
    """What is over today is not free."""
    found = (await client.get("/v1/slots")).json()
    assert found["date"] == "2026-11-18"
    assert found["slots"][0] == "10:30"
    assert (await client.get("/v1/slots", params={"date": "2026-11-22"})).json() == {
        "date": "2026-11-22",
        "open": False,
        "slots": [],
    }


async def test_seed_has_one_appointment_to_change_and_one_that_is_too_near(
    client: httpx.AsyncClient,
) -> None:
    """Whenever the demo is begun; counted from that day."""
    (sams,) = await seen(client, SAM)
    (alexs,) = await seen(client, ALEX)
    assert (sams["date"], sams["unchangeable"]) == (SAMS_DAY, None)
    assert alexs["unchangeable"] == TOO_LATE


async def test_patient_who_signed_in_is_known(client: httpx.AsyncClient) -> None:
    """By the identity alone; others are nobody."""
    known = await client.get("/v1/me", headers={"X-Patient-Identity": "sam-rivera"})
    assert known.json() == {**SAM, "email": None}
    assert (await client.get("/v1/me")).status_code == 404
    stranger = await client.get("/v1/me", headers={"X-Patient-Identity": "caller-7"})
    assert stranger.json()["code"] == "patient-not-found"
