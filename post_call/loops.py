"""
The loops of a post-call process: calls that ended are taken, its life is shown, the work of dead
processes is taken over, failed workflows are made again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from dbos import DBOS, SetWorkflowID

from call_record import executors, follow_up
from call_record.database import DATABASE_DOWN
from call_record.follow_up import Run
from call_record.record import Record
from call_record.stillness import StillnessWatch
from post_call import metrics, workflow
from post_call.dbos_setup import QUEUE, Pace
from post_call.workflow import workflow_id

log = structlog.get_logger()

TAKE_EVERY_S = 0.2
QUIET_EVERY_S = 1.0
"""While no call goes on and nothing waits: a call that begins now does not end sooner."""
SWEEP_EVERY_S = 30.0
"""Looking at all ended calls costs more than looking at the last ones, but misses none."""
SWEEP_BACK_MS = 120_000
BEAT_EVERY_S = 1.0
DEAD_S = 4.0
"""An executor whose presence stood still for as long is dead; it counts each second."""
GAP_S = 2.5
"""After a longer time between two looks, all are seen as for the first time."""
MEND_EVERY_S = 3.0
COUNT_EVERY_S = 5.0
BATCH = 200
RUNS_MAX = 20
"""Workflows of one call, those that somebody asked for included."""
LATE_S = 15.0
"""A loop that takes longer for one round is not ready."""
OVER = frozenset({"SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"})
"""States of a workflow, as DBOS names them."""


class Loops:
    """What this process does for ever. `start` after DBOS was launched."""

    def __init__(self, record: Record, executor_id: str) -> None:
        self._record = record
        self._executor_id = executor_id
        self._watch = StillnessWatch[int](GAP_S)
        self._swept_s = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []
        self._round_s: dict[str, float] = {}
        self._pace: Pace | None = None
        self._is_quiet = False

    def start(self, pace: Pace) -> None:
        """Begin the loops. *pace* is told when it becomes quiet, and when no longer."""
        self._pace = pace
        loops: tuple[tuple[str, Callable[[], Awaitable[None]], float], ...] = (
            ("taking calls", self.take, TAKE_EVERY_S),
            ("showing life", self.beat, BEAT_EVERY_S),
            ("taking over", self.take_over, BEAT_EVERY_S),
            ("mending", self.mend, MEND_EVERY_S),
            ("counting", self.count, COUNT_EVERY_S),
        )
        for name, work, every_s in loops:
            self._round_s[name] = time.monotonic()
            self._tasks.append(asyncio.create_task(self._loop(name, work, every_s), name=name))

    async def stop(self) -> None:
        """End the loops and leave the workflows where they are."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await workflow.stop()

    async def check(self) -> None:
        """Raises: RuntimeError: a loop hangs."""
        now_s = time.monotonic()
        if late := [n for n, at_s in self._round_s.items() if now_s - at_s > LATE_S]:
            raise RuntimeError(f"late: {', '.join(late)}")

    async def take(self) -> None:
        """Make the work of calls that ended, and a workflow for each."""
        now_s = time.monotonic()
        after_ms = self._record.clock.now_ms() - SWEEP_BACK_MS
        if sweeps := now_s - self._swept_s > SWEEP_EVERY_S:
            after_ms = 0
        taken = await follow_up.take(self._record, ended_after_ms=after_ms, limit=BATCH)
        if sweeps and taken < BATCH:
            self._swept_s = now_s
        runs = await follow_up.unqueued(self._record, limit=BATCH)
        for run in runs:
            with SetWorkflowID(workflow_id(run)):
                await DBOS.enqueue_workflow_async(QUEUE, workflow.follow_up, run.call_id)
            log.info("follow_up.queued", call_id=run.call_id, run=run.run)
        if runs:
            await follow_up.set_queued(self._record, runs)
        is_busy = taken > 0 or bool(runs)
        await self._slow_down(not is_busy and await follow_up.is_quiet(self._record))

    async def _slow_down(self, is_quiet: bool) -> None:
        if is_quiet is not self._is_quiet and self._pace is not None:
            await self._pace(is_quiet)
            self._is_quiet = is_quiet

    async def beat(self) -> None:
        """Show that this process lives."""
        if not await executors.heartbeat(self._record, self._executor_id):
            await executors.register(self._record, self._executor_id)

    async def take_over(self) -> None:
        """Have the workflows of dead executors done by those that live."""
        asked_s = time.monotonic()
        known = await executors.read_all(self._record)
        presence = {one.executor_id: one.presence for one in known if not one.gone}
        self._watch.look(presence, asked_s, time.monotonic())
        dead = set(self._watch.still(DEAD_S)) - {self._executor_id}
        for executor_id in dead:
            if await executors.mark_gone(self._record, executor_id, presence[executor_id]):
                log.warning("executor.gone", executor_id=executor_id)
        alive = presence.keys() - dead | {self._executor_id}
        pending = await _workflows(status="PENDING", queue_name=QUEUE, limit=10_000)
        orphans = [one.workflow_id for one in pending if one.executor_id not in alive]
        if orphans:
            await DBOS.resume_workflows_async(orphans, queue_name=QUEUE)
            metrics.TAKEN_OVER.inc(len(orphans))
            log.warning("workflows.taken_over", workflows=len(orphans))

    async def mend(self) -> None:
        """Make workflows again that failed or were lost, and forget those that are done."""
        last = ""
        while runs := await follow_up.waiting(self._record, after=last, limit=BATCH):
            last = runs[-1].call_id
            states = {
                one.workflow_id: one.status
                for one in await _workflows(workflow_ids=[workflow_id(run) for run in runs])
            }
            for run in runs:
                state = states.get(workflow_id(run))
                if state is None or state in OVER:
                    await self._run_again(run, state)
        done = await _workflows(status=sorted(OVER), queue_name=QUEUE, limit=BATCH)
        await self._forget([one.workflow_id for one in done])

    async def count(self) -> None:
        """Tell the metrics how much there is to do."""
        counts = await follow_up.count(self._record)
        metrics.WAITING.set(counts.waiting)
        metrics.PARKED.set(counts.parked)

    async def _run_again(self, run: Run, state: str | None) -> None:
        if run.run >= RUNS_MAX:
            await follow_up.give_up(self._record, run, f"the workflow failed {run.run + 1} times")
        # Finished since it was read, it is not waiting any more.
        elif await follow_up.run_again(self._record, run):
            metrics.RUN_AGAIN.inc()
            log.error("follow_up.run_again", call_id=run.call_id, run=run.run, workflow=state)

    async def _forget(self, ids: Iterable[str]) -> None:
        if found := list(ids):
            await DBOS.delete_workflows_async(found)

    async def _loop(self, name: str, work: Callable[[], Awaitable[None]], every_s: float) -> None:
        failing = False
        while True:
            try:
                await work()
                self._round_s[name] = time.monotonic()
                failing = False
            except DATABASE_DOWN as error:
                if not failing:
                    log.warning("loop.database_unavailable", loop=name, error=type(error).__name__)
                failing = True
            except Exception as error:
                log.error("loop.failed", loop=name, exc_info=error)
            is_slow = failing or self._is_quiet
            await asyncio.sleep(max(every_s, QUIET_EVERY_S) if is_slow else every_s)


async def _workflows(**which: Any) -> list[Any]:
    return await DBOS.list_workflows_async(load_input=False, load_output=False, **which)
