"""The runner runs real programs: ready, stopped, failing, stubborn."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devstack.process import Program
from devstack.runner import Runner
from tests.support.local_stack import ROOT, free_ports, until

SERVER = """
import http.server, signal, subprocess, sys
status = int(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"loading the model")
    def log_message(self, *_): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(300)
"""
PARENT = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "300"])
print(child.pid, flush=True)
time.sleep(300)
"""


def python(code: str, *arguments: object) -> str:
    """A Procfile line that runs *code*."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return f"exec {shlex.join(words)}"


def serving(name: str, status: int = 200) -> Program:
    """A program that answers with *status*."""
    port = free_ports(1)[0]
    return Program(
        name, f"{name} service", python(SERVER, port, status), f"http://127.0.0.1:{port}"
    )


class Run:
    """A runner running in this process, and what it said."""

    def __init__(
        self, folder: Path, *programs: Program, show_logs: bool = False, stop_grace_s: float = 1
    ) -> None:
        self.said: list[str] = []
        self.folder = folder
        runner = Runner(
            programs,
            log_dir=folder,
            environment=os.environ,
            ready_timeout_s=10,
            stop_grace_s=stop_grace_s,
            say=self.said.append,
            show_logs=show_logs,
        )
        self.task = asyncio.create_task(runner.run(["welcome"]))

    async def until_said(self, text: str) -> None:
        """Wait until a line with *text* was said."""
        await until(lambda: text in self.text)

    async def until_logged(self, name: str, text: str) -> None:
        """Wait until the log of *name* has *text*."""
        await until(lambda: text in self.log(name))

    @property
    def text(self) -> str:
        """All that was said."""
        return "\n".join(self.said)

    def log(self, name: str) -> str:
        """The log of *name* so far."""
        log = self.folder / f"{name}.log"
        return log.read_text() if log.exists() else ""


def alive(pid: int) -> bool:
    """Whether a process of that id lives (a dead one not yet reaped does not)."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def parent_of(pid: int) -> int:
    """The process that started *pid*."""
    return int(Path(f"/proc/{pid}/status").read_text().split("PPid:\t")[1].split()[0])


async def test_supervisor_when_all_are_ready_says_so_and_stops_on_sigterm(tmp_path: Path) -> None:
    """Each program has a line when it starts and one when it is ready; a stop is no failure."""
    run = Run(tmp_path, serving("one"), serving("two"))
    await run.until_said("welcome")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.task == 0
    assert run.text.count("service  starting") == 2
    assert run.text.count("service  ready after ") == 2
    assert run.said[-1] == "All stopped."


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_supervisor_on_each_stop_signal_leaves_nothing(
    tmp_path: Path, signum: signal.Signals
) -> None:
    """What a program itself started is gone too."""
    run = Run(tmp_path, Program("parent", "parent", python(PARENT)))
    await run.until_logged("parent", "\n")
    grandchild = int(run.log("parent"))
    assert alive(grandchild)
    os.kill(os.getpid(), signum)
    assert await run.task == 0
    assert not alive(grandchild)


async def test_supervisor_when_one_ends_at_start_names_it_and_stops_all(tmp_path: Path) -> None:
    """The person sees which one failed and what it last said."""
    broken = Program("bad", "bad service", python("print('no such model'); raise SystemExit(3)"))
    run = Run(tmp_path, serving("slow", status=503), broken)
    assert await run.task == 1
    assert "The bad service ended with exit code 3." in run.said[-1]
    assert "no such model" in run.said[-1]
    assert "welcome" not in run.said


async def test_supervisor_when_one_dies_later_names_it_and_stops_all(tmp_path: Path) -> None:
    """A process that dies after the start ends the stack with a failure."""
    victim = serving("victim")
    run = Run(tmp_path, serving("other"), victim, Program("pid", "pid", python(PARENT)))
    await run.until_said("welcome")
    await run.until_logged("pid", "\n")
    sleeper = int(run.log("pid"))
    os.kill(parent_of(sleeper), signal.SIGKILL)
    assert await run.task == 1
    assert "The pid ended by SIGKILL." in run.said[-1]
    assert not alive(sleeper)


async def test_supervisor_when_one_is_never_ready_says_its_last_answer(tmp_path: Path) -> None:
    """The wait is bounded and its end tells what the process answered."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 17\r\n\r\nloading the model")
        writer.close()

    said: list[str] = []
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        runner = Runner(
            [Program("slow", "slow service", "exec sleep 300", f"http://127.0.0.1:{port}")],
            log_dir=tmp_path,
            environment=os.environ,
            ready_timeout_s=0.5,
            stop_grace_s=1,
            say=said.append,
        )
        assert await runner.run([]) == 1
    assert "not ready after 0.5 s; its last answer was 503 loading the model" in said[-1]


async def test_supervisor_program_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """The stop is bounded and says whom it had to kill."""
    run = Run(tmp_path, Program("deaf", "deaf service", python(STUBBORN)))
    await run.until_logged("deaf", "deaf")
    started = time.monotonic()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.task == 0
    assert 1 <= time.monotonic() - started < 10
    assert "deaf service  killed: it did not stop in 1 s" in run.text


LAST_WORDS = """
import pathlib, signal, sys, time
def stop(*_):
    time.sleep(float(sys.argv[2]))
    with open(sys.argv[1], "a") as order:
        order.write(sys.argv[3])
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
while True:
    time.sleep(0.01)
"""
TWICE = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
print("up", flush=True)
while True:
    time.sleep(0.01)
"""


async def test_supervisor_stops_in_rounds(tmp_path: Path) -> None:
    """Who needs others ends before them, however long it takes and wherever its line stands."""
    order = tmp_path / "order"
    run = Run(
        tmp_path,
        Program("c", "c", python(LAST_WORDS, order, 0, "c"), stop_round=2),
        Program("b", "b", python(LAST_WORDS, order, 0, "b"), stop_round=1),
        Program("a", "a", python(LAST_WORDS, order, 0.3, "a"), stop_round=0),
    )
    for name in "abc":
        await run.until_logged(name, "up")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.task == 0
    assert order.read_text() == "abc"


async def test_supervisor_hurries_a_program_that_takes_the_second_sigterm(tmp_path: Path) -> None:
    """As the SFU does, which waits for its participants after the first."""
    run = Run(tmp_path, Program("sfu", "SFU", python(TWICE), hurry_s=0.2))
    await run.until_logged("sfu", "up")
    started = time.monotonic()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.task == 0
    assert time.monotonic() - started >= 0.2
    assert "killed" not in run.text


async def test_supervisor_second_ctrl_c_kills_at_once(tmp_path: Path) -> None:
    """Nobody has to wait for a process that does not want to stop."""
    run = Run(tmp_path, Program("deaf", "deaf service", python(STUBBORN)), stop_grace_s=30)
    await run.until_logged("deaf", "deaf")
    started = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
    await run.until_said("Stopping")
    os.kill(os.getpid(), signal.SIGINT)
    assert await run.task == 0
    assert time.monotonic() - started < 10


async def test_supervisor_with_logs_shown_prefixes_each_line(tmp_path: Path) -> None:
    """One reads who said what."""
    run = Run(tmp_path, serving("one"), serving("second"), show_logs=True)
    await run.until_said("one    | serving")
    await run.until_said("second | serving")
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run.task == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's end")
def test_supervisor_killed_outright_takes_its_programs_along(tmp_path: Path) -> None:
    """SIGKILL to the runner leaves no program behind."""
    driver = f"""
import asyncio, os, pathlib
from devstack.process import Program
from devstack.runner import Runner
asyncio.run(Runner(
    [Program("child", "child", "exec sleep 300")], log_dir=pathlib.Path({str(tmp_path)!r}),
    environment=os.environ, ready_timeout_s=5, stop_grace_s=1,
    say=lambda line: print(line, flush=True),
).run(["welcome"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", driver],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "welcome" in line:
                break
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert children
        process.kill()
    deadline = time.monotonic() + 5
    while any(alive(int(pid)) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(int(pid)) for pid in children)
