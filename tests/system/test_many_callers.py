"""Many callers on a busy machine: each is answered or told that agents are busy; none is silent."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from devstack.caller import joined
from devstack.parent_death import die_with_parent
from tests.support.local_stack import LocalStack, running_stack

SLOTS = 5
GREETING_TIMEOUT_S = 60

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def busy_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack with five slots, beside a process on every core that wants all of it."""
    with running_stack(tmp_path_factory.mktemp("busy"), PARLEY_WORKER_CAPACITY=str(SLOTS)) as stack:
        greedy = [
            subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=die_with_parent)
            for _ in range(os.cpu_count() or 1)
        ]
        try:
            yield stack
        finally:
            for process in greedy:
                process.kill()
                process.wait()


async def call(stack: LocalStack, after_s: float, everybody: asyncio.Barrier) -> str:
    """What a caller is told: words that it hears, or the code of a refusal."""
    await asyncio.sleep(after_s)
    try:
        async with joined(stack.page_url) as caller:
            said = await caller.agent_line(timeout_s=GREETING_TIMEOUT_S)
            assert caller.ear.last_sound() is not None, "written, but not heard"
            await everybody.wait()
            return said
    except httpx.HTTPStatusError as error:
        refused: str = error.response.json()["code"]
        assert int(error.response.headers["retry-after"]) > 0
        await everybody.wait()
        return refused


async def test_callers_one_second_apart_are_all_answered(busy_stack: LocalStack) -> None:
    """As many as there are slots for."""
    everybody = asyncio.Barrier(SLOTS)
    told = await asyncio.gather(*(call(busy_stack, n, everybody) for n in range(SLOTS)))
    assert ["automated assistant" in words for words in told] == [True] * SLOTS, told


async def test_callers_beyond_the_slots_are_told_that_agents_are_busy(
    busy_stack: LocalStack,
) -> None:
    """Twenty at the same time, who all wait for what they are told."""
    callers = 4 * SLOTS
    await _free(busy_stack)
    everybody = asyncio.Barrier(callers)
    told = await asyncio.gather(*(call(busy_stack, 0, everybody) for _ in range(callers)))
    assert sum("automated assistant" in words for words in told) == SLOTS, told
    assert told.count("agents-busy") == callers - SLOTS, told


async def _free(stack: LocalStack) -> None:
    """Wait until the calls before have ended."""
    async with httpx.AsyncClient(base_url=stack.url("token-service")) as http, asyncio.timeout(60):
        while "parley_slots_used 0.0" not in (await http.get("/metrics")).text:
            await asyncio.sleep(0.5)
