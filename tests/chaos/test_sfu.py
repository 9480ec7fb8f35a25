"""The SFU dies and comes back."""

import asyncio
import time

import pytest

from tests.chaos.fleet import Fleet
from tests.chaos.line import people
from tests.chaos.results import measured

AWAY_S = 2.0


async def restarted(fleet: Fleet, fault: str) -> None:
    """Killed and back after 2 s: the same agent goes on, and knows what was said."""
    async with people(fleet, 1) as [(person, line)]:
        await asyncio.to_thread(fleet.sfu.kill)
        await asyncio.sleep(AWAY_S)
        fleet.sfu.start()
        await asyncio.to_thread(fleet.sfu.wait_ready)
        back_at = time.monotonic()
        while True:
            asked_at = time.monotonic()
            await line.type("When will it arrive?")
            try:
                heard_at = await line.sound(asked_at, timeout_s=4)
                break
            except AssertionError:
                if line.left.is_set():
                    line = await person.calls(line.call_id)
                assert time.monotonic() < back_at + 40
        measured(fault, heard_at - back_at)
        await line.line("Order 8", timeout_s=20)
        await asyncio.sleep(8)
        await line.ask("When will it arrive?", "Order 8")
        line.check_one_voice()


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_sfu_restarted_without_its_state(fleet: Fleet, run: int) -> None:
    """One SFU by itself keeps its rooms in memory."""
    await restarted(fleet, "SFU restarted")
