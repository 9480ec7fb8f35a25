"""The SFU dies and comes back."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.parent_death import die_with_parent
from tests.chaos.altered_sfu import REDIS_PORT
from tests.chaos.fleet import Fleet
from tests.chaos.line import people
from tests.chaos.results import measured
from tests.support.local_stack import free_ports

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


@pytest.fixture
def fleet_with_redis(fleet: Fleet, tmp_path: Path) -> Iterator[Fleet]:
    """The SFU keeps its rooms in Redis, and finds them again."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server on this machine")
    [port] = free_ports(1)
    redis = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    plain = fleet.sfu.module, fleet.sfu.environment
    fleet.sfu.kill()
    fleet.sfu.module = "tests.chaos.altered_sfu"
    fleet.sfu.environment = {**fleet.sfu.environment, REDIS_PORT: str(port)}
    fleet.mend()
    yield fleet
    fleet.sfu.kill()
    redis.kill()
    redis.wait()
    fleet.sfu.module, fleet.sfu.environment = plain


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_sfu_restarted_with_its_state(fleet_with_redis: Fleet, run: int) -> None:
    """Several SFUs share Redis."""
    await restarted(fleet_with_redis, "SFU with Redis restarted")
