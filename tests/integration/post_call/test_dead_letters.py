"""What was given up, and how a person looks after it; and what erasing reaches."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from call_record.follow_up import StepState
from post_call import commands
from tests.integration.post_call.conftest import PostCallWorkplace
from tests.support.ended_calls import REFUND_UNKNOWN, ended
from tests.support.local_stack import ROOT


def command(workplace: PostCallWorkplace, *words: str) -> tuple[int, str]:
    """Run `python -m ...` as an operator does. Returns: exit code and output."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=workplace.folder,
        env={**kept, **workplace.variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


async def test_parked_steps_are_listed_retried_and_skipped(
    workplace: PostCallWorkplace, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service goes on with what is retried, and leaves what is skipped."""
    workplace.endpoints("steady", "first", "second")
    await workplace.script(first=["400", "accept"], second=["400"])
    workplace.start()
    call_id = await ended(workplace.record, REFUND_UNKNOWN)
    await workplace.settled(call_id)
    code, listed = command(workplace, "post_call", "list", "--failed")
    assert code == 0
    first, second = listed.splitlines()
    assert first.startswith(f"{call_id}  webhook:first at webhook:first  parked  tries 1  ")
    assert first.endswith("  HTTP 400") and "webhook:second" in second
    assert await commands.retry(workplace.record, call_id, "ticket") == commands.NOTHING
    assert await commands.skip(workplace.record, call_id, "webhook:second") == commands.DONE
    told = f"{call_id}: 1 step will be tried again.\n"
    assert command(workplace, "post_call", "retry", call_id) == (0, told)
    await workplace.settled(call_id)
    steps = await workplace.steps(call_id)
    assert (steps["webhook:first"].state, steps["webhook:first"].tries) == (StepState.DONE, 2)
    assert steps["webhook:second"].state is StepState.SKIPPED
    assert (
        await workplace.accepted(call_id, "first")
        == await workplace.accepted(call_id, "steady")
        == 1
    )
    assert await commands.show(workplace.record, failed=False) == commands.DONE
    assert capsys.readouterr().out.splitlines() == [
        f"{call_id}: no such step is parked. `list --failed` prints those that are.",
        f"{call_id}: 1 step left undone.",
        "Every step is settled.",
    ]


async def test_erase_reaches_the_work_and_lists_what_went_elsewhere(
    workplace: PostCallWorkplace,
) -> None:
    """DBOS's own rows never held more than ids."""
    workplace.start()
    call_id = await ended(workplace.record, REFUND_UNKNOWN, caller="sam-rivera")
    await workplace.settled(call_id)
    files = ("post-call.db", "post-call.db-wal")
    stored = b"".join((workplace.folder / file).read_bytes() for file in files).lower()
    assert call_id.encode() in stored
    assert not [word for word in (b"refund", b"sam", b"rivera", b"order") if word in stored]
    code, told = command(workplace, "call_record", "erase", call_id, "--why", "asked by the person")
    number = (await workplace.steps(call_id))["ticket"].external_id
    activity = (await workplace.steps(call_id))["crm"].external_id
    assert code == 0
    assert told.splitlines() == [
        f"{call_id}: erased",
        f"{call_id}: not erased there: ticket was sent to storefront-tickets, as {number}",
        f"{call_id}: not erased there: crm was sent to storefront-crm, as {activity}",
        f"{call_id}: not erased there: webhook:steady was sent to webhook:steady, "
        f"as {call_id}:webhook:steady",
    ]
    with closing(sqlite3.connect(workplace.folder / "parley.db")) as connection:
        dump = "\n".join(connection.iterdump()).lower()
    assert call_id in dump
    assert not [word for word in ("refund order", "rivera", "call you back") if word in dump]
