"""Running a tool: through its backend's breaker and places, again where that does no harm."""

import asyncio
from collections.abc import Awaitable, Callable

import stamina
import stamina.instrumentation

from agent_worker.tools.backends import Backend
from agent_worker.tools.tool import Answer, BackendUnavailable, Tool, ToolRefused

TRIES = 3
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

# Its hooks would log the error's text, which may hold anything.
stamina.instrumentation.set_on_retry_hooks([])


class BreakerOpen(BackendUnavailable):
    """The backend failed too often just now."""


class Retry:
    """One run of *tool*, all its tries; *call* does one."""

    def __init__(self, tool: Tool, call: Callable[[], Awaitable[Answer]], backend: Backend) -> None:
        self._tool = tool
        self._call = call
        self._backend = backend
        self._inside = False
        self._given_up = False
        self.doubtful = False
        """Whether some try ended so that nobody knows what it did."""

    @property
    def may_have_acted(self) -> bool:
        """Whether something may have been done by now. If not, it can be given up."""
        return self._inside or self.doubtful

    def give_up(self) -> None:
        """Nobody waits any longer, because it took too long: that counts against the backend."""
        if self._inside:
            self._given_up = True
            self._backend.breaker.failed()

    async def run(self) -> Answer:
        """
        Try until it works, for three times at most and only where a repetition does no harm.

        Raises: ToolRefused, BackendUnavailable; whatever else the tool raises.
        """
        async for attempt in stamina.retry_context(
            on=self._again,
            attempts=TRIES if self._tool.guards.repeatable else 1,
            timeout=self._tool.guards.timeout_s,
            wait_initial=FIRST_PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=FIRST_PAUSE_S,
        ):
            with attempt:
                return await self._once()
        raise AssertionError("stamina raises the last error")

    def _again(self, error: Exception) -> bool | float:
        """Whether to try again, or after how many seconds."""
        if isinstance(error, BreakerOpen):
            return False
        if isinstance(error, BackendUnavailable):
            pause_s = error.retry_after_s
            return True if pause_s is None else pause_s < self._tool.guards.timeout_s and pause_s
        return isinstance(error, TimeoutError)

    async def _once(self) -> Answer:
        breaker = self._backend.breaker
        if not breaker.enter():
            raise BreakerOpen
        try:
            async with self._backend.permits:
                self._inside = True
                answer = await self._call()
            if not isinstance(answer, Answer):
                raise TypeError(f"{self._tool.name} returned no Answer")
        except ToolRefused:
            self._tell(breaker.succeeded)
            raise
        except asyncio.CancelledError:
            self._tell(breaker.cancelled)
            raise
        except Exception as error:
            self._tell(breaker.failed)
            self.doubtful = self.doubtful or not isinstance(error, BackendUnavailable)
            raise
        finally:
            self._inside = False
        self._tell(breaker.succeeded)
        return answer

    def _tell(self, verdict: Callable[[], None]) -> None:
        """To the breaker, once: a try that was given up has been told already."""
        if not self._given_up:
            verdict()
        self._given_up = False
