"""
What the record bears: 100, 1,000 and 3,000 calls at the same time, after a million that have ended.

On PostgreSQL with fsync, without voice. A second of a call is one renewal; its share of appends and
admissions is in the table. "s a second" is how long one second's worth of the work takes, one such
process against one PostgreSQL; the CPU times are those of PostgreSQL and of Parley's process.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from call_record import calls, follow_up, journal, keys, snapshot, workers
from call_record.admission import Admitted, Applicant
from call_record.batch_admission import BatchAdmission
from call_record.calls import Claim, Held
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from devstack import postgres
from voice_contract.ids import new_call_id
from voice_contract.journal import UserTurn

CALLS = (100, 1_000, 3_000)
ENDED = int(os.environ.get("PARLEY_BENCH_ENDED_CALLS", "1000000"))
CALLS_A_WORKER = 25
CONNECTIONS = 50
FOR_S = 3.0
POLLS_A_SECOND = 4
"""Of a supervisor."""
WORKER = "bench-{}"
TURN = UserTurn(text="I would like to know where my order number seven is, please. " * 2)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Of one piece of work."""

    wall_s: float
    postgres_s: float
    own_s: float

    def line(self, what: str, a_second: float) -> str:
        """What *a_second* pieces of it cost."""
        shares = (self.wall_s, self.postgres_s, self.own_s)
        rate = f"{1 / self.wall_s:>10.0f}"
        return f"  {what:<44}{rate}" + "".join(f"{a_second * one:>14.3f}" for one in shares)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as folder:
        with postgres.running(durable=True) as url:
            asyncio.run(_measure(url, Path(folder)))


async def _measure(url: str, folder: Path) -> None:
    await prepare(url)
    record = Record(Database(url, connections=CONNECTIONS), keys.ensure(folder / "keys.yaml"))
    meter = await Meter.of(record)
    for number in range(max(CALLS) // CALLS_A_WORKER):
        await workers.register(record, WORKER.format(number), CALLS_A_WORKER * 2)
    held: list[Held] = []
    print(f"  {'':<44}{'a second':>10}{'s a second':>14}{'PostgreSQL s':>14}{'Parley s':>14}")
    for count in CALLS:
        admitted = await _admitted(record, meter, count - len(held))
        held += admitted.held
        print(f"{count:,} calls, none ended")
        print(admitted.cost.line("admissions, calls of 5 minutes", count / 300))
        await _print_costs(record, meter, held)
    print(f"{len(held):,} calls after {ENDED:,} that have ended")
    await _end_many(record, ENDED)
    held += (more := await _admitted(record, meter, 100)).held
    print(more.cost.line("admissions, calls of 5 minutes", len(held) / 300))
    await _print_costs(record, meter, held)
    await _print_post_call(record, meter)
    await record.close()


async def _print_costs(record: Record, meter: "Meter", held: list[Held]) -> None:
    count = len(held)
    alone = await meter.cost(lambda: _together(calls.renew(record, *one) for one in held), count)
    print(alone.line("renewals, each call alone", count))
    groups = [held[at : at + CALLS_A_WORKER] for at in range(0, count, CALLS_A_WORKER)]
    batched = await meter.cost(
        lambda: _together(calls.renew_all(record, group) for group in groups), count
    )
    print(batched.line(f"renewals, {CALLS_A_WORKER} calls of a worker together", count))
    some = held[:100]
    appends = await meter.cost(
        lambda: _together(journal.append(record, one.call_id, one.attempt, [TURN]) for one in some),
        len(some),
    )
    print(appends.line("appends, one in two seconds of a call", count / 2))
    polls = await meter.cost(lambda: snapshot.take(record), 1)
    print(polls.line("polls of the supervisor, four a second", POLLS_A_SECOND))


async def _print_post_call(record: Record, meter: "Meter") -> None:
    looks: dict[str, Callable[[], Awaitable[object]]] = {
        "post-call: looks for calls that have ended": lambda: follow_up.take(record),
        "post-call: looks for work to queue": lambda: follow_up.unqueued(record),
        "post-call: counts for metrics": lambda: follow_up.count(record),
    }
    for what, look in looks.items():
        print((await meter.cost(look, 1)).line(what, 1))


@dataclass(frozen=True)
class _Admissions:
    held: list[Held]
    cost: Cost


async def _admitted(record: Record, meter: "Meter", count: int) -> _Admissions:
    """So many calls more, claimed by jobs of their workers."""
    door = BatchAdmission(record)
    answers: list[object] = []

    async def admit() -> None:
        ids = [new_call_id() for _ in range(count)]
        answers.extend(await asyncio.gather(*(door.admit(one, Applicant(one)) for one in ids)))

    cost = await meter.cost(admit, count, once=True)
    held = []
    for number, answer in enumerate(answers):
        assert isinstance(answer, Admitted)
        worker_id = answer.call.worker_id
        assert worker_id is not None
        one = Held(answer.call.call_id, 1, f"{worker_id}/{number}")
        assert await calls.claim(record, *one, worker_id) is Claim.CLAIMED
        held.append(one)
    return _Admissions(held, cost)


async def _end_many(record: Record, count: int) -> None:
    """Rows of calls that ended long ago, and of their finished work."""
    async with record.database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        for first in range(0, count, 20_000):
            last = min(first + 20_000, count)
            for statement in _ENDED_CALLS:
                await connection.execute(text(statement), {"first": first + 1, "last": last})
    async with record.database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("ANALYZE"))


_ENDED_CALLS = (
    """INSERT INTO call (call_id, state, attempt, renewals, caller, admitted_at_ms, joined_at_ms,
        ended_at_ms, end_reason, key_id, head_seq, head_mac, taken)
    SELECT 'ended-' || n, 'ended', 1, 300, 'caller-' || n % 10000, n, n, n, 'caller', 'k', 9, '',
        true
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n""",
    """INSERT INTO follow_up (call_id, state, run, queued)
    SELECT 'ended-' || n, 'ready', 0, 0
    FROM generate_series(CAST(:first AS integer), CAST(:last AS integer)) n""",
)


async def _together(works: Iterable[Awaitable[object]]) -> None:
    await asyncio.gather(*works)


class Meter:
    """Reads how long work takes, and the CPU time that PostgreSQL and this process need for it."""

    def __init__(self, postmaster: int) -> None:
        self._postmaster = postmaster

    @classmethod
    async def of(cls, record: Record) -> "Meter":
        """Of the server of *record*."""
        async with record.database.reading() as connection:
            folder = (await connection.execute(text("SHOW data_directory"))).scalar_one()
        return cls(int((Path(folder) / "postmaster.pid").read_text().split()[0]))

    async def cost(
        self, work: Callable[[], Awaitable[object]], pieces: int, *, once: bool = False
    ) -> Cost:
        """Of one piece of *work*, which does that many; for a few seconds, or once."""
        rounds = 0
        before = self._read()
        while not rounds or (not once and time.perf_counter() - before[0] < FOR_S):
            await work()
            rounds += 1
        after = self._read()
        return Cost(*((b - a) / (rounds * pieces) for a, b in zip(before, after, strict=True)))

    def _read(self) -> tuple[float, float, float]:
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                pid = int(stat.parent.name)
                # Behind the program's name, which may hold blanks: state, parent, ...
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended; what it needed is its parent's
            if pid == self._postmaster:
                ticks += sum(map(int, fields[11:15]))  # those of its ended children too
            elif int(fields[1]) == self._postmaster:
                ticks += sum(map(int, fields[11:13]))
        return time.perf_counter(), ticks / TICKS_A_SECOND, time.process_time()
