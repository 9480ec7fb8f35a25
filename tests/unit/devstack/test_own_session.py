"""The launcher for a process whose children must not be signalled."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.local_stack import ROOT

WORKER = """
import os, signal, subprocess, sys, time
def drain(*_):
    print("draining", flush=True)
    time.sleep(0.5)
    print("call alive" if call.poll() is None else "call lost", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, drain)
call = subprocess.Popen([sys.executable, "-c", '''
import signal, sys, time
def heard(*_):
    print("call signalled", flush=True)
signal.signal(signal.SIGTERM, heard)
print("call up", flush=True)
time.sleep(0.1)
time.sleep(300)
'''])
while True:
    time.sleep(1)
"""


def start(code: str) -> "subprocess.Popen[str]":
    """Start *code* under the launcher, in a group of its own as a process manager does."""
    return subprocess.Popen(
        [sys.executable, "-m", "devstack.own_session", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_alone_signal_to_its_group_reaches_only_the_command(signum: signal.Signals) -> None:
    """The command drains while its child, the call, hears nothing; then no one is left."""
    with start(WORKER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "call up\n"
        os.killpg(process.pid, signum)
        # The end of the output proves that the child is gone too: it holds the same pipe.
        rest = process.stdout.read()
    assert rest.splitlines() == ["draining", "call alive"]
    assert process.returncode == 7


def test_alone_command_that_is_missing_fails() -> None:
    """A wrong command is not a success."""
    done = subprocess.run(
        [sys.executable, "-m", "devstack.own_session", "/nowhere/at/all"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode != 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's end")
def test_alone_killed_outright_takes_the_command_along() -> None:
    """A process manager's SIGKILL does not leave the command running."""
    with start("import os, time\nprint(os.getpid())\ntime.sleep(300)") as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
        process.stdout.read()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
