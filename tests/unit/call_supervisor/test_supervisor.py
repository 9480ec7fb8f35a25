"""What a supervisor says of itself."""

import asyncio

import pytest

from call_supervisor.supervisor import READY_WITHIN_S
from tests.support.calls import requested
from tests.unit.call_supervisor.world import STEP_S, World


async def test_supervisor_is_ready_while_it_has_just_read_the_record(world: World) -> None:
    """Not before it has read it once, nor when that was too long ago."""
    with pytest.raises(RuntimeError, match="does not answer"):
        await world.supervisor.reads_the_record()
    await world.look()
    world.clock.seconds += READY_WITHIN_S
    await world.supervisor.reads_the_record()
    world.clock.seconds += STEP_S
    with pytest.raises(RuntimeError, match="does not answer"):
        await world.supervisor.reads_the_record()


async def test_supervisor_looks_until_it_is_cancelled_and_ends_what_it_does(world: World) -> None:
    """Time after time, and no task of it outlives it."""
    before = asyncio.all_tasks()
    call_id = await requested(world.record, room=1)
    await world.joins(call_id)
    looked = 0

    async def people(call_id: str) -> frozenset[str]:
        nonlocal looked
        looked += 1
        await asyncio.Event().wait()
        raise AssertionError

    world.rooms.people = people  # type: ignore[method-assign]
    running = asyncio.create_task(world.supervisor.run())
    async with asyncio.timeout(30):
        while not looked:
            world.clock.seconds += STEP_S
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    assert asyncio.all_tasks() == before
