"""Post-call processes over a real record, a real shop and an independent receiver."""

import asyncio
import base64
import json
import multiprocessing
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from call_record import follow_up, keys, workers
from call_record.database import Database
from call_record.follow_up import Step, StepState
from call_record.prepare import prepare
from call_record.record import Record
from devstack.parent_death import die_with_parent
from tests.conftest import in_a_thread, psql
from tests.support import post_call_process
from tests.support.local_stack import ROOT, free_ports

ENDPOINTS = ("steady", "first", "second", "third", "fourth", "fifth")
SECRETS = {n: f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}" for n in ENDPOINTS}
START_TIMEOUT_S = 30


@contextmanager
def running(ready_url: str, *command: str, **variables: str) -> Iterator[None]:
    """A process, from the moment when *ready_url* answers."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PARLEY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env={**kept, **variables, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers(ready_url):
            assert time.monotonic() < deadline and process.poll() is None, command
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The shop, in a process of its own; shared, so look at your own calls only."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    file = tmp_path_factory.mktemp("shop") / "shop.db"
    with running(
        f"{url}/readyz",
        "examples.storefront.backend",
        PARLEY_STOREFRONT_PORT=str(port),
        PARLEY_STOREFRONT_DATABASE_URL=f"sqlite+aiosqlite:///{file}",
    ):
        yield url


@pytest.fixture(scope="session")
def receiver_url() -> Iterator[str]:
    """The receiver, in a process of its own; shared, so look at your own calls only."""
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with running(f"{url}/ledger", "tests.support.receiver", str(port), json.dumps(SECRETS)):
        yield url


@pytest.fixture(scope="session")
def context() -> ForkServerContext:
    """Processes that have everything imported when they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.post_call_process"])
    return context


@dataclass
class PostCallWorkplace:
    """What a test works with."""

    folder: Path
    record: Record
    shop_url: str
    receiver_url: str
    variables: dict[str, str]
    context: ForkServerContext
    processes: list[ForkServerProcess] = field(default_factory=list)
    port: int = 0

    def endpoints(self, *names: str, **elsewhere: str) -> None:
        """Which endpoints are told; *elsewhere* by address."""
        urls = {name: f"{self.receiver_url}/hooks/{name}" for name in names} | elsewhere
        self.variables["PARLEY_POST_CALL_WEBHOOKS"] = json.dumps(urls)

    def start(self, **variables: str) -> ForkServerProcess:
        """Start a process; it may not be ready yet."""
        [self.port] = free_ports(1)
        port = {"PARLEY_POST_CALL_PORT": str(self.port)}
        process = self.context.Process(
            target=post_call_process.run,
            args=({**self.variables, **port, **variables}, self.folder / "log"),
            daemon=True,
        )
        process.start()
        self.processes.append(process)
        return process

    async def ready(self) -> None:
        """Wait until the process that was started last is."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not await asyncio.to_thread(answers, f"http://127.0.0.1:{self.port}/readyz"):
            assert time.monotonic() < deadline, self.log[-4_000:]
            await asyncio.sleep(0.02)

    async def settled(self, *call_ids: str, timeout_s: float = 60) -> None:
        """Wait until no step of these calls is open."""
        deadline = time.monotonic() + timeout_s
        for call_id in call_ids:
            while not (steps := await self.steps(call_id)) or any(
                one.state is StepState.OPEN for one in steps.values()
            ):
                assert time.monotonic() < deadline, f"{steps}\n{self.log[-4_000:]}"
                await asyncio.sleep(0.05)

    async def steps(self, call_id: str) -> dict[str, Step]:
        """The steps of a call by name."""
        return {one.step: one for one in await follow_up.read_steps(self.record, call_id)}

    async def effects(self, call_id: str) -> list[str]:
        """What the shop says that it did for a call, sorted."""
        async with httpx.AsyncClient(base_url=self.shop_url, trust_env=False) as shop:
            answer = await shop.get("/v1/ledger", params={"call_id": call_id, "limit": 1_000})
        return sorted(one["kind"] for one in answer.json()["effects"])

    async def received(self, call_id: str, name: str) -> list[dict[str, Any]]:
        """What an endpoint says that it was sent for a call."""
        async with httpx.AsyncClient(base_url=self.receiver_url, trust_env=False) as receiver:
            ledger = (await receiver.get("/ledger")).json()
        message_id = f"{call_id}:webhook:{name}"
        return [one for one in ledger if one["message_id"] == message_id]

    async def accepted(self, call_id: str, name: str) -> int:
        """How many different messages of a call an endpoint accepted."""
        found = await self.received(call_id, name)
        assert all(one["signed"] for one in found)
        took = ("accept", "slow", "lost")
        return len({one["message_id"] for one in found if one["did"] in took})

    async def script(self, **words: list[str]) -> None:
        """What the endpoints are to do."""
        async with httpx.AsyncClient(base_url=self.receiver_url, trust_env=False) as receiver:
            await receiver.put("/scripts", json=words)

    @property
    def log(self) -> str:
        """What the processes logged so far."""
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, where a test does not ask for PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "parley.db")
        return f"sqlite+aiosqlite:///{tmp_path}/parley.db"
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{secrets.token_hex(8)}"
    psql(server, f"CREATE DATABASE {name}")
    url = f"{server.rpartition('/')[0]}/{name}"
    in_a_thread(prepare(url))
    return url


@pytest.fixture
async def workplace(
    tmp_path: Path,
    database_url: str,
    shop_url: str,
    receiver_url: str,
    context: ForkServerContext,
) -> AsyncIterator[PostCallWorkplace]:
    """A record without calls; no process runs yet."""
    record = Record(Database(database_url), keys.ensure(tmp_path / "journal-keys.yaml"))
    await workers.register(record, "worker", 10_000)
    keys_file = tmp_path / "webhook-keys.yaml"
    keys_file.write_text("".join(f"{name}: {secret}\n" for name, secret in SECRETS.items()))
    keys_file.chmod(0o600)
    made = PostCallWorkplace(
        tmp_path,
        record,
        shop_url,
        receiver_url,
        {
            "PARLEY_RUN_DIR": str(tmp_path),
            "PARLEY_DATABASE_URL": database_url,
            "PARLEY_STOREFRONT_URL": shop_url,
            "PARLEY_POST_CALL_CRM": "examples.storefront.connectors:StorefrontCrm",
            "PARLEY_POST_CALL_TICKETS": "examples.storefront.connectors:StorefrontTickets",
            "PARLEY_POST_CALL_BACKOFF_S": "0.1",
            "PARLEY_POST_CALL_BACKOFF_MAX_S": "1",
            "PARLEY_POST_CALL_TIMEOUT_S": "1",
            "PARLEY_POST_CALL_TRIES": "6",
        },
        context,
    )
    made.endpoints("steady")
    await made.script(**{name: ["accept"] for name in ENDPOINTS})
    yield made
    for process in made.processes:
        process.kill()
        process.join()
    await record.close()
