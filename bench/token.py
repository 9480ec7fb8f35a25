"""
The token service: requests for a call a second, and how long each takes.

Beside a bare Starlette endpoint that mints a token and durably stores one row, without an SFU on
both sides; then 50 requests a second with the real SFU. Databases are on a disk, with full sync.
"""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from sqlalchemy import update

from bench import token_server
from bench.row import HEADER, Row
from bench.token_server import Kind
from call_record import keys, workers
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from call_record.tables import CallState, call
from devstack import postgres
from tests.support.local_stack import LocalStack, free_ports, running_sfu
from token_service.settings import TokenSettings

ROUNDS = 3
FOR_S = 4.0
AT_ONCE = 16
A_SECOND = 50
PACED_FOR_S = 10.0
END_EVERY_S = 0.5
"""Calls are ended so often: there are hundreds at once, as there could be, and no thousands."""
START_TIMEOUT_S = 20


def main() -> None:
    """Measure on both databases and print."""
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as name:
        folder = Path(name).absolute()
        with running_sfu(folder) as sfu, postgres.running(durable=True) as postgres_url:
            for database, url in (
                ("SQLite", f"sqlite+aiosqlite:///{folder}/parley.db"),
                ("PostgreSQL", postgres_url),
            ):
                asyncio.run(_measure(database, url, folder, sfu))


async def _measure(database: str, url: str, folder: Path, sfu: LocalStack) -> None:
    await prepare(url)
    await token_server.make_table(url)
    [port] = free_ports(1)
    settings = TokenSettings(
        _env_file=None,
        sfu_url=sfu.sfu_url,
        sfu_keys_file=sfu.keys_file,
        database_url=url,
        journal_keys_file=folder / "journal-keys.yaml",
        token_port=port,
        token_rate_address=1_000_000,
        token_rate_all=1_000_000,
    )
    record = Record(Database(url, connections=2), keys.ensure(settings.journal_keys_file))
    await workers.register(record, "bench", 1_000_000)
    ending = asyncio.create_task(_end_calls(record))
    rows: dict[Kind, Row] = {}
    for _ in range(ROUNDS):
        for kind in ("bare", "without SFU"):
            async with _server(kind, settings) as post:
                row = await _many(kind, post)
            before = rows.get(kind, Row(kind, [], 0))
            times_s = before.times_s + row.times_s
            rows[kind] = Row(kind, times_s, before.a_second + row.a_second / ROUNDS)
    async with _server("whole", settings) as post:
        rows["whole"] = await _paced(f"with SFU, {A_SECOND} a second", post)
    ending.cancel()
    with suppress(asyncio.CancelledError):
        await ending
    await record.close()
    for row in rows.values():
        print(f"{database:<12}{row}")
    ratio = rows["without SFU"].a_second / rows["bare"].a_second
    print(f"{database:<12}{'ratio to bare':<58}{ratio:>11.2f}")


@asynccontextmanager
async def _server(kind: Kind, settings: TokenSettings) -> AsyncIterator["Post"]:
    """A server of that kind, which has answered."""
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=token_server.run, args=(kind, settings))
    process.start()
    timeout = aiohttp.ClientTimeout(total=10)
    # Without cookies: each request is another caller's.
    jar = aiohttp.DummyCookieJar()
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as http:
            post = Post(http, f"http://127.0.0.1:{settings.token_port}/api/voice-token")
            deadline = time.monotonic() + START_TIMEOUT_S
            while True:
                try:
                    await post()
                    break
                except aiohttp.ClientConnectionError:
                    if time.monotonic() > deadline:
                        raise
                await asyncio.sleep(0.1)
            yield post
    finally:
        process.terminate()
        process.join()


@dataclass(frozen=True)
class Post:
    """Asks for a call."""

    http: aiohttp.ClientSession
    url: str

    async def __call__(self) -> float:
        """Returns: how long it took, in seconds."""
        started = time.perf_counter()
        async with self.http.post(self.url, json={}) as response:
            await response.read()
            assert response.status == 200, await response.text()
        return time.perf_counter() - started


async def _many(what: str, post: Post) -> Row:
    """As many as there can be."""
    times_s: list[float] = []
    started = time.perf_counter()

    async def client() -> None:
        while time.perf_counter() - started < FOR_S:
            times_s.append(await post())

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return Row(what, times_s, len(times_s) / (time.perf_counter() - started))


async def _paced(what: str, post: Post) -> Row:
    """So many a second, whether or not the last one was answered."""
    started = time.perf_counter()
    asked: list[asyncio.Task[float]] = []
    for number in range(int(A_SECOND * PACED_FOR_S)):
        await asyncio.sleep(started + number / A_SECOND - time.perf_counter())
        asked.append(asyncio.create_task(post()))
    times_s = await asyncio.gather(*asked)
    return Row(what, times_s, len(times_s) / (time.perf_counter() - started))


async def _end_calls(record: Record) -> None:
    statement = update(call).where(call.c.state == CallState.REQUESTED).values(state="ended")
    while True:
        async with record.database.writing() as connection:
            await connection.execute(statement)
        await asyncio.sleep(END_EVERY_S)
