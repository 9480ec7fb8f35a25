"""Executes an invocation that every guard let through, and journals its start and its result."""

import asyncio
import functools
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from pydantic import TypeAdapter

from agent_worker.mistakes import short_location
from agent_worker.tools.backends import Backends
from agent_worker.tools.events import GateEvents
from agent_worker.tools.idempotency import IdempotencyKeys
from agent_worker.tools.invocations import Invocation, Outcome
from agent_worker.tools.journal import Journal, Lease
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.retry import NotBegun, Retry
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    IdempotencyKey,
    Target,
    ToolRefused,
)
from service_base.tasks import TaskSet, is_cancelled
from voice_contract.journal import (
    SAID_MAX_CHARACTERS,
    Entry,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    ToolUnknown,
)

log = structlog.get_logger()

_JSON = TypeAdapter[Any](dict[str, Any])


class Executor:
    """
    Executes the invocations of one call.

    Args:
        tasks: Where tools run; nothing of the framework can cancel a task there.
        inject: Finds what the server sets, by its type.
        closing: Set when the call is over: no effect begins from then on.
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
        closing: asyncio.Event,
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
        self._closing = closing
        self._late = late

    async def run(self, invocation: Invocation) -> Outcome:
        """Run *invocation*; it goes on even if the task that awaits this is cancelled."""
        if invocation.writes and invocation.key is None:
            invocation.key = self._idempotency_keys.key(invocation.cause, invocation.full_digest)
        retry = self._prepare(invocation)
        if not await self._record_start(invocation):
            return Outcome("not-begun", self._phrases.not_now)
        invocation.begun = True
        return await self._send(invocation, retry) or self.give_up(invocation)

    async def send_again(self, invocation: Invocation) -> Outcome | None:
        """
        Send what may have been done once more, with the same key.

        It passed every guard and its start is on record, so only the lease is looked at.

        Returns: what became of it; None: that is still not known.
        """
        invocation.sent_again = True
        # One that hangs is replaced: what it may have begun, the same key goes on with.
        for hanging in invocation.tries:
            hanging.cancel()
        return await self._send(invocation, self._prepare(invocation))

    def give_up(self, invocation: Invocation) -> Outcome:
        """Journal that nobody knows what became of *invocation*."""
        self._journal.write(ToolUnknown(invocation_id=invocation.id, reason=invocation.doubt))
        phrases = self._phrases
        say = phrases.in_doubt if invocation.can_be_sent_again else phrases.unknown
        return Outcome("unknown", say)

    def _prepare(self, invocation: Invocation) -> Retry:
        bound = invocation.tool.arguments.bind(invocation.values)
        given = {IdempotencyKey: IdempotencyKey(invocation.key or ""), Target: invocation.target}
        injected = {
            name: given[kind] if kind in given else self._inject(kind)
            for name, kind in invocation.tool.injected.items()
        }

        def may_begin(doubtful: bool) -> bool:
            if not invocation.writes:
                return True
            # To send a doubtful one again begins nothing, so it may also end after the call.
            return self._may_act() and (doubtful or not self._closing.is_set())

        return Retry(
            invocation.tool,
            lambda: invocation.tool.run(**bound, **injected),
            self._backends.of(invocation.tool.backend),
            may_begin,
            doubtful=invocation.sent_again,
        )

    async def _record_start(self, invocation: Invocation) -> bool:
        """Journal its start. Returns: whether it may begin."""
        target = invocation.target
        started = ToolStarted(
            invocation_id=invocation.id,
            tool=invocation.tool.name,
            effect=invocation.tool.effect,
            arguments=invocation.values,
            idempotency_key=invocation.key,
            target=target.id if target else None,
            shown=dict(target.shown) if target else {},
        )
        if not invocation.writes:
            self._journal.write(started)
            return True
        if self._may_act():
            try:
                await self._journal.write_ahead(started)
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

    async def _send(self, invocation: Invocation, retry: Retry) -> Outcome | None:
        """Returns: None: it may have been done or not."""
        task = self._tasks.start(_result(retry), name=f"tool {invocation.tool.name}")
        invocation.tries.add(task)
        task.add_done_callback(invocation.tries.discard)
        late = functools.partial(self._ended_late, invocation, retry)
        try:
            done, _ = await asyncio.wait({task}, timeout=invocation.tool.guards.timeout_s)
        except asyncio.CancelledError:
            task.add_done_callback(late)
            raise
        if done:
            return self._judge(invocation, retry, task.result())
        retry.give_up()
        # What has not reached its backend can be cancelled, and so can a read. A write goes on:
        # stopping it midway is worse than not knowing its outcome.
        invocation.doubt = "timeout"
        if invocation.writes and retry.is_inside:
            task.add_done_callback(late)
            return None
        task.cancel()
        if retry.doubtful:
            return None
        return self._failed(invocation, "timeout", Outcome("timeout", self._phrases.too_slow))

    def _judge(self, invocation: Invocation, retry: Retry, result: object) -> Outcome | None:
        """Returns: None: it may have been done or not."""
        if not isinstance(result, BaseException):
            return self._returned(invocation, result)
        error = result
        in_doubt = retry.doubtful or invocation.sent_again
        if isinstance(error, ToolRefused) and (error.settles or not in_doubt):
            reason = _valid_text(str(error))
            return self._failed(invocation, reason, Outcome("refused", reason))
        # Without the error's text, which may hold anything.
        frames = traceback.extract_tb(error.__traceback__)[-1:]
        log.warning(
            "tool.failed",
            tool=invocation.tool.name,
            error=type(error).__name__,
            where=short_location(frames[0].filename, frames[0].lineno or 0) if frames else "",
        )
        if invocation.writes and (in_doubt or not isinstance(error, BackendUnavailable)):
            invocation.doubt = type(error).__name__
            return None
        if isinstance(error, NotBegun):
            not_now = Outcome("not-begun", self._phrases.not_now)
            return self._failed(invocation, "not begun", not_now)
        if isinstance(error, BackendUnavailable):
            return self._failed(invocation, "away", Outcome("failed", self._phrases.away))
        if isinstance(error, TimeoutError):
            return self._failed(invocation, "timeout", Outcome("timeout", self._phrases.too_slow))
        return self._failed(
            invocation, type(error).__name__, Outcome("failed", self._phrases.failed)
        )

    def _returned(self, invocation: Invocation, answer: object) -> Outcome:
        """The tool has done its work. Whatever is wrong with its answer does not change that."""
        if not isinstance(answer, Answer):
            log.error("tool.no_answer", tool=invocation.tool.name, returned=type(answer).__name__)
            if not invocation.writes:
                return self._failed(
                    invocation, "no answer", Outcome("failed", self._phrases.failed)
                )
            answer = Answer(say=self._phrases.done)
        valid = Answer(say=self._phrases.done)
        with self._dropping(invocation, "words"):
            valid.say = _valid_text(answer.say[:SAID_MAX_CHARACTERS])
        with self._dropping(invocation, "data"):
            valid.data = _JSON.dump_python(_valid(answer.data), mode="json")
        end = ToolFinished(invocation_id=invocation.id, say=valid.say)
        with self._dropping(invocation, "data on record"):
            self._settle(
                invocation,
                ToolFinished(invocation_id=invocation.id, say=valid.say, data=valid.data),
            )
        with self._dropping(invocation, "record"):
            self._settle(invocation, end)
        invocation.settled = True
        with self._dropping(invocation, "actions"):
            valid.actions = list(answer.actions)
            for action in valid.actions:
                self._events.action_suggested(action)
        return Outcome("done", valid.say, valid)

    @contextmanager
    def _dropping(self, invocation: Invocation, part: str) -> Iterator[None]:
        """It is done: a *part* of its answer that cannot be used is dropped."""
        try:
            yield
        except Exception as error:
            reason = type(error).__name__
            log.error("tool.part_dropped", tool=invocation.tool.name, part=part, reason=reason)

    def _failed(self, invocation: Invocation, reason: str, outcome: Outcome) -> Outcome:
        self._settle(invocation, ToolFailed(invocation_id=invocation.id, reason=reason))
        return outcome

    def _settle(self, invocation: Invocation, end: Entry) -> None:
        """Journal the end of *invocation*, unless another try with its key has already done so."""
        if not invocation.settled:
            self._journal.write(end)
            invocation.settled = True

    def _ended_late(
        self, invocation: Invocation, retry: Retry, task: "asyncio.Task[object]"
    ) -> None:
        if not task.cancelled():
            outcome = self._judge(invocation, retry, task.result())
            if outcome is not None:
                self._late(invocation, outcome)


async def _result(retry: Retry) -> object:
    """What the tool returned or raised; a tool may also raise a cancellation that is not ours."""
    try:
        return await retry.run()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if is_cancelled(error):
            raise
        # An exit, too: it is the tool's, not the call's.
        return error


def _valid(value: object) -> object:
    """*value* with all its texts made valid."""
    match value:
        case str():
            return _valid_text(value)
        case dict():
            return {_valid(name): _valid(one) for name, one in value.items()}
        case list() | tuple():
            return [_valid(one) for one in value]
        case _:
            return value


def _valid_text(text: str) -> str:
    """*text* without what is no Unicode and could be neither stored nor sent."""
    return text.encode(errors="replace").decode()
