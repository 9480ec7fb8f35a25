"""Token service, supervisor and all workers, killed and started again."""

import asyncio
import time

import httpx2 as httpx
import pytest

from tests.chaos.conversation import conversation
from tests.chaos.fleet import Fleet
from tests.chaos.line import Person, people
from tests.chaos.results import measured
from tests.support.call_steps import greeted
from tests.support.calls import the_call


async def supervisor_late(fleet: Fleet) -> None:
    """A worker dies while the supervisor is dead: the next supervisor sees to it."""
    async with conversation(fleet) as call:
        await greeted(call.caller)
        await asyncio.to_thread(fleet.supervisor.kill)
        await call.ask("Where is order eight?", "Order 8")
        worker = call.worker

        def break_both() -> None:
            worker.kill()
            fleet.supervisor.start()

        took_s = await call.break_(break_both)
        measured("worker and supervisor killed", took_s)
        await asyncio.sleep(1)
        await call.ask("When will it arrive?", "Order 8")
        await call.hang_up()


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_supervisor_killed_and_a_worker_too(fleet: Fleet, run: int) -> None:
    """The time is that of the supervisor's start, and the usual."""
    await supervisor_late(fleet)


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_token_service_killed_costs_no_call(fleet: Fleet, run: int) -> None:
    """Who is in a call notices nothing; who wants one waits for its return."""
    async with conversation(fleet) as call, Person(fleet) as another:
        await greeted(call.caller)
        await asyncio.to_thread(fleet.token.kill)
        killed_at = time.monotonic()
        await call.ask("Where is order eight?", "Order 8")
        with pytest.raises(httpx.HTTPError):
            await another.token()
        fleet.token.start()
        await asyncio.to_thread(fleet.token.wait_ready)
        line = await another.calls()
        measured("token service killed: next call", await line.sound(killed_at) - killed_at)
        await call.hang_up()


async def no_worker(fleet: Fleet) -> None:
    """No worker is left: the page is told; the one that starts takes the call."""
    async with people(fleet, 1) as [(_, line)]:
        killed_at = time.monotonic()
        for worker in fleet.workers:
            await asyncio.to_thread(worker.kill)
        while line.states[-1][1] != "no-agent":
            assert time.monotonic() < killed_at + 10
            await asyncio.sleep(0.05)
        measured("no worker: page told", line.states[-1][0] - killed_at)
        fleet.a.start()
        await asyncio.to_thread(fleet.a.wait_ready)
        ready_at = time.monotonic()
        took_s = await line.sound(killed_at, newer_than=1) - ready_at
        measured("no worker: after one is ready", max(0.0, took_s))
        await asyncio.sleep(1)
        await line.ask("When will it arrive?", "Order 8")
        assert line.states[-1][1] == "live"
        line.check_one_voice()
    assert took_s < 4


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_worker_that_starts_takes_the_call(fleet: Fleet, run: int) -> None:
    """Nobody has to call again."""
    await no_worker(fleet)


@pytest.mark.chaos
async def test_call_without_any_worker_ends_as_no_agent(fleet: Fleet) -> None:
    """The caller is told, and put out of the room."""
    async with people(fleet, 1) as [(_, line)]:
        killed_at = time.monotonic()
        for worker in fleet.workers:
            await asyncio.to_thread(worker.kill)
        await asyncio.wait_for(line.left.wait(), 60)
        measured("no worker: call ended", time.monotonic() - killed_at)
        assert "no-agent" in [state for _, state, _ in line.states]
        async with fleet.record() as record:
            call = await the_call(record, line.call_id)
        assert call.end_reason == "no-agent"
