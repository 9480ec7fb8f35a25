"""Workers that went without a word."""

from call_record import workers
from tests.unit.call_supervisor.world import World


async def test_worker_that_stands_still_is_marked_gone_until_it_moves(world: World) -> None:
    """Admission reads the mark."""
    await workers.register(world.record, "worker", 4)
    await world.pass_time(5)
    assert not (await workers.read_all(world.record))[0].gone
    world.workers_live = False
    await world.pass_time(3)
    assert (await workers.read_all(world.record))[0].gone
    world.workers_live = True
    await world.pass_time(1)
    assert not (await workers.read_all(world.record))[0].gone
