"""A run of a tool: retries, the backend's circuit breaker and its concurrency limit."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from agent_worker.tools.backends import AT_ONCE, Backend
from agent_worker.tools.breaker import FAILURES
from agent_worker.tools.retry import BreakerOpen, NotBegun, Retry
from agent_worker.tools.tool import Answer, BackendUnavailable, Tool, ToolRefused
from tests.support.calls import FakeClock
from tests.support.gate_scene import look, note, push

pytestmark = pytest.mark.usefixtures("virtual_time")


@pytest.fixture
async def backend() -> Backend:
    return Backend(FakeClock())


class Tries:
    """What a tool does at each try."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.made = 0

    async def __call__(self) -> Answer:
        self.made += 1
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, Answer)
        return step


DONE = Answer(say="Done.")


def always(_: bool) -> bool:
    """Lease and call are ours all the time."""
    return True


@pytest.mark.parametrize("error", [BackendUnavailable(), TimeoutError()])
@pytest.mark.parametrize("tool", [look, push], ids=["read", "idempotent"])
async def test_attempt_is_repeated_where_that_does_no_harm(
    backend: Backend, tool: Tool, error: Exception
) -> None:
    """Two failures, then it works."""
    tries = Tries(error, error, DONE)
    assert await Retry(_patient(tool), tries, backend, always).run() == DONE
    assert tries.made == 3


@pytest.mark.parametrize("error", [BackendUnavailable(), TimeoutError()])
async def test_attempt_of_another_write_is_never_repeated(
    backend: Backend, error: Exception
) -> None:
    """Not even when it is known not to be done: that is for the caller to wish."""
    tries = Tries(error, DONE)
    with pytest.raises(type(error)):
        await Retry(note, tries, backend, always).run()
    assert tries.made == 1


@pytest.mark.parametrize(
    ("tool", "error"), [(push, ToolRefused("No.")), (look, ToolRefused("No.")), (look, KeyError())]
)
async def test_attempt_is_not_repeated_for_what_will_not_pass(
    backend: Backend, tool: Tool, error: Exception
) -> None:
    """A refusal is an answer, and a read's bug stays one."""
    tries = Tries(error, DONE)
    with pytest.raises(type(error)):
        await Retry(_patient(tool), tries, backend, always).run()
    assert tries.made == 1


async def test_write_with_a_key_is_repeated_whatever_went_wrong(backend: Backend) -> None:
    """The timeout of the tool's own HTTP client is an exception like any other."""
    tries = Tries(ConnectionResetError(), KeyError("late"), DONE)
    assert await Retry(_patient(push), tries, backend, always).run() == DONE


async def test_connection_is_made_before_it_is_asked_whether_the_try_may_begin(
    backend: Backend,
) -> None:
    """Connecting may take longer than the lease is good for, and changes nothing."""
    allowed = True

    async def ready() -> None:
        nonlocal allowed
        await asyncio.sleep(1)
        allowed = False

    tries = Tries(DONE)
    tool = replace(_patient(push), ready=ready)
    with pytest.raises(NotBegun):
        await Retry(tool, tries, backend, lambda _: allowed).run()
    assert tries.made == 0


async def test_cancelled_run_is_not_repeated(backend: Backend) -> None:
    """Whoever cancels it means the run, not the try."""
    made = 0

    async def forever() -> Answer:
        nonlocal made
        made += 1
        await asyncio.Event().wait()
        return DONE

    task = asyncio.create_task(Retry(_patient(push), forever, backend, always).run())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task}, timeout=9)
    assert task.cancelled() and made == 1


async def test_try_begins_only_where_it_may_when_its_turn_comes(backend: Backend) -> None:
    """Behind the wait for a permit, and again before each try; nothing is counted as a failure."""
    allowed = True
    asked: list[bool] = []

    def may_begin(doubtful: bool) -> bool:
        asked.append(doubtful)
        return allowed

    async with backend.permits, backend.permits, backend.permits, backend.permits:
        tries = Tries(DONE)
        waiting = asyncio.create_task(Retry(push, tries, backend, may_begin).run())
        await asyncio.sleep(0.05)
        assert asked == []
        allowed = False
    with pytest.raises(NotBegun):
        await waiting
    assert (tries.made, asked) == (0, [False])
    allowed = True

    async def once() -> Answer:
        nonlocal allowed
        allowed = False
        raise TimeoutError

    retry = Retry(_patient(push), once, backend, may_begin)
    with pytest.raises(NotBegun):
        await retry.run()
    assert asked == [False, False, True]
    assert retry.doubtful
    assert backend.breaker.lets_through


async def test_attempt_keeps_to_retry_after(backend: Backend) -> None:
    """As long as it is asked to, if there is so much time; else not at all."""
    started_s = time.monotonic()
    tries = Tries(BackendUnavailable(retry_after_s=0.4), DONE)
    await Retry(_patient(push), tries, backend, always).run()
    assert time.monotonic() - started_s == pytest.approx(0.4, abs=0.01)
    late = Tries(BackendUnavailable(retry_after_s=60), DONE)
    with pytest.raises(BackendUnavailable):
        await Retry(_patient(push), late, backend, always).run()
    assert late.made == 1


async def test_attempt_gives_up_after_three_tries(backend: Backend) -> None:
    """With the last error."""
    tries = Tries(*[BackendUnavailable(str(number)) for number in range(9)])
    with pytest.raises(BackendUnavailable, match=r"^2$"):
        await Retry(_patient(push), tries, backend, always).run()


async def test_attempt_knows_whether_it_may_have_acted(backend: Backend) -> None:
    """Not when every try is known to have done nothing."""
    known = Retry(
        _patient(push), Tries(BackendUnavailable(), BackendUnavailable(), DONE), backend, always
    )
    task = asyncio.create_task(known.run())
    await asyncio.sleep(0.05)
    assert not known.doubtful and not known.is_inside
    await task
    doubtful = Retry(
        _patient(push), Tries(TimeoutError(), BackendUnavailable(), DONE), backend, always
    )
    task = asyncio.create_task(doubtful.run())
    await asyncio.sleep(0.05)
    assert doubtful.doubtful and not doubtful.is_inside
    await task


async def test_attempts_wait_for_a_place_at_their_backend(backend: Backend) -> None:
    """Not more than four of one call at a time, whatever a model sends."""
    inside = most = 0
    release = asyncio.Event()

    async def work() -> Answer:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await release.wait()
        inside -= 1
        return DONE

    tasks = [asyncio.create_task(Retry(look, work, backend, always).run()) for _ in range(40)]
    await asyncio.sleep(0.05)
    release.set()
    await asyncio.gather(*tasks)
    assert most == AT_ONCE


async def test_attempt_is_stopped_by_an_open_breaker(backend: Backend) -> None:
    """Failures open it; then the backend is left alone, without retries."""
    for _ in range(FAILURES):
        with pytest.raises(RuntimeError):
            await Retry(note, Tries(RuntimeError()), backend, always).run()
    tries = Tries(DONE)
    with pytest.raises(BreakerOpen):
        await Retry(_patient(push), tries, backend, always).run()
    assert tries.made == 0


async def test_refusals_and_cancellations_do_not_open_the_breaker(backend: Backend) -> None:
    """The backend answered, or the try was cancelled."""
    for _ in range(FAILURES):
        with pytest.raises(ToolRefused):
            await Retry(note, Tries(ToolRefused("No.")), backend, always).run()

    async def forever() -> Answer:
        await asyncio.Event().wait()
        return DONE

    for _ in range(FAILURES):
        task = asyncio.create_task(Retry(look, forever, backend, always).run())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert backend.breaker.lets_through


async def test_attempt_that_was_given_up_counts_against_the_backend(backend: Backend) -> None:
    """A backend that hangs opens the breaker, though we stop waiting ourselves."""
    release = asyncio.Event()

    async def hang() -> Answer:
        await release.wait()
        return DONE

    tasks = []
    for _ in range(FAILURES):
        attempt = Retry(note, hang, Backend(FakeClock()), always)
        attempt._backend.breaker = backend.breaker
        tasks.append(asyncio.create_task(attempt.run()))
        await asyncio.sleep(0.01)
        attempt.give_up()
    assert not backend.breaker.lets_through
    release.set()
    await asyncio.gather(*tasks)
    assert not backend.breaker.lets_through


def _patient(tool: Tool) -> Tool:
    return replace(tool, guards=replace(tool.guards, timeout_s=5))
