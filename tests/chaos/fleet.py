"""The services of a stack as processes that a test kills, stops and starts one by one."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
from sqlalchemy.engine import make_url

from call_record import keys, users
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from devstack.parent_death import die_with_parent
from tests.chaos.relay import Relay, Relays
from tests.support.local_stack import LocalStack, free_ports

START_TIMEOUT_S = 60.0


@dataclass
class Service:
    """A process and all that it starts, in a session of its own."""

    name: str
    module: str
    environment: Mapping[str, str]
    ready_url: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    prefix: Sequence[str] = ()
    """What runs it, such as `ip netns exec NAME`."""

    def start(self) -> None:
        """Start it, from the main thread: it ends with the thread that started it."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", self.module],
                env=self.environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def wait_ready(self) -> None:
        """Wait until it can do its work."""
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if httpx.get(self.ready_url, trust_env=False, timeout=3).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} is not ready\n{self.text[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to all of it together."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """A signal to all of it."""
        assert self.process is not None
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    @property
    def text(self) -> str:
        """Its log."""
        return self.log.read_text(errors="replace")

    def events(self, name: str, **fields: object) -> list[dict[str, object]]:
        """The events of that name in its log that have these fields."""
        found = []
        for line in self.text.splitlines():
            if f'"{name}"' in line and line.startswith("{"):
                event: dict[str, object] = json.loads(line)
                if event.get("event") == name and fields.items() <= event.items():
                    found.append(event)
        return found

    def job_pids(self) -> list[int]:
        """Its processes that are in a call: they talk to the SFU, idle ones do not."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [
            child.pid
            for child in parent.children(recursive=True)
            if any(connection.type.name == "SOCK_DGRAM" for connection in _sockets(child))
        ]


def _sockets(process: psutil.Process) -> list[Any]:
    try:
        return process.net_connections("inet")
    except psutil.Error:
        return []


class Fleet:
    """
    A stack with two workers, `a` and `b`, each of whose parts can be broken, and a PostgreSQL that
    each worker reaches by a line of its own.

    Args: database_url: of an empty PostgreSQL database. settings: variables for all processes.
    """

    def __init__(self, folder: Path, database_url: str, settings: Mapping[str, str]) -> None:
        self.relays = Relays()
        self.database_url = make_url(database_url)
        port = self.database_url.port
        assert port is not None
        self.record_line = self.relays.to(port)
        """Of the token service and the supervisor to the record."""
        self.record_lines = [self.relays.to(port), self.relays.to(port)]
        """Of the workers `a` and `b` to the record."""
        self.stack = LocalStack.on_free_ports(folder)
        self.stack.run_dir.mkdir(parents=True, exist_ok=True)
        run_dir = self.stack.run_dir
        self.shop_line = self.relays.to(self.stack.port("storefront"))
        """Of the workers to the shop."""
        self.environment = {
            **self.stack.environment,
            "PARLEY_SFU_URL": self.stack.sfu_url,
            "PARLEY_SFU_KEYS_FILE": str(run_dir / "sfu-keys.yaml"),
            "PARLEY_JOURNAL_KEYS_FILE": str(run_dir / "journal-keys.yaml"),
            "PARLEY_STOREFRONT_DATABASE_URL": f"sqlite+aiosqlite:///{run_dir}/storefront.db",
            "PARLEY_STT_BASE_URL": self.stack.url("speech-server") + "/v1",
            "PARLEY_TTS_BASE_URL": self.stack.url("speech-server") + "/v1",
            "PARLEY_STOREFRONT_URL": f"http://127.0.0.1:{self.shop_line.port}",
            "PARLEY_STOREFRONT_DEMO_CUSTOMER": "true",
            "PARLEY_WORKER_CAPACITY": "4",
            "PARLEY_WORKER_DRAIN_S": "1",
            "PARLEY_NO_AGENT_S": "20",
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        self.sfu = self._service("sfu", "devstack.sfu", "/")
        self.storefront = self._service("storefront", "examples.storefront.backend")
        self.speech = self._service("speech", "speech_server")
        self.token = self._service(
            "token", "token_service", variables=self._record("token_service", self.record_line)
        )
        self.supervisor = self._service(
            "supervisor",
            "call_supervisor",
            variables=self._record("call_supervisor", self.record_line),
        )
        self.a = self.worker("worker-a", self.stack.port("worker"), self.record_lines[0])
        self.b = self.worker("worker-b", free_ports(1)[0], self.record_lines[1])
        self.services = [
            self.sfu,
            self.storefront,
            self.speech,
            self.token,
            self.supervisor,
            self.a,
            self.b,
        ]

    def worker(self, name: str, port: int, line: Relay) -> Service:
        """A worker on that port that reaches the record by that line."""
        variables = {**self._record("agent_worker", line), "PARLEY_WORKER_PORT": str(port)}
        return self._service("worker", "agent_worker", name=name, variables=variables)

    def post_call(self) -> Service:
        """The post-call service; it has a database of its own."""
        own = self.database_url.set(username="post_call", database="post_call")
        variables = {
            **self._record("post_call", self.record_line),
            "PARLEY_POST_CALL_DATABASE_URL": own.render_as_string(hide_password=False),
        }
        return self._service("post_call", "post_call", variables=variables)

    def _record(self, user: str, line: Relay) -> dict[str, str]:
        url = self.database_url.set(username=user, port=line.port)
        return {"PARLEY_DATABASE_URL": url.render_as_string(hide_password=False)}

    def _service(
        self,
        port: str,
        module: str,
        ready_path: str = "/readyz",
        *,
        name: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Service:
        environment = {**self.environment, **(variables or {})}
        number = environment[f"PARLEY_{port}_PORT".upper()]
        return Service(
            name or port,
            module,
            environment,
            f"http://127.0.0.1:{number}{ready_path}",
            self.stack.run_dir / f"{name or port}.log",
        )

    @property
    def workers(self) -> tuple[Service, Service]:
        """Both workers."""
        return self.a, self.b

    def start(self) -> None:
        """Start everything and wait until all is ready; each service is a user of its own."""
        owner = self.database_url.render_as_string(hide_password=False)
        asyncio.run(prepare(owner))
        asyncio.run(users.grant(owner, None))
        self.sfu.start()
        self.sfu.wait_ready()
        for service in self.services[1:]:
            service.start()
        for service in self.services[1:]:
            service.wait_ready()

    def stop(self) -> None:
        """Kill everything that runs."""
        for service in reversed(self.services):
            if service.process is not None and service.process.poll() is None:
                service.signal(signal.SIGCONT)
                service.kill()
        self.relays.close()

    def worker_of(self, call_id: str) -> Service:
        """The worker that took the call last."""
        accepted = [
            (str(event["timestamp"]), number)
            for number, worker in enumerate(self.workers)
            for event in worker.events("job.accepted", call_id=call_id)
        ]
        return self.workers[max(accepted)[1]]

    def mend(self) -> None:
        """Everything runs and is ready again."""
        self.relays.mend()
        for service in self.services:
            assert service.process is not None
            if service.process.poll() is not None:
                service.start()
            else:
                service.signal(signal.SIGCONT)
        for service in self.services:
            service.wait_ready()

    @asynccontextmanager
    async def record(self) -> AsyncIterator[Record]:
        """The record of its calls, by a line that is never cut."""
        url = self.database_url.render_as_string(hide_password=False)
        ring = keys.read(self.stack.run_dir / "journal-keys.yaml")
        opened = Record(Database(url, connections=1), ring)
        try:
            yield opened
        finally:
            await opened.close()


@contextmanager
def running_fleet(folder: Path, database_url: str, **settings: str) -> Iterator[Fleet]:
    """A fleet that is ready."""
    fleet = Fleet(folder, database_url, settings)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()
