"""Tools about opening hours, appointments, and talking to a person."""

from datetime import date, time
from typing import Annotated, Any

from pydantic import Field

from agent_worker.tools.tool import Answer, IdempotencyKey, Target, ToolRefused, tool
from agent_worker.values import Day, OneOf, TimeOfDayKind
from examples.storefront.agent.actions import FillForm, OfferDownload
from examples.storefront.agent.client import ShopClient
from examples.storefront.agent.orders import SHOP
from examples.storefront.agent.speech import WEEKDAYS, clock, listing
from examples.storefront.agent.speech import day as spoken_day

Time = Annotated[time, TimeOfDayKind(between=(time(8), time(19)))]
Kind = Annotated[str, OneOf({"fitting": ("bike fitting",), "repair": ("service", "inspection")})]
SPOKEN_SLOTS = 3


@tool(effect="read", backend=SHOP)
async def opening_hours(day: Day | None = None, *, shop: ShopClient) -> Answer:
    """Tell when the shop is open, on one day or in the week."""
    hours = await shop.get("/v1/opening-hours")
    today = date.fromisoformat(hours["today"])
    week = {entry["weekday"]: entry for entry in hours["weekdays"]}
    if day is not None:
        entry = week[WEEKDAYS[day.weekday()]]
        name = spoken_day(day, today).split(",")[0]
        if entry["opens"] is None:
            return Answer(say=f"We are closed {_on(name)}.", data=hours)
        return Answer(say=f"{name.capitalize()} we are open from {_span(entry)}.", data=hours)
    now = "We are open now. " if hours["open_now"] else "We are closed now. "
    return Answer(say=now + _week(hours["weekdays"]), data=hours)


@tool(effect="read", backend=SHOP)
async def appointment_slots(
    day: Day | None = None, kind: Kind = "fitting", *, shop: ShopClient
) -> Answer:
    """Tell which appointments are free, on one day or next."""
    query: dict[str, str] = {"kind": kind}
    today = await shop.today()
    if day is not None:
        query["date"] = day.isoformat()
    found = await shop.get("/v1/appointments/slots", **query)
    if not found["slots"]:
        return Answer(say=f"There is nothing free for a {kind} then. Which other day suits you?")
    when = spoken_day(date.fromisoformat(found["date"]), today)
    times = listing([clock(time.fromisoformat(slot)) for slot in _spread(found["slots"])])
    return Answer(
        say=f"For a {kind} {_on(when)} I have {times}. Which one?",
        data=found,
        actions=[FillForm(day=found["date"], kind=kind)],
    )


@tool(effect="write", idempotent=True, backend=SHOP, max_per_call=5)
async def book_appointment(
    day: Day,
    time: Time,
    kind: Kind = "fitting",
    *,
    shop: ShopClient,
    key: IdempotencyKey,
) -> Answer:
    """Book an appointment in the shop: a fitting or a repair."""
    booked = await shop.post("/v1/appointments", key, kind=kind, **_written(day, time))
    what = f"Your {kind} is {await _when(booked, shop)}."
    keep = f"Spoke & Wheel\n{what}\n{booked['date']} {booked['time']} to {booked['ends']}\n"
    return Answer(
        say=f"Done. {what}",
        data=booked,
        actions=[OfferDownload(filename="appointment.txt", text=keep)],
    )


@tool(effect="read", backend=SHOP)
async def my_appointments(
    day: Day | None = None, kind: Kind | None = None, *, shop: ShopClient
) -> Answer:
    """Tell which appointments the caller has, on one day or of one kind where that is asked."""
    wanted = None if day is None else day.isoformat()
    upcoming = await _upcoming(shop)
    asked = [
        one for one in upcoming if wanted in (None, one["date"]) and kind in (None, one["kind"])
    ]
    if not upcoming:
        return Answer(say="You have no appointments.", data={"appointments": []})
    shown = asked or upcoming
    words = [f"a {one['kind']} {await _when(one, shop)}" for one in shown[:SPOKEN_SLOTS]]
    no = "" if asked else "No, but "
    say = f"{no}you have {listing(words)}."
    return Answer(say=say[0].upper() + say[1:], data={"appointments": shown})


async def next_appointment(kind: Kind | None, *, shop: ShopClient) -> Target:
    """The caller's next appointment, or the next of its kind."""
    for appointment in await _upcoming(shop):
        if kind in (None, appointment["kind"]):
            shown = {"kind": appointment["kind"], "when": await _when(appointment, shop)}
            return Target(str(appointment["id"]), shown)
    raise ToolRefused(f"You have no {kind or 'appointment'}.")


@tool(
    effect="write",
    confirm="Move your {kind} {when} to {day} at {time}?",
    idempotent=True,
    backend=SHOP,
    resolve=next_appointment,
)
async def move_appointment(
    day: Day,
    time: Time,
    kind: Kind | None = None,
    *,
    shop: ShopClient,
    target: Target,
    key: IdempotencyKey,
) -> Answer:
    """Move the caller's next appointment, or the next of its kind, to another time."""
    moved = await shop.post(f"/v1/appointments/{target.id}/move", key, **_written(day, time))
    return Answer(say=f"Done. Your {moved['kind']} is now {await _when(moved, shop)}.", data=moved)


@tool(
    effect="write",
    confirm="Cancel your {kind} {when}?",
    idempotent=True,
    backend=SHOP,
    resolve=next_appointment,
)
async def cancel_appointment(
    kind: Kind | None = None, *, shop: ShopClient, target: Target, key: IdempotencyKey
) -> Answer:
    """Cancel the caller's next appointment, or the next of its kind."""
    cancelled = await shop.post(f"/v1/appointments/{target.id}/cancel", key)
    return Answer(
        say=f"Done. Your {cancelled['kind']} {await _when(cancelled, shop)} is cancelled.",
        data=cancelled,
    )


@tool(effect="write", idempotent=True, backend=SHOP, max_per_call=2, details=["reason"])
async def talk_to_person(
    reason: Annotated[str, Field(max_length=500, description="What it is about.")] = "",
    *,
    shop: ShopClient,
    key: IdempotencyKey,
) -> Answer:
    """Have a person of the shop call the caller back."""
    ticket = await shop.post("/v1/callbacks", key, reason=reason)
    return Answer(
        say="I have asked a colleague to call you back on the number of your account. "
        "Is there anything else?",
        data=ticket,
    )


async def _upcoming(shop: ShopClient) -> list[dict[str, Any]]:
    appointments: list[dict[str, Any]] = (await shop.get("/v1/appointments"))["appointments"]
    return appointments


async def _when(appointment: dict[str, Any], shop: ShopClient) -> str:
    when = spoken_day(date.fromisoformat(appointment["date"]), await shop.today())
    return f"{_on(when)} at {clock(time.fromisoformat(appointment['time']))}"


def _written(day: date, at: time) -> dict[str, str]:
    """As the shop takes it."""
    return {"date": day.isoformat(), "time": at.strftime("%H:%M")}


def _on(day: str) -> str:
    return day if day in ("today", "tomorrow") else f"on {day}"


def _span(entry: dict[str, Any]) -> str:
    opens, closes = (clock(time.fromisoformat(entry[key])) for key in ("opens", "closes"))
    return f"{opens} to {closes}"


def _week(weekdays: list[dict[str, Any]]) -> str:
    """The week with equal days in a row put together."""
    runs: list[tuple[list[str], str | None]] = []
    for entry in weekdays:
        span = _span(entry) if entry["opens"] else None
        if runs and runs[-1][1] == span:
            runs[-1][0].append(entry["weekday"].capitalize())
        else:
            runs.append(([entry["weekday"].capitalize()], span))
    parts = []
    for days, span in runs:
        name = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        parts.append(f"{name} we are closed" if span is None else f"{name} from {span}")
    return f"Our hours are {listing(parts)}."


def _spread(slots: list[str]) -> list[str]:
    """A few of *slots*, over the day: nobody remembers sixteen times."""
    step = max(1, len(slots) // SPOKEN_SLOTS)
    return slots[::step][:SPOKEN_SLOTS]
