"""Tools about the clinic itself, and about being called back."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from agent_worker.tools.tool import Answer, IdempotencyKey, ToolRefused, tool
from agent_worker.values import Day, PhoneNumber, SpelledName
from examples.clinic.agent import words
from examples.clinic.agent.appointments import CLINIC, Short
from examples.clinic.agent.client import ClinicClient

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Entry = Mapping[str, Any]


@tool(effect="read", backend=CLINIC)
async def opening_hours(day: Day | None = None, *, clinic: ClinicClient) -> Answer:
    """Tell when the clinic is open, on one day or in the week."""
    practice = await clinic.get("/v1/practice")
    if day is None:
        return Answer(say=_week(practice["week"]), data=practice)
    on = words.on(day, await clinic.today())
    span = _span(practice["week"][day.weekday()])
    say = f"we are closed {on}" if span is None else f"we are open from {span} {on}"
    return Answer(say=f"{say[0].upper()}{say[1:]}.", data=practice)


@tool(effect="read", backend=CLINIC)
async def where_we_are(*, clinic: ClinicClient) -> Answer:
    """Tell the clinic's address."""
    practice = await clinic.get("/v1/practice")
    return Answer(say=f"We are at {practice['address']}.", data=practice)


@tool(effect="read", backend=CLINIC)
async def new_patients(*, clinic: ClinicClient) -> Answer:
    """Tell whether the clinic takes new patients."""
    practice = await clinic.get("/v1/practice")
    takes = practice["takes_new_patients"]
    say = "Yes, we take new patients. Just book an appointment." if takes else "Not at the moment."
    return Answer(say=say, data=practice)


@tool(
    effect="write",
    confirm="Shall I note your prescription for the doctor, and we call {name} back?",
    idempotent=True,
    backend=CLINIC,
    max_per_call=3,
    in_words={"name": str},
)
async def renew_prescription(
    name: SpelledName,
    phone_number: PhoneNumber,
    medicine: Short,
    *,
    clinic: ClinicClient,
    key: IdempotencyKey,
) -> Answer:
    """Ask for a prescription to be renewed; a person of the clinic calls back."""
    noted = await clinic.post(
        "/v1/callbacks",
        key,
        name=name,
        phone_number=phone_number,
        topic="prescription",
        text=medicine,
    )
    return Answer(say="Done. We call you back about your prescription.", data=noted)


@tool(
    effect="write",
    confirm="Shall a colleague call {name} back on {phone_number}?",
    idempotent=True,
    backend=CLINIC,
    max_per_call=2,
    details=["reason"],
    in_words={"name": words.name},
)
async def call_back(
    name: SpelledName | None = None,
    phone_number: PhoneNumber | None = None,
    reason: Short | None = None,
    *,
    clinic: ClinicClient,
    key: IdempotencyKey,
) -> Answer:
    """Have a person of the clinic call somebody back."""
    if name is None or phone_number is None:
        # Offered to a caller who was not understood.
        raise ToolRefused('Please say "call me back". Then I ask for your name and your number.')
    noted = await clinic.post(
        "/v1/callbacks",
        key,
        name=name,
        phone_number=phone_number,
        topic="question",
        text=reason or "",
    )
    return Answer(say="Done. A colleague will call you back.", data=noted)


def _span(entry: Entry) -> str | None:
    if entry["opens"] is None:
        return None
    opens, closes = (words.clock(time.fromisoformat(entry[key])) for key in ("opens", "closes"))
    return f"{opens} to {closes}"


def _week(week: Sequence[Entry]) -> str:
    """The week with equal days in a row put together."""
    runs: list[tuple[list[str], str | None]] = []
    for entry in week:
        span = _span(entry)
        if runs and runs[-1][1] == span:
            runs[-1][0].append(WEEKDAYS[entry["weekday"]])
        else:
            runs.append(([WEEKDAYS[entry["weekday"]]], span))
    parts = []
    for days, span in runs:
        name = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        parts.append(f"closed {name}" if span is None else f"open {name} from {span}")
    return f"We are {words.listing(parts)}."
