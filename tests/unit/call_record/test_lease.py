"""What lets a job speak and act."""

import asyncio

import pytest

import call_record.lease
from call_record import calls, journal
from call_record.calls import Claim
from call_record.lease import Lease
from call_record.record import Record
from tests.support.calls import FakeClock, fence, requested, the_call


@pytest.fixture
async def lease(clocked: Record) -> Lease:
    """Claimed at 1000 s."""
    lease = Lease(clocked, await requested(clocked), 1, "job-1", "worker")
    assert not lease.may_act()
    assert await lease.claim() is Claim.CLAIMED
    return lease


async def test_lease_lets_act_for_two_seconds_after_a_renewal_was_sent(
    lease: Lease, clock: FakeClock
) -> None:
    """A supervisor waits 2.5 s before it sends another agent."""
    clock.seconds += 2.0
    assert lease.may_act()
    clock.seconds += 0.01
    assert not lease.may_act()
    await lease.renew()
    assert lease.may_act()
    assert lease.age_s() == 0


async def test_lease_counts_from_when_a_renewal_was_sent_not_answered(
    lease: Lease, clock: FakeClock, clocked: Record
) -> None:
    """An answer that took long says nothing about now."""
    async with clocked.database.writing() as connection:
        # Whoever renews now waits for this transaction.
        await connection.exec_driver_sql("UPDATE call SET display_name = 'x'")
        renewing = asyncio.create_task(lease.renew())
        await asyncio.sleep(0.1)
        clock.seconds += 3
    await renewing
    assert lease.age_s() == 3
    assert not lease.may_act()


async def test_lease_without_a_database_grows_old_and_is_not_lost(
    lease: Lease, clock: FakeClock, clocked: Record
) -> None:
    """The conversation goes on; effects do not."""
    async with clocked.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE call RENAME TO away")
    clock.seconds += 2.5
    await lease.renew()
    assert not lease.may_act()
    assert not lease.lost.is_set()
    async with clocked.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO call")
    await lease.renew()
    assert lease.may_act()


async def test_lease_is_lost_when_another_attempt_was_sent(lease: Lease, clocked: Record) -> None:
    """The job must leave the room, and act no more."""
    [call] = await calls.not_ended(clocked)
    await fence(clocked, call.call_id, call.seen)
    await lease.renew()
    assert lease.lost.is_set()
    assert not lease.may_act()


async def test_lease_of_an_ending_call_is_kept_and_lets_nothing_begin(
    lease: Lease, clocked: Record
) -> None:
    """Writes in flight may finish; then the journal is sealed and the lease is lost."""
    [call] = await calls.not_ended(clocked)
    await calls.end(clocked, call.call_id, "caller")
    await lease.renew()
    assert lease.ending.is_set() and not lease.lost.is_set()
    assert not lease.may_act()
    await journal.seal(clocked, call.call_id, 1, "caller")
    await lease.renew()
    assert lease.lost.is_set()


async def test_lease_that_cannot_be_claimed_is_lost(clocked: Record) -> None:
    """A second job of the same attempt never speaks."""
    call_id = await requested(clocked)
    await Lease(clocked, call_id, 1, "job-1", "worker").claim()
    second = Lease(clocked, call_id, 1, "job-2", "worker")
    assert await second.claim() is Claim.TAKEN
    assert second.lost.is_set() and not second.may_act()


async def test_lease_is_kept_until_it_is_lost(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewed again and again, in its time and no sooner; by the real clock, but quicker."""
    monkeypatch.setattr(call_record.lease, "EVERY_S", 0.05)
    call_id = await requested(record)
    lease = Lease(record, call_id, 1, "job-1", "worker")
    began_s = record.clock.boot_s()
    await lease.claim()
    keeping = asyncio.create_task(lease.keep())
    async with asyncio.timeout(15):
        while (call := await the_call(record, call_id)).renewals < 4:
            await asyncio.sleep(0.05)
        passed_s = record.clock.boot_s() - began_s
        while await fence(record, call_id, (await the_call(record, call_id)).seen) is None:
            pass  # it was renewed in between
        await keeping
    assert lease.lost.is_set()
    assert call.renewals <= passed_s / 0.05 + 1
