"""A job that every guard let through: on record, run within its time, its result on record."""

import asyncio
import contextvars
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from agent_worker.tools.backends import Backends
from agent_worker.tools.idempotency import IdempotencyKeys
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.retry import Retry
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    IdempotencyKey,
    ToolRefused,
    short_place,
)
from voice_contract.actions import Action
from voice_contract.journal import EntryTooLarge, ToolFailed, ToolFinished, ToolStarted, ToolUnknown

log = structlog.get_logger()


class Tasks:
    """Tasks that nothing of the framework can cancel: its context does not reach into them."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._log_fields = structlog.contextvars.get_contextvars()

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run *work*."""
        context = contextvars.Context()
        context.run(structlog.contextvars.bind_contextvars, **self._log_fields)
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def wait(self, timeout_s: float) -> None:
        """Until all have ended, for *timeout_s* at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)

    def __len__(self) -> int:
        return len(self._running)


class Executor:
    """
    Executor the jobs of one call.

    Args:
        inject: Finds what the server knows, by its type.
        act: Called with what a tool suggests to the caller's page.
        late: Called with what came of a job after all that was given up as unknown.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        lease: Lease,
        effects: IdempotencyKeys,
        backends: Backends,
        phrases: GatePhrases,
        tasks: Tasks,
        inject: Callable[[type], object],
        act: Callable[[Action], None],
        late: Callable[[Invocation, Outcome], None],
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._effects = effects
        self._backends = backends
        self._phrases = phrases
        self._tasks = tasks
        self._inject = inject
        self._act = act
        self._late = late

    async def run(self, job: Invocation) -> Outcome:
        """Run *job*. It is not cancelled from outside, whatever happens to who waits for it."""
        if job.writes:
            job.key = job.key or self._effects.key(job.cause, job.digest)
        bound = job.tool.arguments.bind(job.values)
        injected = {
            name: IdempotencyKey(job.key or "") if kind is IdempotencyKey else self._inject(kind)
            for name, kind in job.tool.injected.items()
        }
        if not await self._record_start(job):
            return Outcome("not-begun", self._phrases.not_now)
        backend = self._backends.of(job.tool.backend)
        attempt = Retry(job.tool, lambda: job.tool.run(**bound, **injected), backend)
        task = self._tasks.start(attempt.run())
        done, _ = await asyncio.wait({task}, timeout=job.tool.guards.timeout_s)
        if done:
            return self._verdict(job, attempt, task)
        attempt.give_up()
        # What only reads, or has not acted yet, may be given up. A write goes on: stopping it
        # midway is worse than not knowing.
        if not job.writes or not attempt.may_have_acted:
            task.cancel()
            return self._failed(job, "timeout", Outcome("timeout", self._phrases.too_slow))
        task.add_done_callback(lambda task: self._ended_late(job, attempt, task))
        return self._unknown(job, "timeout")

    async def _record_start(self, job: Invocation) -> bool:
        """Whether it is on record and may begin."""
        started = ToolStarted(
            tool_call_id=job.id,
            tool=job.tool.name,
            effect=job.tool.effect,
            arguments=job.values,
            idempotency_key=job.key,
        )
        if not job.writes:
            self._journal.write(started)
            return True
        if self._may_act():
            try:
                await self._journal.write_ahead(started)
                # The journal may have answered late.
                if self._may_act():
                    return True
            except Exception as error:
                log.warning("tool.not_recorded", tool=job.tool.name, error=type(error).__name__)
        # What was to be stored may be stored yet.
        self._journal.write(ToolFailed(tool_call_id=job.id, reason="not begun"))
        return False

    def _may_act(self) -> bool:
        return self._lease.may_act() and self._journal.healthy

    def _verdict(self, job: Invocation, attempt: Retry, task: "asyncio.Task[Answer]") -> Outcome:
        error = task.exception()
        if error is None:
            return self._done(job, task.result())
        if isinstance(error, ToolRefused):
            return self._failed(job, str(error), Outcome("refused", str(error)))
        # Its text may hold anything.
        where = traceback.extract_tb(error.__traceback__)[-1:]
        log.warning(
            "tool.failed",
            tool=job.tool.name,
            error=type(error).__name__,
            place=short_place(where[0].filename, where[0].lineno or 0) if where else "",
        )
        away = isinstance(error, BackendUnavailable)
        if job.writes and (attempt.doubtful or not away):
            return self._unknown(job, type(error).__name__)
        if away:
            return self._failed(job, "away", Outcome("failed", self._phrases.away))
        if isinstance(error, TimeoutError):
            return self._failed(job, "timeout", Outcome("timeout", self._phrases.too_slow))
        return self._failed(job, type(error).__name__, Outcome("failed", self._phrases.failed))

    def _done(self, job: Invocation, answer: Answer) -> Outcome:
        finished = ToolFinished(tool_call_id=job.id, say=answer.say)
        try:
            data = answer.model_dump(mode="json")["data"]
        except ValueError:
            # It is done all the same.
            log.error("tool.data_dropped", tool=job.tool.name, reason="no JSON")
            data, answer = {}, answer.model_copy(update={"data": {}})
        try:
            self._journal.write(finished.model_copy(update={"data": data}))
        except EntryTooLarge:
            self._journal.write(finished)
        for action in answer.actions:
            self._act(action)
        return Outcome("done", answer.say, answer)

    def _failed(self, job: Invocation, reason: str, outcome: Outcome) -> Outcome:
        self._journal.write(ToolFailed(tool_call_id=job.id, reason=reason))
        return outcome

    def _unknown(self, job: Invocation, reason: str) -> Outcome:
        self._journal.write(ToolUnknown(tool_call_id=job.id, reason=reason))
        return Outcome("unknown", self._phrases.unknown)

    def _ended_late(self, job: Invocation, attempt: Retry, task: "asyncio.Task[Answer]") -> None:
        if not task.cancelled():
            outcome = self._verdict(job, attempt, task)
            if outcome.kind != "unknown":
                self._late(job, outcome)
