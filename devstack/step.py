"""Runs one long step of the preparation: output to a file, progress and failure in words."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PROGRESS_EVERY_S = 20.0
TAIL_LINES = 12


class StepError(Exception):
    """A step of the preparation failed. The message says which, and the remedy."""


def exit_code(work: Callable[[], None]) -> int:
    """
    Do *work* as a command does: a failed step is said on stderr, Ctrl-C is no traceback.

    Returns: 0 when it is done, 1 when a step failed, 130 after Ctrl-C.
    """
    try:
        work()
    except StepError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(
    what: str,
    command: Sequence[str],
    *,
    log: Path,
    remedy: str,
    timeout_s: float,
    folder: Path = Path(),
    variables: Mapping[str, str] | None = None,
) -> None:
    """
    Run *command* in *folder* with its output in *log*.

    Args: what: the step in words, printed when it starts.
        remedy: one sentence for when it fails.
        variables: added to the environment.
    Raises: StepError: it failed or took longer than *timeout_s*; the message ends with the
        last lines of the log.
    """
    print(f"{what} ...", flush=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with open(log, "wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            env={**os.environ, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code = _wait(process, started, timeout_s)
        finally:
            process.kill()
            process.wait()
    took_s = time.monotonic() - started
    if code is None:
        raise StepError(f"{what}: not done after {took_s:.0f} s.{_tail(log)}\n{remedy}")
    if code:
        raise StepError(f"{what}: failed.{_tail(log)}\n{remedy} All of its output is in {log}.")
    print(f"  done after {took_s:.0f} s", flush=True)


def _wait(process: subprocess.Popen[bytes], started: float, timeout_s: float) -> int | None:
    while True:
        try:
            return process.wait(PROGRESS_EVERY_S)
        except subprocess.TimeoutExpired:
            waited_s = time.monotonic() - started
            if waited_s > timeout_s:
                return None
            print(f"  {waited_s:.0f} s", flush=True)


def tail(log: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last *lines* of a text file, each cut to 400 characters; none when it is missing."""
    try:
        with open(log, "rb") as opened:
            opened.seek(max(0, os.fstat(opened.fileno()).st_size - 64 * 1024))
            text = opened.read().decode(errors="replace")
    except OSError:
        return []
    return [line[:400] for line in text.splitlines() if line.strip()][-lines:]


def _tail(log: Path) -> str:
    return "".join(f"\n  | {line}" for line in tail(log))
