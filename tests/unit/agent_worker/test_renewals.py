"""One statement a second renews the leases of all calls of a worker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent_worker.renewals import FRESH_S, JOBS_MAX, LINE_MAX_BYTES, JobRenewals, Renewals
from call_record import calls
from call_record.calls import Claim, Held, Renewal
from call_record.lease import ALONE_AFTER_S, EVERY_S, Lease
from call_record.record import Record
from tests.support.calls import FakeClock, fence, requested, the_call

WORKER = "worker"


@pytest.fixture
async def renewals(clocked: Record) -> AsyncIterator[Renewals]:
    """The worker's end; nothing runs by itself."""
    worker = Renewals(clocked, WORKER)
    await worker.start()
    yield worker
    worker.stop()


class Job:
    """A job that has a call and is connected."""

    def __init__(self, record: Record, call_id: str, number: int) -> None:
        self.lease = Lease(record, call_id, 1, f"{WORKER}/{number}", WORKER)
        self.answers: list[Renewal | None] = []
        self.renewals: JobRenewals

    @classmethod
    async def start(cls, record: Record, worker: Renewals, number: int = 1) -> "Job":
        job = cls(record, await requested(record, f"caller-{number}"), number)
        assert await job.lease.claim() is Claim.CLAIMED
        job.renewals = await JobRenewals.connect(worker.address, job.lease.held, job.answered)
        return job

    def answered(self, sent_s: float, answer: Renewal | None) -> None:
        self.answers.append(answer)
        self.lease.renewed(sent_s, answer)

    async def prove(self) -> None:
        """And give the worker the time to read it."""
        assert self.renewals.prove()
        await asyncio.sleep(0.05)

    async def answer(self, count: int = 1) -> Renewal | None:
        async with asyncio.timeout(10):
            while len(self.answers) < count:
                await asyncio.sleep(0.01)
        return self.answers[count - 1]


async def test_all_jobs_that_live_are_renewed_and_told(
    clocked: Record, renewals: Renewals, clock: FakeClock
) -> None:
    """Each hears its own answer, with the time at which the renewal was sent."""
    jobs = [await Job.start(clocked, renewals, number) for number in range(3)]
    clock.seconds += 1.5
    for job in jobs:
        await job.prove()
    assert [job.lease.age_s() for job in jobs] == [1.5] * 3
    await renewals.renew_due()
    for job in jobs:
        assert await job.answer() is Renewal.RENEWED
        assert job.lease.age_s() == 0
        assert (await the_call(clocked, job.lease.held.call_id)).renewals == 2


async def test_a_job_that_is_starting_is_not_renewed(clocked: Record, renewals: Renewals) -> None:
    """One that was renewed counts as started, and is given less time to renew again."""
    job = await Job.start(clocked, renewals)
    await asyncio.sleep(0.05)
    await renewals.renew_due()
    assert (await the_call(clocked, job.lease.held.call_id)).renewals == 1
    await job.prove()
    await renewals.renew_due()
    assert (await the_call(clocked, job.lease.held.call_id)).renewals == 2


async def test_a_job_that_hangs_is_not_renewed(
    clocked: Record, renewals: Renewals, clock: FakeClock
) -> None:
    """Its call gets another agent; the others go on."""
    lives, hangs = [await Job.start(clocked, renewals, number) for number in range(2)]
    await hangs.prove()
    clock.seconds += FRESH_S + 0.01
    await lives.prove()
    await renewals.renew_due()
    assert await lives.answer() is Renewal.RENEWED
    assert (await the_call(clocked, hangs.lease.held.call_id)).renewals == 1
    assert hangs.answers == []


async def test_a_job_that_has_ended_is_not_renewed(clocked: Record, renewals: Renewals) -> None:
    """However it ended: its connection is gone."""
    job = await Job.start(clocked, renewals)
    await job.prove()
    job.renewals.close()
    await asyncio.sleep(0.05)
    await renewals.renew_due()
    assert (await the_call(clocked, job.lease.held.call_id)).renewals == 1
    assert not job.renewals.prove()


async def test_renewals_of_all_jobs_fall_together_once_a_second(
    clocked: Record, renewals: Renewals, clock: FakeClock
) -> None:
    """However often somebody looks, and whenever the calls began."""
    first = await Job.start(clocked, renewals, 1)
    await first.prove()
    await renewals.renew_due()
    clock.seconds += 0.6
    second = await Job.start(clocked, renewals, 2)
    for _ in range(3):
        for job in (first, second):
            await job.prove()
        await renewals.renew_due()

    async def counted() -> list[int]:
        return [
            (await the_call(clocked, job.lease.held.call_id)).renewals for job in (first, second)
        ]

    assert await counted() == [3, 2]
    clock.seconds += EVERY_S
    for job in (first, second):
        await job.prove()
    await renewals.renew_due()
    assert await counted() == [4, 3]


async def test_a_call_that_is_anothers_is_lost(clocked: Record, renewals: Renewals) -> None:
    """The job leaves; the fence is the record's, whoever renews."""
    job = await Job.start(clocked, renewals)
    call_id = job.lease.held.call_id
    await fence(clocked, call_id, (await the_call(clocked, call_id)).seen)
    await job.prove()
    await renewals.renew_due()
    assert await job.answer() is Renewal.LOST
    assert job.lease.lost.is_set()


async def test_jobs_hear_nothing_of_a_renewal_that_failed(
    clocked: Record, renewals: Renewals, clock: FakeClock
) -> None:
    """So each tries over a connection of its own, which may be better; the lease grows older."""
    job = await Job.start(clocked, renewals)
    async with clocked.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE call RENAME TO away")
    clock.seconds += 1
    await job.prove()
    await renewals.renew_due()
    await asyncio.sleep(0.05)
    assert job.answers == []
    assert job.lease.age_s() == 1
    async with clocked.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO call")
    await renewals.renew_due()
    assert await job.answer() is Renewal.RENEWED


async def test_jobs_are_told_that_the_database_takes_long(
    clocked: Record, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that they do not all ask it too; for no longer than they would wait for themselves."""
    answering = asyncio.Event()

    async def slow(_: Record, held: list[Held]) -> dict[Held, Renewal]:
        await answering.wait()
        return dict.fromkeys(held, Renewal.RENEWED)

    monkeypatch.setattr(calls, "renew_all", slow)
    job = await Job.start(clocked, renewals)
    await job.prove()
    renewing = asyncio.create_task(renewals.renew_due())
    assert [await job.answer(count) for count in (1, 2)] == [None, None]
    answering.set()
    await renewing
    async with asyncio.timeout(10):
        while job.answers[-1] is None:
            await asyncio.sleep(0.01)


async def test_an_unexpected_error_ends_no_renewals(
    clocked: Record, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the worker would end, and all its calls with it."""
    monkeypatch.setattr("agent_worker.renewals.LOOK_EVERY_S", 0.01)
    tries = []

    async def fail() -> None:
        tries.append(1)
        raise AssertionError

    monkeypatch.setattr(renewals, "renew_due", fail)
    running = asyncio.create_task(renewals.run())
    async with asyncio.timeout(10):
        while len(tries) < 3:
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()


async def test_the_worker_renews_for_its_own_jobs_alone(
    clocked: Record, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger, nonsense, or too many: the connection is closed."""
    strange = Held(await requested(clocked), 1, "another/1")
    for hello in (
        b'["x", 1]\n',
        b"\xff\n",
        b"x" * (LINE_MAX_BYTES + 1),
        b'["' + strange.call_id.encode() + b'",1,"another/1"]\n',
    ):
        reader, writer = await asyncio.open_unix_connection(renewals.address)
        writer.write(hello)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
    monkeypatch.setattr("agent_worker.renewals.JOBS_MAX", 0)
    assert JOBS_MAX > 0
    job = await Job.start(clocked, renewals)
    await asyncio.sleep(0.05)
    assert not job.renewals.prove()


async def test_a_job_without_a_worker_renews_by_itself(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at that address, or whoever does is silent."""
    monkeypatch.setattr("call_record.lease.EVERY_S", 0.05)
    monkeypatch.setattr("call_record.lease.PROVE_EVERY_S", 0.02)
    monkeypatch.setattr("call_record.lease.ALONE_AFTER_S", 0.1)
    assert ALONE_AFTER_S > 1
    for number, prove in enumerate((lambda: False, lambda: True)):
        call_id = await requested(record, f"caller-{number}")
        lease = Lease(record, call_id, 1, f"job-{number}", WORKER)
        await lease.claim()
        keeping = asyncio.create_task(lease.keep(prove))
        async with asyncio.timeout(15):
            while (await the_call(record, call_id)).renewals < 3:
                await asyncio.sleep(0.05)
        keeping.cancel()


async def test_a_job_whose_worker_answers_does_not_renew_by_itself(
    clocked: Record, renewals: Renewals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the database would be asked twice, and most when it is slow."""
    job = await Job.start(clocked, renewals)
    renewed_alone = []
    monkeypatch.setattr(Lease, "renew", lambda _: renewed_alone.append(1))
    monkeypatch.setattr("call_record.lease.PROVE_EVERY_S", 0.01)
    keeping = asyncio.create_task(job.lease.keep(job.renewals.prove))
    await asyncio.sleep(0.05)
    await renewals.renew_due()
    assert await job.answer() is Renewal.RENEWED
    keeping.cancel()
    assert renewed_alone == []


async def test_a_call_that_somebody_else_writes_to_holds_up_no_other(record: Record) -> None:
    """A job may hang in the middle of a transaction, with the lock of its call's row."""
    held = []
    for number in range(3):
        call_id = await requested(record, f"caller-{number}")
        await calls.claim(record, call_id, 1, f"job-{number}", WORKER)
        held.append(Held(call_id, 1, f"job-{number}"))
    stale = Held(held[0].call_id, 2, "job-0")
    if record.database.is_sqlite:
        answers = await calls.renew_all(record, [*held, stale])
    else:
        async with record.database.writing() as connection:
            await connection.exec_driver_sql(
                f"UPDATE call SET display_name = 'x' WHERE call_id = '{held[1].call_id}'"  # noqa: S608
            )
            answers = await asyncio.wait_for(calls.renew_all(record, [*held, stale]), 10)
        assert held[1] not in answers
        answers |= await calls.renew_all(record, [held[1]])
    assert answers == {**dict.fromkeys(held, Renewal.RENEWED), stale: Renewal.LOST}
    assert [(await the_call(record, one.call_id)).renewals for one in held] == [2, 2, 2]
