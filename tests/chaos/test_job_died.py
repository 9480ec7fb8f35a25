"""A call's own process dies or hangs, and its worker lives."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.chaos.conversation import Conversation, conversation
from tests.chaos.fleet import Fleet
from tests.chaos.results import measured
from tests.support.call_steps import greeted


async def ready(call: Conversation) -> Callable[[signal.Signals], None]:
    """A conversation, and how to signal its job."""
    await greeted(call.caller)
    await call.ask("Where is order eight?", "Order 8")
    await asyncio.sleep(0.5)
    pids = call.worker.job_pids()
    assert len(pids) == 1, pids
    return lambda number: os.kill(pids[0], number)


async def killed(fleet: Fleet) -> float:
    """
    SIGKILL of the job: its worker knows.

    Returns: the seconds until the next agent is heard.
    """
    async with conversation(fleet) as call:
        to_job = await ready(call)
        took_s = await call.break_(lambda: to_job(signal.SIGKILL))
        measured("job killed", took_s)
        await asyncio.sleep(1)
        await call.ask("When will it arrive?", "Order 8")
        await call.hang_up()
    return took_s


async def stopped(fleet: Fleet) -> None:
    """SIGSTOP of the job for 6 s: it hangs, is replaced, and says nothing when it goes on."""
    async with conversation(fleet) as call:
        to_job = await ready(call)
        stopped_at = time.monotonic()
        took_s = await call.break_(lambda: to_job(signal.SIGSTOP))
        measured("job hangs", took_s)
        await asyncio.sleep(max(0, stopped_at + 6 - time.monotonic()))
        to_job(signal.SIGCONT)
        await asyncio.sleep(2)
        await call.ask("When will it arrive?", "Order 8")
        assert call.attempt == 2
        await call.hang_up()
    assert took_s < 8


@pytest.mark.long
async def test_call_survives_the_death_of_its_job_briefly(fleet: Fleet) -> None:
    """The short form."""
    await killed(fleet)


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_call_survives_the_death_of_its_job(fleet: Fleet, run: int) -> None:
    """Within 1.5 s."""
    assert await killed(fleet) < 1.5


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_call_survives_a_job_that_hangs(fleet: Fleet, run: int) -> None:
    """Its late end does no harm."""
    await stopped(fleet)
