"""
Doubts: writes of which nobody knows whether they are done.

A doubt is settled before the same effect can begin again. Where the backend honours idempotency
keys, the write is sent again with its key, in the background and as long as the call lasts, until
an answer tells what became of it. Where it does not, the doubt stays. What is open when the call
ends becomes a ticket after the call.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from agent_worker.tools.invocations import Invocation, Outcome
from service_base.tasks import TaskSet

log = structlog.get_logger()

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


def _future() -> "asyncio.Future[Outcome]":
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False)
class Doubt:
    """A write that may have been done."""

    invocation: Invocation
    settled: "asyncio.Future[Outcome]" = field(default_factory=_future)
    """What became of it, once that is known."""
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to send again now: somebody waits for the answer."""

    @property
    def is_open(self) -> bool:
        """Whether it is still not known."""
        return not self.settled.done()

    def means(self, invocation: Invocation) -> bool:
        """Whether *invocation* would do the same, or was proposed as the same."""
        ours = self.invocation
        return ours is not invocation and (
            ours.digest == invocation.digest or ours.effect_digest == invocation.effect_digest
        )


class Doubts:
    """
    The doubts of one call.

    Args:
        send_again: Sends a write once more with its key; returns what became of it, if it is known.
        closing: Set when the call is over.
        found_out: Told at once of each that is settled: no wish may come before it.
    """

    def __init__(
        self,
        send_again: Callable[[Invocation], Awaitable[Outcome | None]],
        closing: asyncio.Event,
        found_out: Callable[[Invocation, Outcome], None],
    ) -> None:
        self._send_again = send_again
        self._closing = closing
        self._found_out = found_out
        self._doubts: dict[str, Doubt] = {}
        self._barred: set[str] = set()
        self._tasks = TaskSet(isolated=True)

    def open(self, invocation: Invocation, *, pause_s: float = FIRST_PAUSE_S) -> Doubt:
        """
        The doubt about *invocation*, which is looked into from now on.

        Args: pause_s: How long to wait before it is sent again.
        """
        doubt = self._doubts.get(invocation.id)
        if doubt is None:
            doubt = self._doubts[invocation.id] = Doubt(invocation)
            if invocation.can_be_sent_again:
                self._tasks.start(self._look_into(doubt, pause_s), name="doubt")
        return doubt

    def bar(self, tool: str) -> None:
        """That tool may have done something that this version of the agent cannot tell apart."""
        self._barred.add(tool)

    def bars(self, tool: str) -> bool:
        """Whether nothing of that tool may begin in this call."""
        return tool in self._barred

    def settle(self, invocation: Invocation, outcome: Outcome) -> None:
        """It is known now what became of *invocation*."""
        doubt = self._doubts.get(invocation.id)
        if doubt is not None and doubt.is_open:
            doubt.settled.set_result(outcome)
            self._found_out(invocation, outcome)

    def find(self, invocation: Invocation) -> Doubt | None:
        """
        The doubt about the effect that *invocation* would have.

        One that was settled counts until the caller has heard what became of it.
        """
        for doubt in list(self._doubts.values()):
            if not doubt.is_open and (doubt.invocation.told or not _went_through(doubt)):
                del self._doubts[doubt.invocation.id]
        found = [one for one in self._doubts.values() if one.means(invocation)]
        return min(found, key=lambda one: not one.is_open, default=None)

    def unheard(self, invocation: Invocation) -> Invocation | None:
        """The one with the same effect that went through, if the caller does not know yet."""
        doubt = self.find(invocation)
        return None if doubt is None or doubt.is_open else doubt.invocation

    async def wait(self, doubt: Doubt, timeout_s: float) -> Outcome | None:
        """Send again now and wait for an answer. Returns: None: it is still not known."""
        doubt.wanted.set()
        # Nothing would come where it cannot be sent again.
        if doubt.is_open and doubt.invocation.can_be_sent_again:
            await asyncio.wait({doubt.settled}, timeout=timeout_s)
        return None if doubt.is_open else doubt.settled.result()

    async def aclose(self) -> None:
        """Send nothing again from now on. What is under way goes on in its own task."""
        await self._tasks.cancel()

    async def _look_into(self, doubt: Doubt, pause_s: float) -> None:
        invocation = doubt.invocation
        while doubt.is_open and not self._closing.is_set():
            if pause_s:
                # Many calls wait for the same backend: not all at the same moment.
                await self._pause(doubt, pause_s * random.uniform(0.8, 1.2))  # noqa: S311
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2 or FIRST_PAUSE_S)
            if not doubt.is_open:
                return
            try:
                outcome = await self._send_again(invocation)
            except Exception as error:
                log.error("doubt.failed", tool=invocation.tool.name, error=type(error).__name__)
                continue
            log.info("tool.sent_again", tool=invocation.tool.name, settled=outcome is not None)
            if outcome is not None:
                self.settle(invocation, outcome)

    async def _pause(self, doubt: Doubt, pause_s: float) -> None:
        closing = asyncio.ensure_future(self._closing.wait())
        wanted = asyncio.ensure_future(doubt.wanted.wait())
        try:
            any_of: set[asyncio.Future[Any]] = {closing, wanted, doubt.settled}
            await asyncio.wait(any_of, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            wanted.cancel()
            doubt.wanted.clear()


def _went_through(doubt: Doubt) -> bool:
    return doubt.settled.result().kind == "done"
