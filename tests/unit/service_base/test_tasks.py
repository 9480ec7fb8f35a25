"""Background tasks: they are kept until they end, and none fails unnoticed."""

import asyncio
import contextvars
import gc

import pytest
import structlog
from structlog.testing import capture_logs

from service_base.tasks import TaskSet

SPEECH = contextvars.ContextVar("SPEECH", default="none")


async def test_task_that_nothing_refers_to_is_kept_until_it_ends() -> None:
    """The garbage collector does not take a running task away."""
    tasks = TaskSet()
    ended = asyncio.Event()

    async def work() -> None:
        await asyncio.get_running_loop().create_future()

    async def short() -> None:
        await asyncio.sleep(0)
        ended.set()

    tasks.start(work(), name="work")
    tasks.start(short(), name="short")
    await asyncio.sleep(0)
    gc.collect()
    await ended.wait()
    await asyncio.sleep(0)
    assert len(tasks) == 1
    await tasks.cancel()
    assert len(tasks) == 0


async def test_task_that_raises_is_logged_by_name_without_the_text() -> None:
    """An exception that nothing awaits is logged; its text, which may be private, is not."""
    tasks = TaskSet()

    said = "my telephone number"

    async def work() -> None:
        raise KeyError(said)

    with capture_logs() as logs:
        tasks.start(work(), name="greet")
        await tasks.wait()
    assert [(line["event"], line["task"], line["error"]) for line in logs] == [
        ("task.failed", "greet", "KeyError")
    ]
    assert "test_tasks.py" in logs[0]["stack"]
    assert said not in str(logs)


async def test_result_of_a_task_reaches_the_one_that_awaits_it() -> None:
    """The task is an ordinary one: it has a result, and a cancelled one logs nothing."""
    tasks = TaskSet()

    async def work() -> int:
        return 7

    assert await tasks.start(work(), name="count") == 7
    with capture_logs() as logs:
        tasks.start(asyncio.sleep(60), name="sleep")
        await tasks.cancel()
    assert logs == []


async def test_wait_includes_tasks_that_are_started_meanwhile() -> None:
    """A task that starts another one is not the last."""
    tasks = TaskSet()
    done: list[str] = []

    async def second() -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.start(second(), name="second")
        done.append("first")

    tasks.start(first(), name="first")
    await tasks.wait()
    assert done == ["first", "second"]


async def test_cancel_includes_tasks_that_are_started_meanwhile() -> None:
    """A task that starts another one while it ends leaves nothing behind."""
    tasks = TaskSet()
    left: list[asyncio.Task[None]] = []

    async def first() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            left.append(tasks.start(asyncio.sleep(60), name="second"))

    tasks.start(first(), name="first")
    await asyncio.sleep(0)
    await tasks.cancel()
    assert [task.cancelled() for task in left] == [True]
    assert len(tasks) == 0


async def test_wait_ends_after_its_timeout_and_cancels_nothing() -> None:
    """A task that takes too long goes on."""
    tasks = TaskSet()
    task = tasks.start(asyncio.sleep(60), name="sleep")
    await tasks.wait(timeout_s=0)
    assert not task.done()
    await tasks.cancel()
    assert task.cancelled()


@pytest.mark.parametrize(("isolated", "seen"), [(True, "none"), (False, "of a library")])
async def test_isolated_task_does_not_see_the_context_of_its_starter(
    isolated: bool, seen: str
) -> None:
    """Only the log fields from the time when the set was made are in an isolated task's context."""
    with structlog.contextvars.bound_contextvars(call_id="call-1"):
        tasks = TaskSet(isolated=isolated)

        async def work() -> tuple[str, object]:
            return SPEECH.get(), structlog.contextvars.get_contextvars().get("call_id")

        token = SPEECH.set("of a library")
        try:
            assert await tasks.start(work(), name="look") == (seen, "call-1")
        finally:
            SPEECH.reset(token)
