"""A worker that must stop moves its calls to another one."""

import asyncio
import signal

import pytest

from tests.chaos.conversation import conversation
from tests.chaos.fleet import Fleet
from tests.chaos.results import measured
from tests.support.call_steps import greeted


async def migrated(fleet: Fleet) -> None:
    """SIGTERM to a worker whose drain is short: the call goes on at the other one."""
    async with conversation(fleet) as call:
        await greeted(call.caller)
        await call.ask("Where is order eight?", "Order 8")
        worker = call.worker
        process = worker.process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        # In the middle of an answer the call stays.
        asked_at = await call.say("what is the status of my order number eight")
        await call.first_sound(asked_at)
        await call.caller.answer_after(asked_at)
        silent_at = call.caller.ear.last_sound()
        assert silent_at is not None
        async with asyncio.timeout(20):
            while call.attempt == 1:
                await asyncio.sleep(0.02)
        heard_at = await call.first_sound(silent_at + 0.3)
        measured("migrated: silence", heard_at - silent_at)
        await asyncio.sleep(1)
        await call.ask("When will it arrive?", "Order 8")
        assert call.worker is not worker
        assert await asyncio.to_thread(process.wait, 30) == 0
        await call.hang_up()


@pytest.mark.long
async def test_worker_that_must_stop_moves_its_call_briefly(fleet: Fleet) -> None:
    """The short form."""
    await migrated(fleet)


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_worker_that_must_stop_moves_its_call(fleet: Fleet, run: int) -> None:
    """At a pause, to another worker."""
    await migrated(fleet)
