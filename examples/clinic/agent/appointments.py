"""Tools about appointments. A patient is known by name and telephone number together."""

from datetime import date, time
from typing import Annotated, Any

from agent_worker.tools.tool import Answer, IdempotencyKey, Target, ToolRefused, tool
from agent_worker.values import Day, Email, PhoneNumber, SpelledName, TextKind, TimeOfDayKind
from examples.clinic.agent import words
from examples.clinic.agent.client import ClinicClient

CLINIC = "clinic"
At = Annotated[time, TimeOfDayKind(between=(time(8), time(17)))]
Short = Annotated[str, TextKind(max_chars=200)]
SPOKEN_TIMES = 3


async def is_free(day: Day, time: At, *, clinic: ClinicClient) -> None:
    """Only a time that is free."""
    found = await clinic.get("/v1/slots", date=day.isoformat())
    if time.strftime("%H:%M") in found["slots"]:
        return
    today = await clinic.today()
    when = words.at(day, time, today)
    raise ToolRefused(f"I can't book {when}. {_free(found, day, today)}")


@tool(effect="read", backend=CLINIC)
async def free_times(
    day: Day | None = None, time: At | None = None, *, clinic: ClinicClient
) -> Answer:
    """Tell which appointments are free, on one day or next, or whether one is."""
    query = {} if day is None else {"date": day.isoformat()}
    found = await clinic.get("/v1/slots", **query)
    today = await clinic.today()
    if day is not None and time is not None and time.strftime("%H:%M") in found["slots"]:
        when = words.at(day, time, today)
        return Answer(say=f"Yes, {when} is free. Shall I book it?", data=found)
    return Answer(say=_free(found, day, today), data=found)


@tool(
    effect="write",
    confirm="Book {day} at {time} for {name}?",
    idempotent=True,
    backend=CLINIC,
    policy=[is_free],
    max_per_call=4,
    in_words={"name": str},
)
async def book_appointment(
    name: SpelledName,
    phone_number: PhoneNumber,
    day: Day,
    time: At,
    email: Email | None = None,
    reason: Short | None = None,
    *,
    clinic: ClinicClient,
    key: IdempotencyKey,
) -> Answer:
    """Book an appointment for a patient, new or known."""
    booked = await clinic.post(
        "/v1/appointments",
        key,
        name=name,
        phone_number=phone_number,
        email=email,
        date=day.isoformat(),
        time=time.strftime("%H:%M"),
        reason=reason or "",
    )
    when = words.at(day, time, await clinic.today())
    return Answer(say=f"Done. Your appointment is {when}.", data=booked)


@tool(effect="read", backend=CLINIC)
async def my_appointments(
    name: SpelledName, phone_number: PhoneNumber, day: Day | None = None, *, clinic: ClinicClient
) -> Answer:
    """Tell a patient's own appointments, on one day where that is asked."""
    found = await _to_come(clinic, name, phone_number)
    if not found:
        return Answer(say="You have no appointment.", data={"appointments": []})
    today = await clinic.today()
    asked = [one for one in found if day is None or one["date"] == day.isoformat()]
    said = words.listing([_when(one, today) for one in (asked or found)[:SPOKEN_TIMES]])
    no = "You" if asked else "No, but you"
    return Answer(say=f"{no} have an appointment {said}.", data={"appointments": found})


async def own_appointment(
    name: SpelledName, phone_number: PhoneNumber, old_day: Day | None, *, clinic: ClinicClient
) -> Target:
    """The patient's next appointment, or that of a day, if it can still be changed."""
    found = await _to_come(clinic, name, phone_number)
    today = await clinic.today()
    chosen = [one for one in found if old_day is None or one["date"] == old_day.isoformat()]
    if not chosen:
        day = "" if old_day is None else f" {words.on(old_day, today)}"
        raise ToolRefused(f"You have no appointment{day}.")
    if (refusal := chosen[0]["unchangeable"]) is not None:
        raise ToolRefused(refusal)
    return Target(str(chosen[0]["id"]), {"when": _when(chosen[0], today)})


@tool(
    effect="write",
    confirm="Move your appointment {when} to {day} at {time}?",
    idempotent=True,
    backend=CLINIC,
    resolve=own_appointment,
    policy=[is_free],
    in_words={"name": str},
)
async def move_appointment(
    name: SpelledName,
    phone_number: PhoneNumber,
    day: Day,
    time: At,
    old_day: Day | None = None,
    *,
    clinic: ClinicClient,
    target: Target,
    key: IdempotencyKey,
) -> Answer:
    """Move a patient's own appointment, up to 24 hours before it."""
    moved = await clinic.post(
        f"/v1/appointments/{target.id}/move",
        key,
        name=name,
        phone_number=phone_number,
        date=day.isoformat(),
        time=time.strftime("%H:%M"),
    )
    when = words.at(day, time, await clinic.today())
    return Answer(say=f"Done. Your appointment is now {when}.", data=moved)


@tool(
    effect="write",
    confirm="Cancel your appointment {when}?",
    idempotent=True,
    backend=CLINIC,
    resolve=own_appointment,
    in_words={"name": str},
)
async def cancel_appointment(
    name: SpelledName,
    phone_number: PhoneNumber,
    old_day: Day | None = None,
    *,
    clinic: ClinicClient,
    target: Target,
    key: IdempotencyKey,
) -> Answer:
    """Cancel a patient's own appointment, up to 24 hours before it."""
    cancelled = await clinic.post(
        f"/v1/appointments/{target.id}/cancel", key, name=name, phone_number=phone_number
    )
    when = _when(cancelled, await clinic.today())
    return Answer(say=f"Done. Your appointment {when} is cancelled.", data=cancelled)


async def _to_come(clinic: ClinicClient, name: str, phone_number: str) -> list[dict[str, Any]]:
    who = {"name": name, "phone_number": phone_number}
    found: list[dict[str, Any]] = (await clinic.get("/v1/appointments", **who))["appointments"]
    return found


def _when(appointment: dict[str, Any], today: date) -> str:
    day = date.fromisoformat(appointment["date"])
    return words.at(day, time.fromisoformat(appointment["time"]), today)


def _free(found: dict[str, Any], day: date | None, today: date) -> str:
    """What is free, over the day: nobody remembers sixteen times."""
    if found["date"] is None:
        return "There is nothing free in the next 60 days."
    on = words.on(date.fromisoformat(found["date"]), today)
    if not found["slots"]:
        why = "there is nothing free" if found["open"] else "we are closed"
        return f"{on[0].upper()}{on[1:]} {why}. Which other day suits you?"
    step = max(1, len(found["slots"]) // SPOKEN_TIMES)
    times = [words.clock(time.fromisoformat(one)) for one in found["slots"][::step]]
    which = f"{on[0].upper()}{on[1:]}" if day else f"The next free day is {on.removeprefix('on ')}:"
    return f"{which} I have {words.listing(times[:SPOKEN_TIMES])}. Which one suits you?"
