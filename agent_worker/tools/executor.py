"""Executes an invocation that every guard let through, and journals its start and its result."""

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
    Executor the invocations of one call.

    Args:
        inject: Finds what the server knows, by its type.
        act: Called with what a tool suggests to the caller's page.
        late: Called with what came of an invocation after all that was given up as unknown.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        lease: Lease,
        idempotency_keys: IdempotencyKeys,
        backends: Backends,
        phrases: GatePhrases,
        tasks: Tasks,
        inject: Callable[[type], object],
        act: Callable[[Action], None],
        late: Callable[[Invocation, Outcome], None],
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._idempotency_keys = idempotency_keys
        self._backends = backends
        self._phrases = phrases
        self._tasks = tasks
        self._inject = inject
        self._act = act
        self._late = late

    async def run(self, invocation: Invocation) -> Outcome:
        """Run *invocation*. Nothing outside cancels it, even if its waiter goes away."""
        if invocation.writes:
            invocation.key = invocation.key or self._idempotency_keys.key(
                invocation.cause, invocation.digest
            )
        bound = invocation.tool.arguments.bind(invocation.values)
        injected = {
            name: IdempotencyKey(invocation.key or "")
            if kind is IdempotencyKey
            else self._inject(kind)
            for name, kind in invocation.tool.injected.items()
        }
        if not await self._record_start(invocation):
            return Outcome("not-begun", self._phrases.not_now)
        backend = self._backends.of(invocation.tool.backend)
        retry = Retry(invocation.tool, lambda: invocation.tool.run(**bound, **injected), backend)
        task = self._tasks.start(retry.run())
        done, _ = await asyncio.wait({task}, timeout=invocation.tool.guards.timeout_s)
        if done:
            return self._verdict(invocation, retry, task)
        retry.give_up()
        # What only reads, or has not acted yet, may be given up. A write goes on: stopping it
        # midway is worse than not knowing.
        if not invocation.writes or not retry.may_have_acted:
            task.cancel()
            return self._failed(invocation, "timeout", Outcome("timeout", self._phrases.too_slow))
        task.add_done_callback(lambda task: self._ended_late(invocation, retry, task))
        return self._unknown(invocation, "timeout")

    async def _record_start(self, invocation: Invocation) -> bool:
        """Whether it is on record and may begin."""
        started = ToolStarted(
            invocation_id=invocation.id,
            tool=invocation.tool.name,
            effect=invocation.tool.effect,
            arguments=invocation.values,
            idempotency_key=invocation.key,
        )
        if not invocation.writes:
            self._journal.write(started)
            return True
        if self._may_act():
            try:
                await self._journal.write_ahead(started)
                # The journal may have answered late.
                if self._may_act():
                    return True
            except Exception as error:
                log.warning(
                    "tool.not_recorded", tool=invocation.tool.name, error=type(error).__name__
                )
        # What was to be stored may be stored yet.
        self._journal.write(ToolFailed(invocation_id=invocation.id, reason="not begun"))
        return False

    def _may_act(self) -> bool:
        return self._lease.may_act() and self._journal.healthy

    def _verdict(
        self, invocation: Invocation, retry: Retry, task: "asyncio.Task[Answer]"
    ) -> Outcome:
        error = task.exception()
        if error is None:
            return self._done(invocation, task.result())
        if isinstance(error, ToolRefused):
            return self._failed(invocation, str(error), Outcome("refused", str(error)))
        # Its text may hold anything.
        where = traceback.extract_tb(error.__traceback__)[-1:]
        log.warning(
            "tool.failed",
            tool=invocation.tool.name,
            error=type(error).__name__,
            place=short_place(where[0].filename, where[0].lineno or 0) if where else "",
        )
        away = isinstance(error, BackendUnavailable)
        if invocation.writes and (retry.doubtful or not away):
            return self._unknown(invocation, type(error).__name__)
        if away:
            return self._failed(invocation, "away", Outcome("failed", self._phrases.away))
        if isinstance(error, TimeoutError):
            return self._failed(invocation, "timeout", Outcome("timeout", self._phrases.too_slow))
        return self._failed(
            invocation, type(error).__name__, Outcome("failed", self._phrases.failed)
        )

    def _done(self, invocation: Invocation, answer: Answer) -> Outcome:
        finished = ToolFinished(invocation_id=invocation.id, say=answer.say)
        try:
            data = answer.model_dump(mode="json")["data"]
        except ValueError:
            # It is done all the same.
            log.error("tool.data_dropped", tool=invocation.tool.name, reason="no JSON")
            data, answer = {}, answer.model_copy(update={"data": {}})
        try:
            self._journal.write(finished.model_copy(update={"data": data}))
        except EntryTooLarge:
            self._journal.write(finished)
        for action in answer.actions:
            self._act(action)
        return Outcome("done", answer.say, answer)

    def _failed(self, invocation: Invocation, reason: str, outcome: Outcome) -> Outcome:
        self._journal.write(ToolFailed(invocation_id=invocation.id, reason=reason))
        return outcome

    def _unknown(self, invocation: Invocation, reason: str) -> Outcome:
        self._journal.write(ToolUnknown(invocation_id=invocation.id, reason=reason))
        return Outcome("unknown", self._phrases.unknown)

    def _ended_late(
        self, invocation: Invocation, retry: Retry, task: "asyncio.Task[Answer]"
    ) -> None:
        if not task.cancelled():
            outcome = self._verdict(invocation, retry, task)
            if outcome.kind != "unknown":
                self._late(invocation, outcome)
