"""Executors and whether they are there."""

from call_record import executors
from call_record.executors import Executor
from call_record.record import Record


async def test_executor_counts_up_until_it_leaves(record: Record) -> None:
    """Who is not known is told so."""
    assert not await executors.heartbeat(record, "a")
    await executors.register(record, "a")
    assert await executors.heartbeat(record, "a")
    assert await executors.read_all(record) == [Executor("a", 2, gone=False)]
    await executors.leave(record, "a")
    assert await executors.read_all(record) == []


async def test_executor_that_moved_is_not_marked_gone(record: Record) -> None:
    """Only what stood still; a sign of life takes the mark away."""
    await executors.register(record, "a")
    await executors.heartbeat(record, "a")
    assert not await executors.mark_gone(record, "a", 1)
    assert await executors.mark_gone(record, "a", 2)
    assert not await executors.mark_gone(record, "a", 2)
    assert await executors.heartbeat(record, "a")
    assert await executors.read_all(record) == [Executor("a", 3, gone=False)]
