"""One running process of the stack: started, found ready, stopped."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx2 as httpx

from devstack.parent_death import die_with_parent

PROBE_EVERY_S = 0.1
PROBE_TIMEOUT_S = 3.0
GONE_TRIES = 100
"""Tries, 10 ms apart, until killed processes are gone: no port may be held when we exit."""


@dataclass(frozen=True)
class Program:
    """A line of the Procfile and how to see that it is ready."""

    name: str
    label: str
    command: str
    ready_url: str | None = None
    """Answers 200 when ready; None: ready as soon as it is started."""
    stop_round: int = 1
    """Rounds of stopping follow one another: a process stops before those it depends on."""
    hurry_s: float | None = None
    """After how long it gets a second SIGTERM, which ends it immediately; None: never."""


class NotReadyError(Exception):
    """The process ended or was not ready in time. The message says what is known."""


class Process:
    """A program, its process and its log file."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self._child: asyncio.subprocess.Process | None = None

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches it through us alone."""
        with _empty(self.log) as output:
            self._child = await asyncio.create_subprocess_shell(
                self.program.command,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    @property
    def child(self) -> asyncio.subprocess.Process:
        """The operating system's process; only after `start`."""
        assert self._child is not None, "not started"
        return self._child

    async def exited(self) -> int:
        """Wait for its end. Returns: the exit code, negative for a signal."""
        return await self.child.wait()

    async def ready(self, client: httpx.AsyncClient, timeout_s: float) -> None:
        """
        Wait until it is ready.

        Raises: NotReadyError: it ended before, or *timeout_s* passed.
        """
        if self.program.ready_url is None:
            return
        deadline = time.monotonic() + timeout_s
        last = "it never answered"
        while time.monotonic() < deadline:
            if self.child.returncode is not None:
                raise NotReadyError(describe_exit(self.child.returncode))
            try:
                answer = await client.get(self.program.ready_url, timeout=PROBE_TIMEOUT_S)
            except httpx.HTTPError:
                pass
            else:
                if answer.status_code == httpx.codes.OK:
                    return
                last = f"its last answer was {answer.status_code} {answer.text[:300]}".rstrip()
            await asyncio.sleep(PROBE_EVERY_S)
        raise NotReadyError(f"not ready after {timeout_s:g} s; {last}")

    async def stop(self, grace_s: float) -> bool:
        """
        Send SIGTERM to that one process, and SIGKILL to its whole session after *grace_s*.

        Returns: whether it ended by itself.
        """
        if self._child is None:
            return True
        child = self._child
        hurry_s = self.program.hurry_s
        for wait_s in [grace_s] if hurry_s is None else [hurry_s, grace_s - hurry_s]:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), wait_s)
        by_itself = child.returncode is not None
        self.kill()
        await child.wait()
        for _ in range(GONE_TRIES):
            if not self._signal_session(0):
                break
            await asyncio.sleep(0.01)
        return by_itself

    def kill(self) -> None:
        """Send SIGKILL to it and to everything it started in its session."""
        if self._child is not None:
            self._signal_session(signal.SIGKILL)

    def _signal_session(self, signum: int) -> bool:
        """Returns: whether there was a process to signal."""
        try:
            os.killpg(self.child.pid, signum)
        except (ProcessLookupError, PermissionError):
            return False
        return True


def _empty(log: Path) -> BinaryIO:
    """Open *log*, empty, for appending, so that emptying it later leaves no hole in it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    return open(log, "ab")


def describe_exit(code: int) -> str:
    """An exit code in words; negative is a signal's number."""
    if code < 0:
        try:
            return f"ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"ended by signal {-code}"
    return f"ended with exit code {code}"
