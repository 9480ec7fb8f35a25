"""The queue in front of a model."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest
from prometheus_client import REGISTRY

from speech_server.errors import Busy
from speech_server.work_queue import Urgency, WorkQueue

SOON_S = 5


@pytest.fixture
async def queue() -> AsyncIterator[WorkQueue]:
    """One thread, one more request may wait."""
    queue = WorkQueue("stt", workers=1, queue=1)
    yield queue
    queue.close()


def queue_depth() -> float | None:
    """What `/metrics` says."""
    return REGISTRY.get_sample_value("parley_speech_queue_depth", {"kind": "stt"})


async def until_running(event: threading.Event) -> None:
    """Wait for a call to have begun."""
    assert await asyncio.to_thread(event.wait, SOON_S)


async def test_lane_run_gives_result_and_duration_from_another_thread(queue: WorkQueue) -> None:
    """The event loop's thread does no model's work."""
    thread, duration_s = await queue.run(threading.get_ident)
    assert thread != threading.get_ident()
    assert 0 < duration_s < SOON_S


async def test_lane_run_error_reaches_the_caller_and_frees_the_thread(queue: WorkQueue) -> None:
    """One bad request does not take the model away from the next."""

    def fail() -> None:
        raise ValueError("bad sound")

    for _ in range(3):
        with pytest.raises(ValueError, match="bad sound"):
            await asyncio.wait_for(queue.run(fail), SOON_S)


async def test_lane_admit_beyond_workers_and_queue_is_busy_until_one_leaves(
    queue: WorkQueue,
) -> None:
    """Two places: one to work, one to wait."""
    async with queue.admit():
        async with queue.admit():
            with pytest.raises(Busy):
                async with queue.admit():
                    pass
        async with queue.admit():
            pass


async def test_lane_run_cancelled_while_waiting_is_never_called(queue: WorkQueue) -> None:
    """Work for a client that left is dropped from the queue."""
    running, go_on, called = threading.Event(), threading.Event(), threading.Event()

    def block() -> bool:
        running.set()
        return go_on.wait(SOON_S)

    first = asyncio.create_task(queue.run(block))
    await until_running(running)
    second = asyncio.create_task(queue.run(called.set))
    await asyncio.sleep(0.01)
    assert queue_depth() == 1
    second.cancel()
    await asyncio.wait({second})
    assert queue_depth() == 0
    go_on.set()
    assert (await first)[0]
    await queue.run(lambda: None)
    assert not called.is_set()


async def test_lane_run_cancelled_while_running_holds_its_thread_until_done(
    queue: WorkQueue,
) -> None:
    """A thread cannot be stopped; the next call waits for it in our queue, not in a hidden one."""
    running, go_on, called = threading.Event(), threading.Event(), threading.Event()

    def block() -> bool:
        running.set()
        return go_on.wait(SOON_S)

    first = asyncio.create_task(queue.run(block))
    await until_running(running)
    first.cancel()
    await asyncio.wait({first})
    second = asyncio.create_task(queue.run(called.set))
    await asyncio.sleep(0.05)
    assert queue_depth() == 1
    assert not called.is_set()
    go_on.set()
    await asyncio.wait_for(second, SOON_S)
    assert called.is_set()


async def test_what_somebody_waits_for_comes_first(queue: WorkQueue) -> None:
    """Then what is heard behind it, last what nobody waits for; else in the order of coming."""
    running, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def block() -> None:
        running.set()
        go_on.wait(SOON_S)

    first = asyncio.create_task(queue.run(block))
    await until_running(running)
    later = [
        asyncio.create_task(queue.run(partial(done.append, name), urgency))
        for name, urgency in (
            ("warm-up", Urgency.LATER),
            ("second clause", Urgency.SOON),
            ("one caller", Urgency.NOW),
            ("another caller", Urgency.NOW),
            ("who left", Urgency.NOW),
        )
    ]
    await asyncio.sleep(0.01)
    later.pop().cancel()
    go_on.set()
    await asyncio.gather(first, *later)
    assert done == ["one caller", "another caller", "second clause", "warm-up"]


async def test_a_thread_that_was_just_given_to_who_left_goes_to_the_next(
    queue: WorkQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be idle for ever."""
    running, go_on = threading.Event(), threading.Event()

    def block() -> None:
        running.set()
        go_on.wait(SOON_S)

    first = asyncio.create_task(queue.run(block))
    await until_running(running)
    leaves, stays = [asyncio.create_task(queue.run(lambda: None)) for _ in range(2)]
    await asyncio.sleep(0.01)
    give = queue._next

    def give_and_leave() -> None:
        """In one turn of the event loop: its turn has come, and it is cancelled before it knows."""
        give()
        leaves.cancel()

    monkeypatch.setattr(queue, "_next", give_and_leave)
    go_on.set()
    await first
    await asyncio.wait_for(stays, SOON_S)
    await asyncio.wait_for(queue.run(lambda: None), SOON_S)


async def test_lane_workers_run_so_many_calls_at_once() -> None:
    """Two threads meet at a barrier that one alone would never pass."""
    queue = WorkQueue("tts", workers=2, queue=0)
    barrier = threading.Barrier(2)
    await asyncio.gather(*(queue.run(lambda: barrier.wait(SOON_S)) for _ in range(2)))
    queue.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
async def test_queue_that_stands_back_does_so_with_its_threads_alone() -> None:
    """What comes late there does less harm than elsewhere; nobody else is slowed down."""

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    queue = WorkQueue("encoder", workers=1, queue=1, niceness=3)
    before = niceness()
    behind, _ = await queue.run(niceness)
    queue.close()
    assert behind == min(19, before + 3)
    assert niceness() == before
