"""A private Redis for tests: Debian's, installed with apt if this user is root."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import apt
from devstack.parent_death import die_with_parent
from devstack.step import StepError

START_TIMEOUT_S = 20
NOTHING_KEPT = ("--save", "", "--appendonly", "no")


def get() -> None:
    """
    Install Redis's server if there is none.

    Raises: StepError: it is missing and this user cannot install it, or apt failed.
    """
    if shutil.which("redis-server") is None:
        apt.install(
            "redis-server",
            needed_by="The rate limit tests",
            name="Redis's server",
            log=Path(".cache/redis.log"),
        )


@contextmanager
def running(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """
    A server of its own on that port of 127.0.0.1, which keeps nothing.

    Yields: its process, to be stopped and killed. Raises: StepError: it does not start.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise StepError("Redis's server is missing.")
    address = ("--bind", "127.0.0.1", "--port", str(port))
    with tempfile.TemporaryDirectory(prefix="parley-redis-") as folder:
        process = subprocess.Popen(  # noqa: S603
            [program, *address, "--dir", folder, *NOTHING_KEPT],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
        try:
            _wait_ready(process)
            yield process
        finally:
            process.kill()
            process.communicate()


def _wait_ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    deadline = time.monotonic() + START_TIMEOUT_S
    said = b""
    while line := process.stdout.readline():
        said += line
        if b"Ready to accept connections" in line:
            return
        if time.monotonic() > deadline:
            break
    raise StepError(f"Redis does not start: {said.decode(errors='replace')}")
