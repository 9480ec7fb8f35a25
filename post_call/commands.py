"""What `python -m post_call list | retry | skip` does. Each prints, and returns its exit code."""

from datetime import UTC, datetime

from call_record import follow_up
from call_record.database import Database
from call_record.follow_up import Step, StepState
from call_record.keys import KeyRing
from call_record.record import Record
from call_record.show import plain
from post_call.settings import PostCallSettings

DONE = 0
UNUSABLE = 2
"""Bad arguments, settings or database."""
NOTHING = 3
"""No such step is parked."""


def open_record(settings: PostCallSettings) -> Record:
    """The record of calls, without the journals' keys: no journal is read here."""
    return Record(Database(settings.database_url, connections=1), KeyRing("", {}))


async def show(record: Record, *, failed: bool) -> int:
    """Print the steps that are not settled, or only those that are parked."""
    found = await follow_up.read_unsettled(record, failed=failed)
    for step in found:
        print(_line(step))
    if not found:
        print("No step is parked." if failed else "Every step is settled.")
    return DONE


async def retry(record: Record, call_id: str, step: str | None) -> int:
    """Have parked steps tried again."""
    return _told(call_id, await follow_up.retry(record, call_id, step), "will be tried again")


async def skip(record: Record, call_id: str, step: str | None) -> int:
    """Leave parked steps undone."""
    return _told(call_id, await follow_up.skip(record, call_id, step), "left undone")


def _told(call_id: str, steps: int, what: str) -> int:
    if not steps:
        print(f"{plain(call_id)}: no such step is parked. `list --failed` prints those that are.")
        return NOTHING
    print(f"{plain(call_id)}: {steps} {'step' if steps == 1 else 'steps'} {what}.")
    return DONE


def _line(step: Step) -> str:
    at = datetime.fromtimestamp(step.at_ms / 1000, UTC).isoformat(" ", "seconds")
    why = f"  {step.reason}" if step.state is StepState.PARKED else ""
    target = f" at {step.target}" if step.target else ""
    return plain(
        f"{step.call_id}  {step.step}{target}  {step.state}  tries {step.tries}  {at}{why}"
    )
