"""What a supervisor says of itself."""

import pytest

from call_supervisor.supervisor import READY_WITHIN_S
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
