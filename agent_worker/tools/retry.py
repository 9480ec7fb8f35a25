"""
Runs a tool behind its backend's circuit breaker and concurrency limit.

Retries only when a retry is safe: for tools that read, and for writes that are idempotent.
"""

from collections.abc import Awaitable, Callable

import stamina
import stamina.instrumentation

from agent_worker.tools.backends import Backend
from agent_worker.tools.tool import BackendUnavailable, Tool, ToolRefused

TRIES = 3
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0

# stamina's own hooks would log the error's text, which may hold anything.
stamina.instrumentation.set_on_retry_hooks([])


class BreakerOpen(BackendUnavailable):
    """The backend's circuit breaker is open: it has failed too often just now."""


class NotBegun(BackendUnavailable):
    """A write may no longer begin: the lease is lost, or the call is over."""


class Retry:
    """
    One run of *tool* with all its tries.

    Args:
        once: Makes a single try.
        may_begin: Whether a try may begin now, given whether an earlier one may have acted.
        doubtful: Whether an earlier run with the same key may have acted.
    """

    def __init__(
        self,
        tool: Tool,
        once: Callable[[], Awaitable[object]],
        backend: Backend,
        may_begin: Callable[[bool], bool],
        *,
        doubtful: bool = False,
    ) -> None:
        self._tool = tool
        self._run_once = once
        self._backend = backend
        self._may_begin = may_begin
        self._inside = False
        self._given_up = False
        self.doubtful = doubtful
        """Whether a try failed in a way that leaves unknown what it did."""

    @property
    def is_inside(self) -> bool:
        """Whether a try is at its backend now. If not, the run can be cancelled."""
        return self._inside

    def give_up(self) -> None:
        """The run took too long: count that as a failure of the backend."""
        if self._inside:
            self._given_up = True
            self._backend.breaker.failed()

    async def run(self) -> object:
        """
        Try until it works: once, or up to three times when a retry is safe.

        Returns: what the tool returned.
        Raises: ToolRefused, BackendUnavailable, or whatever else the tool raises.
        """
        async for one_try in stamina.retry_context(
            on=self._again,
            attempts=TRIES if self._tool.guards.repeatable else 1,
            timeout=self._tool.guards.timeout_s,
            wait_initial=FIRST_PAUSE_S,
            wait_max=LONGEST_PAUSE_S,
            wait_jitter=FIRST_PAUSE_S,
        ):
            with one_try:
                return await self._once()
        raise AssertionError("stamina raises the last error")

    def _again(self, error: BaseException) -> bool | float:
        """Whether to try again, or after how many seconds."""
        # stamina asks about a cancellation too.
        if not isinstance(error, Exception) or isinstance(
            error, BreakerOpen | NotBegun | ToolRefused
        ):
            return False
        if isinstance(error, BackendUnavailable):
            pause_s = error.retry_after_s
            return True if pause_s is None else pause_s < self._tool.guards.timeout_s and pause_s
        # Whatever became of a write, its key makes it safe to send again, and only that tells.
        return self._tool.guards.idempotent or isinstance(error, TimeoutError)

    async def _once(self) -> object:
        breaker = self._backend.breaker
        if not breaker.enter():
            raise BreakerOpen
        try:
            async with self._backend.permits:
                if self._tool.ready is not None:
                    await self._tool.ready()
                # Not before: the wait for all this may be longer than the lease is good for.
                if not self._may_begin(self.doubtful):
                    raise NotBegun
                self._inside = True
                answer = await self._run_once()
        except ToolRefused:
            self._tell(breaker.succeeded)
            raise
        except NotBegun:
            self._tell(breaker.cancelled)
            raise
        except Exception as error:
            self._tell(breaker.failed)
            self.doubtful = self.doubtful or not isinstance(error, BackendUnavailable)
            raise
        except BaseException:
            self._tell(breaker.cancelled)
            raise
        finally:
            self._inside = False
        self._tell(breaker.succeeded)
        return answer

    def _tell(self, verdict: Callable[[], None]) -> None:
        """Report to the breaker, unless `give_up` has already reported this try."""
        if not self._given_up:
            verdict()
        self._given_up = False
