"""Workers come, stay and go."""

from call_record import slots, workers
from call_record.record import Record
from call_record.workers import Worker


def worker(capacity: int = 4, presence: int = 2, *, draining: bool = False) -> Worker:
    return Worker("w", capacity, presence, draining, gone=False, deployment="", suspect=False)


async def test_worker_registers_counts_drains_and_leaves(record: Record) -> None:
    """Its whole life."""
    await workers.register(record, "w", 4)
    assert await workers.heartbeat(record, "w")
    assert await workers.read_all(record) == [worker(draining=False)]
    assert await slots.drain(record, "w")
    assert await workers.read_all(record) == [worker(draining=True)]
    assert await workers.leave(record, "w")
    assert await workers.read_all(record) == []


async def test_worker_seen_standing_still_is_gone_until_it_moves(record: Record) -> None:
    """A stale look marks nobody, and who was only paused is back."""
    await workers.register(record, "w", 4)
    await workers.heartbeat(record, "w")
    assert not await workers.mark_gone(record, "w", 1)
    assert await workers.mark_gone(record, "w", 2)
    assert (await workers.read_all(record))[0].gone
    assert await workers.heartbeat(record, "w")
    assert not (await workers.read_all(record))[0].gone


async def test_worker_that_nobody_knows_must_register(record: Record) -> None:
    """Its row may have been removed while it was away."""
    assert not await workers.heartbeat(record, "w")
    assert not await slots.drain(record, "w")
    assert not await workers.leave(record, "w")


async def test_worker_that_registers_again_starts_anew(record: Record) -> None:
    """A restarted worker neither drains nor is gone."""
    await workers.register(record, "w", 4)
    await slots.drain(record, "w")
    await workers.register(record, "w", 8)
    assert await workers.read_all(record) == [worker(8, 1)]
