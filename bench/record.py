"""
The record of calls: how long an append takes, how many renewals a second there can be.

On a disk as in production: SQLite with full sync, PostgreSQL with fsync. Each number is taken for
a few seconds.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.row import HEADER, Row
from call_record import calls, keys, workers
from call_record.admission import Admitted, Applicant, admit
from call_record.calls import Claim
from call_record.database import Database
from call_record.keys import KeyRing
from call_record.prepare import prepare
from call_record.record import Record
from call_record.writer import BATCH_MAX, JournalWriter
from devstack import postgres
from voice_contract.ids import new_call_id
from voice_contract.journal import UserTurn

FOR_S = 4.0
CALLS_AT_ONCE = 50
TURN = UserTurn(text="I would like to know where my order number seven is, please. " * 2)


def main() -> None:
    """Measure both databases and print."""
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as folder:
        file = Path(folder) / "parley.db"
        asyncio.run(_measure("SQLite", f"sqlite+aiosqlite:///{file}", Path(folder)))
        with postgres.running(durable=True) as url:
            asyncio.run(_measure("PostgreSQL", url, Path(folder)))


async def _measure(name: str, url: str, folder: Path) -> None:
    await prepare(url)
    ring = keys.ensure(folder / "keys.yaml")
    record = Record(Database(url, connections=2), ring)
    await workers.register(record, "bench", 10_000)
    call_id = await live(record)
    rows = []
    async with JournalWriter(record, call_id, 1) as writer:
        rows.append(await repeat("append, written ahead", lambda: writer.write_ahead(TURN)))
        rows.append(await _batches(writer))
    rows.append(await repeat("renewal", lambda: calls.renew(record, call_id, 1, "bench")))
    await record.close()
    at_once = f"renewals of {CALLS_AT_ONCE} calls"
    rows.append(await _many(f"{at_once}, one a second each", url, ring, 1.0))
    rows.append(await _many(f"{at_once}, without a pause", url, ring, 0.0))
    for row in rows:
        print(f"{name:<12}{row}")


async def repeat(what: str, work: Callable[[], Awaitable[object]], pace_s: float = 0) -> Row:
    """Do *work* again and again for a few seconds, not more often than each *pace_s*."""
    times: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < FOR_S:
        before = time.perf_counter()
        await work()
        times.append(time.perf_counter() - before)
        await asyncio.sleep(max(0.0, before + pace_s - time.perf_counter()))
    return Row(what, times, len(times) / (time.perf_counter() - started))


async def _batches(writer: JournalWriter) -> Row:
    async def batch() -> None:
        for _ in range(BATCH_MAX):
            writer.write(TURN)
        await writer.flush()

    row = await repeat(f"append, {BATCH_MAX} written behind", batch)
    return Row(row.what, row.times_s, row.a_second * BATCH_MAX)


async def _many(what: str, url: str, keys: KeyRing, pace_s: float) -> Row:
    """Renewals of many calls, each with a connection of its own, as each job has one."""
    records = [Record(Database(url, connections=1), keys) for _ in range(CALLS_AT_ONCE)]
    ids = [await live(one) for one in records]

    async def job(one: Record, call_id: str, number: int) -> Row:
        async def renew() -> None:
            await calls.renew(one, call_id, 1, "bench")

        await asyncio.sleep(pace_s * number / CALLS_AT_ONCE)
        return await repeat("", renew, pace_s)

    rows = await asyncio.gather(*map(job, records, ids, range(CALLS_AT_ONCE)))
    for one in records:
        await one.close()
    times = [value for row in rows for value in row.times_s]
    return Row(what, times, sum(row.a_second for row in rows))


async def live(record: Record) -> str:
    """A call that attempt 1 has, owned by `bench`."""
    call_id = new_call_id()
    assert isinstance(await admit(record, call_id, Applicant(call_id)), Admitted)
    assert await calls.claim(record, call_id, 1, "bench", "bench") is Claim.CLAIMED
    return call_id
