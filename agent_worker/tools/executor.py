"""Executes an invocation that every guard let through, and journals its start and its result."""

import asyncio
import traceback
from collections.abc import Callable

import structlog

from agent_worker.tools.backends import Backends
from agent_worker.tools.events import GateEvents
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
    short_location,
)
from service_base.tasks import TaskSet
from voice_contract.journal import EntryTooLarge, ToolFailed, ToolFinished, ToolStarted, ToolUnknown

log = structlog.get_logger()


class Executor:
    """
    Executes the invocations of one call.

    Args:
        tasks: Where tools run; nothing of the framework can cancel a task there.
        inject: Finds what the server sets, by its type.
        late: Called with the outcome of an invocation that had been given up as unknown.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        lease: Lease,
        idempotency_keys: IdempotencyKeys,
        backends: Backends,
        phrases: GatePhrases,
        tasks: TaskSet,
        inject: Callable[[type], object],
        events: GateEvents,
        late: Callable[[Invocation, Outcome], None],
    ) -> None:
        self._journal = journal
        self._lease = lease
        self._idempotency_keys = idempotency_keys
        self._backends = backends
        self._phrases = phrases
        self._tasks = tasks
        self._inject = inject
        self._events = events
        self._late = late

    async def run(self, invocation: Invocation) -> Outcome:
        """Run *invocation*; it goes on even if the task that awaits this is cancelled."""
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
        task = self._tasks.start(_result(retry), name=f"tool {invocation.tool.name}")
        done, _ = await asyncio.wait({task}, timeout=invocation.tool.guards.timeout_s)
        if done:
            return self._judge(invocation, retry, task.result())
        retry.give_up()
        # A read, or a write that has not reached its backend yet, can be cancelled. Any other write
        # goes on: stopping it midway is worse than not knowing its outcome.
        if not invocation.writes or not retry.may_have_acted:
            task.cancel()
            return self._failed(invocation, "timeout", Outcome("timeout", self._phrases.too_slow))
        task.add_done_callback(lambda task: self._ended_late(invocation, retry, task))
        return self._unknown(invocation, "timeout")

    async def _record_start(self, invocation: Invocation) -> bool:
        """Journal its start. Returns: whether it may begin."""
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
        # The start may still be stored later, so its end is journalled behind it.
        self._journal.write(ToolFailed(invocation_id=invocation.id, reason="not begun"))
        return False

    def _may_act(self) -> bool:
        return self._lease.may_act() and self._journal.healthy

    def _judge(
        self, invocation: Invocation, retry: Retry, result: Answer | BaseException
    ) -> Outcome:
        if isinstance(result, Answer):
            return self._done(invocation, result)
        error = result
        if isinstance(error, ToolRefused):
            return self._failed(invocation, str(error), Outcome("refused", str(error)))
        # Without the error's text, which may hold anything.
        frames = traceback.extract_tb(error.__traceback__)[-1:]
        log.warning(
            "tool.failed",
            tool=invocation.tool.name,
            error=type(error).__name__,
            where=short_location(frames[0].filename, frames[0].lineno or 0) if frames else "",
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
            # The data cannot be stored, but the tool has done its work.
            log.error("tool.data_dropped", tool=invocation.tool.name, reason="no JSON")
            data, answer = {}, answer.model_copy(update={"data": {}})
        try:
            self._journal.write(finished.model_copy(update={"data": data}))
        except EntryTooLarge:
            self._journal.write(finished)
        for action in answer.actions:
            self._events.action_suggested(action)
        return Outcome("done", answer.say, answer)

    def _failed(self, invocation: Invocation, reason: str, outcome: Outcome) -> Outcome:
        self._journal.write(ToolFailed(invocation_id=invocation.id, reason=reason))
        return outcome

    def _unknown(self, invocation: Invocation, reason: str) -> Outcome:
        self._journal.write(ToolUnknown(invocation_id=invocation.id, reason=reason))
        return Outcome("unknown", self._phrases.unknown)

    def _ended_late(
        self, invocation: Invocation, retry: Retry, task: "asyncio.Task[Answer | BaseException]"
    ) -> None:
        if not task.cancelled():
            outcome = self._judge(invocation, retry, task.result())
            if outcome.kind != "unknown":
                self._late(invocation, outcome)


async def _result(retry: Retry) -> Answer | BaseException:
    """What the tool answered or raised; a tool may also raise a cancellation that is not ours."""
    try:
        return await retry.run()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return error
    except Exception as error:
        return error
