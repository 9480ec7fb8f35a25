"""
Starts the stack, says when it is ready, and stops all of it.

Honcho parses the Procfile but does not run it: it signals process groups, has no readiness checks
and no order of stopping, ignores a second Ctrl-C, and leaves everything running when it is killed.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx2 as httpx

from devstack import logs
from devstack.process import NotReadyError, Process, Program, describe_exit
from devstack.step import tail

TERMINAL_LOOK_EVERY_S = 1.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Runner:
    """
    Runs programs together: when one ends, all are stopped.

    Args: log_dir: gets one `NAME.log` each, empty at the start.
        ready_timeout_s: how long each may take to be ready.
        stop_grace_s: how long each may take to stop before it is killed.
        say: takes each line for the person at the terminal.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        log_dir: Path,
        environment: Mapping[str, str],
        ready_timeout_s: float,
        stop_grace_s: float,
        say: Callable[[str], None],
        show_logs: bool = False,
    ) -> None:
        self._processes = [Process(p, log_dir / f"{p.name}.log") for p in programs]
        self._environment = environment
        self._ready_timeout_s = ready_timeout_s
        self._stop_grace_s = stop_grace_s
        self._say = say
        self._show_logs = show_logs
        self._width = max(len(p.label) for p in programs)
        self._stop = asyncio.Event()

    async def run(self, welcome: Sequence[str]) -> int:
        """
        Start all, say *welcome* once all are ready, and wait.

        Returns: 0 when asked to stop (SIGINT, SIGTERM, SIGHUP), 1 when a process failed.
        """
        loop = asyncio.get_running_loop()
        for signum in STOP_SIGNALS:
            loop.add_signal_handler(signum, self._stop_or_kill)
        show = self._say if self._show_logs else None
        watchers = [asyncio.create_task(logs.watch([p.log for p in self._processes], show))]
        if os.isatty(0):
            watchers.append(asyncio.create_task(self._stop_without_terminal()))
        ends: dict[asyncio.Task[int], Process] = {}
        try:
            failure = await self._until_stopped(ends, welcome)
        finally:
            await self._stop_all()
            for task in [*watchers, *ends]:
                task.cancel()
            await asyncio.gather(*watchers, *ends, return_exceptions=True)
            for signum in STOP_SIGNALS:
                loop.remove_signal_handler(signum)
        if failure:
            self._say(failure)
        return 1 if failure else 0

    async def _until_stopped(
        self, ends: dict[asyncio.Task[int], Process], welcome: Sequence[str]
    ) -> str | None:
        """Returns: None when asked to stop, else what failed."""
        for process in self._processes:
            self._line(process, "starting")
            await process.start(self._environment)
            ends[asyncio.create_task(process.exited())] = process
        stop = asyncio.create_task(self._stop.wait())
        all_ready = asyncio.create_task(self._all_ready())
        try:
            await asyncio.wait([stop, all_ready, *ends], return_when=asyncio.FIRST_COMPLETED)
            if not stop.done() and all_ready.done():
                late = all_ready.result()
                if late:
                    return late
                for line in welcome:
                    self._say(line)
                await asyncio.wait([stop, *ends], return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                return None
            for end, process in ends.items():
                if end.done():
                    return self._failed(process, describe_exit(end.result()))
            raise AssertionError("nothing ended")
        finally:
            for task in (stop, all_ready):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _all_ready(self) -> str | None:
        """Returns: None when all are ready, else which is not."""
        started = time.monotonic()

        async def wait_for(process: Process) -> None:
            await process.ready(client, self._ready_timeout_s)
            self._line(process, f"ready after {time.monotonic() - started:.1f} s")

        async with httpx.AsyncClient(trust_env=False) as client:
            waits = {asyncio.create_task(wait_for(p)): p for p in self._processes}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_EXCEPTION)
                for wait, process in waits.items():
                    error = wait.exception() if wait.done() else None
                    if isinstance(error, NotReadyError):
                        return self._failed(process, str(error))
                    if error is not None:
                        raise error
                return None
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    async def _stop_all(self) -> None:
        for stop_round in sorted({p.program.stop_round for p in self._processes}):
            group = [p for p in self._processes if p.program.stop_round == stop_round]
            stopped = await asyncio.gather(*(p.stop(self._stop_grace_s) for p in group))
            for process, by_itself in zip(group, stopped, strict=True):
                if not by_itself:
                    self._line(process, f"killed: it did not stop in {self._stop_grace_s:g} s")
        self._say("All stopped.")

    async def _stop_without_terminal(self) -> None:
        """SIGHUP may never come: make does not pass it on when a terminal runs it directly."""
        while os.isatty(0):  # noqa: ASYNC110
            await asyncio.sleep(TERMINAL_LOOK_EVERY_S)
        self._stop.set()

    def _stop_or_kill(self) -> None:
        if self._stop.is_set():
            self._say("Killing what is left.")
            for process in self._processes:
                process.kill()
            return
        self._say("\nStopping. Ctrl-C once more to kill.")
        self._stop.set()

    def _failed(self, process: Process, what: str) -> str:
        end = "".join(f"\n  | {line}" for line in tail(process.log)) or "\n  | (nothing)"
        return f"The {process.program.label} {what}. The end of {process.log}:{end}"

    def _line(self, process: Process, what: str) -> None:
        self._say(f"{process.program.label:<{self._width}}  {what}")
