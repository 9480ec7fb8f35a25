"""Real processes for tests: the SFU or the whole stack, on free ports, in its own folder."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from call_record import keys
from call_record.database import Database
from call_record.record import Record
from devstack.parent_death import die_with_parent
from devstack.services import SERVICES
from service_base.sfu import SfuKey, read_sfu_key

ROOT = Path(__file__).parents[2]
PORTS = range(20000, 32000)
"""Below the range from which the system takes ports for outgoing connections."""
START_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30


def free_ports(count: int) -> list[int]:
    """Different ports that are free for TCP and UDP on 127.0.0.1 at this moment."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            return found
        if _free(port, socket.SOCK_STREAM) and _free(port, socket.SOCK_DGRAM):
            found.append(port)
    raise RuntimeError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


def _free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            # The SFU listens for media over TCP on every address.
            probe.bind(("", port))
        except OSError:
            return False
    return True


async def until(true: Callable[[], bool]) -> None:
    """Wait until *true*, for 15 s at most."""
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@dataclass
class LocalStack:
    """A stack's addresses, its folder and, while it runs, its process."""

    folder: Path
    """Holds `.env` (if the test writes one) and the run folder."""
    variables: dict[str, str]
    """The stack's settings; a test may change them before `start`."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def on_free_ports(cls, folder: Path) -> "LocalStack":
        """Settings for a stack in *folder* beside whatever else runs on this machine."""
        names = [
            "sfu",
            "sfu_tcp",
            "sfu_udp",
            "token",
            "worker",
            "speech",
            "storefront",
            "clinic",
            "supervisor",
            "post_call",
        ]
        variables = {
            f"PARLEY_{name}_PORT".upper(): str(port)
            for name, port in zip(names, free_ports(len(names)), strict=True)
        }
        webhook = f"http://127.0.0.1:{variables['PARLEY_SUPERVISOR_PORT']}/webhook"
        variables["PARLEY_SFU_WEBHOOK_URL"] = webhook
        variables["PARLEY_RUN_DIR"] = str(folder / "run")
        variables["PARLEY_WEB_DIR"] = str(ROOT / "web" / "dist")
        if chosen := os.environ.get("PARLEY_SFU_BINARY"):
            variables["PARLEY_SFU_BINARY"] = chosen
        return cls(folder, variables)

    def port(self, name: str) -> int:
        """The port of a service by its name in the Procfile, or of a setting: `sfu_tcp`."""
        setting = next((one.port for one in SERVICES if one.name == name), f"{name}_port")
        return int(self.variables[f"PARLEY_{setting}".upper()])

    def url(self, name: str) -> str:
        """The HTTP address of what `port` knows."""
        return f"http://127.0.0.1:{self.port(name)}"

    @property
    def page_url(self) -> str:
        """Where a browser opens the page."""
        return self.url("token-service")

    @property
    def sfu_url(self) -> str:
        """Where clients and workers connect."""
        return f"ws://127.0.0.1:{self.port('sfu')}"

    @property
    def run_dir(self) -> Path:
        """Keys, logs and databases."""
        return Path(self.variables["PARLEY_RUN_DIR"])

    @property
    def keys_file(self) -> Path:
        """The SFU's keys."""
        return self.run_dir / "sfu-keys.yaml"

    @property
    def key(self) -> SfuKey:
        """The SFU's key; it exists once the SFU has started."""
        return read_sfu_key(self.keys_file)

    @property
    def output(self) -> str:
        """What the stack printed so far."""
        return (self.folder / "output").read_text(errors="replace")

    @asynccontextmanager
    async def record(self) -> AsyncIterator[Record]:
        """The record of calls that the stack writes."""
        url = f"sqlite+aiosqlite:///{self.run_dir}/parley.db"
        opened = Record(Database(url), keys.read(self.run_dir / "journal-keys.yaml"))
        try:
            yield opened
        finally:
            await opened.close()

    def log(self, name: str) -> str:
        """What the process of that name in the Procfile logged so far; not started: nothing."""
        file = self.run_dir / "logs" / f"{name}.log"
        return file.read_text(errors="replace") if file.is_file() else ""

    @property
    def environment(self) -> dict[str, str]:
        """This environment without the developer's own settings, with the stack's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}
        return {**kept, **self.variables, "PYTHONPATH": str(ROOT)}

    def start(self, module: str = "devstack") -> "subprocess.Popen[bytes]":
        """Start `python -m module` in the folder; it ends with this test run at the latest."""
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        return self.process

    def wait_ready(self, ready_url: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait for 200 from *ready_url*; RuntimeError with the output when it does not come."""
        assert self.process is not None
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(ready_url, trust_env=False, timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"not ready: {ready_url}\n{self.output}")

    def wait_welcome(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the stack says that all of it is ready."""
        assert self.process is not None
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.process.poll() is None:
            if f"Open {self.page_url}" in self.output:
                return
            time.sleep(0.05)
        raise RuntimeError(f"the stack is not ready:\n{self.output}")

    def stop(self, signals: Sequence[signal.Signals] = (signal.SIGTERM,)) -> int:
        """Send *signals* and wait. Returns: the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            for signum in signals:
                self.process.send_signal(signum)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        finally:
            self.process.kill()
            self.process.wait()


@contextmanager
def running_stack(folder: Path, **settings: str) -> Iterator[LocalStack]:
    """The whole stack, ready; *settings* are variables such as `PARLEY_STT_BASE_URL`."""
    stack = LocalStack.on_free_ports(folder)
    stack.variables.update(settings)
    stack.start()
    try:
        stack.wait_welcome()
        yield stack
    finally:
        stack.stop()


@contextmanager
def running_sfu(folder: Path) -> Iterator[LocalStack]:
    """The SFU alone, ready. SIGTERM would have it wait for its participants: it is killed."""
    stack = LocalStack.on_free_ports(folder)
    stack.start("devstack.sfu")
    try:
        stack.wait_ready(stack.url("sfu"))
        yield stack
    finally:
        stack.stop([signal.SIGKILL])
