"""Whatever moment the process is killed at: each call has everything once."""

import asyncio
import os
import random
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from call_record import executors, follow_up
from call_record.follow_up import StepState
from tests.integration.post_call.conftest import PostCallWorkplace
from tests.support.ended_calls import ORDER_STATUS, REFUND_UNKNOWN, ended

LONG = [pytest.mark.long, pytest.mark.timeout(600)]


async def once_each(workplace: PostCallWorkplace, call_ids: list[str], *, tickets: int) -> None:
    """The ledgers of those who were told say so."""
    opened = 0
    for call_id in call_ids:
        steps = await workplace.steps(call_id)
        assert {one.state for one in steps.values()} <= {StepState.DONE, StepState.SKIPPED}, steps
        found = await workplace.effects(call_id)
        opened += found.count("ticket.opened")
        assert found.count("ticket.opened") <= 1
        assert found.count("contact.created") == found.count("activity.logged") == 1
        for name in ("steady", "first"):
            assert await workplace.accepted(call_id, name) == 1
        read = await follow_up.read_follow_up(workplace.record, call_id)
        assert read is not None and read.state == "ready" and read.summary is not None
    assert opened == tickets


@pytest.mark.parametrize(
    ("kills", "calls", "database_url"),
    [
        pytest.param(6, 4, "sqlite", id="short"),
        pytest.param(50, 20, "sqlite", marks=LONG, id="long"),
        pytest.param(20, 12, "postgresql", marks=LONG, id="postgresql"),
    ],
    indirect=["database_url"],
)
async def test_process_killed_at_random_moments_does_everything_once(
    workplace: PostCallWorkplace, kills: int, calls: int
) -> None:
    """SIGKILL, and another process on the same host; every other call needs a ticket."""
    seed = int(os.environ.get("PARLEY_TEST_SEED", time.time_ns() % 100_000))
    print(f"PARLEY_TEST_SEED={seed}")
    chance = random.Random(seed)
    workplace.endpoints("steady", "first")
    await workplace.script(steady=["slow"], first=["slow"])
    call_ids: list[str] = []
    for kill in range(kills):
        process = workplace.start()
        if len(call_ids) * kills < calls * (kill + 1):
            # In the midst of a call's work,
            await workplace.ready()
            entries = REFUND_UNKNOWN if len(call_ids) % 2 else ORDER_STATUS
            call_ids.append(await ended(workplace.record, entries))
            await asyncio.sleep(chance.uniform(0.0, 0.7))
        else:
            # or from its start to well into the work that was left.
            await asyncio.sleep(chance.uniform(0.2, 1.6))
        process.kill()
        process.join()
    assert len(call_ids) == calls
    workplace.start()
    await workplace.settled(*call_ids, timeout_s=60)
    await once_each(workplace, call_ids, tickets=calls // 2)
    tries = [one.tries for call_id in call_ids for one in (await workplace.steps(call_id)).values()]
    print(f"steps begun more than once: {sum(n > 1 for n in tries)} of {len(tries)}")


async def _busy_executor(workplace: PostCallWorkplace, call_id: str) -> str:
    """Who works on a call: DBOS knows."""
    async with asyncio.timeout(60):
        while True:
            with closing(sqlite3.connect(workplace.folder / "post-call.db")) as connection:
                rows = connection.execute(
                    "SELECT executor_id FROM workflow_status WHERE workflow_uuid = ? "
                    "AND status = 'PENDING'",
                    [call_id],
                ).fetchall()
            if rows and await workplace.received(call_id, "first"):
                name: str = rows[0][0]
                return name
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "how",
    [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.long)],
    ids=["killed", "stopped"],
)
async def test_work_of_a_dead_executor_is_taken_over(
    workplace: PostCallWorkplace, how: signal.Signals
) -> None:
    """By the other one; whoever was only stopped, and goes on, does nothing twice."""
    workplace.endpoints("steady", "first")
    await workplace.script(first=["500", "500", "hang", "accept"])
    workplace.variables["PARLEY_POST_CALL_TIMEOUT_S"] = "20"
    names = ("a", "b")
    processes = {n: workplace.start(PARLEY_POST_CALL_EXECUTOR_ID=n) for n in names}
    async with asyncio.timeout(60):
        while len(await executors.read_all(workplace.record)) < 2:
            await asyncio.sleep(0.05)
    call_id = await ended(workplace.record, REFUND_UNKNOWN)
    async with asyncio.timeout(60):
        while len(await workplace.received(call_id, "first")) < 3:
            await asyncio.sleep(0.05)
    victim = await _busy_executor(workplace, call_id)
    pid = processes[victim].pid
    assert pid is not None
    os.kill(pid, how)
    began_s = time.monotonic()
    await workplace.settled(call_id, timeout_s=60)
    print(f"taken over and done after {time.monotonic() - began_s:.1f} s")
    if how == signal.SIGSTOP:
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(2)
    await once_each(workplace, [call_id], tickets=1)


async def test_work_whose_workflow_was_lost_is_made_anew(workplace: PostCallWorkplace) -> None:
    """As when DBOS's database is gone, or a new version replays an old workflow differently."""
    await workplace.script(steady=["500", "500", "500", "accept"])
    workplace.variables["PARLEY_POST_CALL_BACKOFF_S"] = "1"
    workplace.variables["PARLEY_POST_CALL_BACKOFF_MAX_S"] = "1"
    process = workplace.start()
    first, second = [await ended(workplace.record, REFUND_UNKNOWN) for _ in range(2)]
    async with asyncio.timeout(60):
        while not (
            await workplace.received(first, "steady") and await workplace.received(second, "steady")
        ):
            await asyncio.sleep(0.05)
    process.kill()
    process.join()
    with closing(sqlite3.connect(workplace.folder / "post-call.db")) as connection, connection:
        gone = connection.execute("DELETE FROM workflow_status WHERE workflow_uuid = ?", [first])
        assert gone.rowcount == 1
        other = connection.execute(
            "UPDATE operation_outputs SET function_name = 'old' WHERE workflow_uuid = ?", [second]
        )
        assert other.rowcount > 3
    workplace.start()
    await workplace.settled(first, second)
    for call_id in (first, second):
        assert await workplace.accepted(call_id, "steady") == 1
        assert (await workplace.effects(call_id)).count("ticket.opened") == 1
    assert workplace.log.count("follow_up.run_again") == 2
