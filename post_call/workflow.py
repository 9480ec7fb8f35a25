"""
The durable workflow of one call, in DBOS: what is done in which order, and when again.

It and all that it returns hold ids alone. Whatever process goes on with it replays what is on
record, so this must do the same each time: the time it knows is the sum of its own pauses.
"""

import asyncio
from typing import Protocol

from dbos import DBOS

from call_record.database import DATABASE_DOWN
from call_record.follow_up import SUMMARY, Run
from post_call.steps import Tried

NAME = "follow_up"
UNAVAILABLE_MAX = 2_000
"""Tries that may fail because our own database does not answer; then the workflow is made again."""
FINISH_PAUSE_S = 2.0


class Work(Protocol):
    """What the steps do: a `post_call.steps.Steps`."""

    async def plan(self, call_id: str) -> list[str]:
        """The steps to do."""

    async def try_step(self, call_id: str, step: str, failures: int) -> Tried:
        """Try one."""

    async def finish(self, call_id: str) -> None:
        """All are settled."""


class _Hands:
    """What does the steps in this process: DBOS finds functions by name, not objects."""

    work: Work | None = None
    running: set["asyncio.Task[None]"] = set()  # noqa: RUF012 - one a process


def use(work: Work) -> None:
    """Have *work* do the steps of every workflow in this process."""
    _Hands.work = work


async def stop() -> None:
    """Leave the workflows of this process where they are; they go on elsewhere or later."""
    running = list(_Hands.running)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def workflow_id(run: Run) -> str:
    """The first run of a call has the call's own id."""
    return run.call_id if run.run == 0 else f"{run.call_id}:{run.run}"


@DBOS.step(name="plan")
async def _plan(call_id: str) -> list[str] | None:
    try:
        return await _work().plan(call_id)
    except DATABASE_DOWN:
        return None


@DBOS.step(name="try_step")
async def _try_step(call_id: str, step: str, failures: int) -> list[float | bool | None]:
    tried = await _work().try_step(call_id, step, failures)
    return [tried.again_in_s, tried.counts]


@DBOS.step(name="finish")
async def _finish(call_id: str) -> bool:
    try:
        await _work().finish(call_id)
    except DATABASE_DOWN:
        return False
    return True


@DBOS.workflow(name=NAME, max_recovery_attempts=None)
async def follow_up(call_id: str) -> None:
    """Do the steps of a call, each until it is settled; one that fails holds up no other."""
    task = asyncio.current_task()
    assert task is not None
    _Hands.running.add(task)
    try:
        await _follow_up(call_id)
    finally:
        _Hands.running.discard(task)


async def _follow_up(call_id: str) -> None:
    now_s = 0.0
    unavailable = 0
    while (steps := await _plan(call_id)) is None:
        unavailable = await _pause(unavailable)
    failures = dict.fromkeys(steps, 0)
    due_s = dict.fromkeys(steps, 0.0)
    while due_s:
        for step in steps:
            # All others tell what the summary says.
            held_up = SUMMARY in due_s and step != SUMMARY
            if held_up or due_s.get(step, now_s + 1) > now_s:
                continue
            again_in_s, counts = await _try_step(call_id, step, failures[step])
            if again_in_s is None:
                del due_s[step]
                continue
            due_s[step] = now_s + again_in_s
            failures[step] += bool(counts)
            unavailable += not counts
            if unavailable > UNAVAILABLE_MAX:
                raise RuntimeError("the record of calls has not answered for too long")
        if due_s:
            first = due_s[SUMMARY] if SUMMARY in due_s else min(due_s.values())
            if first > now_s:
                await DBOS.sleep_async(first - now_s)
                now_s = first
    while not await _finish(call_id):
        unavailable = await _pause(unavailable)


async def _pause(unavailable: int) -> int:
    if unavailable > UNAVAILABLE_MAX:
        raise RuntimeError("the record of calls has not answered for too long")
    await DBOS.sleep_async(FINISH_PAUSE_S)
    return unavailable + 1


def _work() -> Work:
    assert _Hands.work is not None
    return _Hands.work
