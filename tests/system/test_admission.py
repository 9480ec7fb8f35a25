"""Several callers at about the same time, on a busy machine: each is answered, or told "busy"."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from stack.caller import NoAnswer, joined
from stack.parent_death import die_with_parent
from tests.local_stack import LocalStack, running_stack

SLOTS = 5
BURNERS = 2
"""Processes that do nothing but use up a core each."""
ANSWERED_WITHIN_S = 20

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def small_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose worker takes five calls, beside processes that leave it little time."""
    folder: Path = tmp_path_factory.mktemp("small-stack")
    with (
        running_stack(folder, PARLEY_WORKER_CAPACITY=str(SLOTS)) as stack,
        ExitStack() as burning,
    ):
        for _ in range(BURNERS):
            burner = subprocess.Popen(
                [sys.executable, "-c", "while True: pass"], preexec_fn=die_with_parent
            )
            burning.callback(burner.wait)
            burning.callback(burner.kill)
        yield stack


async def outcome(stack: LocalStack, wait_s: float, hang_up: asyncio.Event) -> str:
    """What the caller who asks after *wait_s* gets: `answered`, `silence`, or a problem's code."""
    await asyncio.sleep(wait_s)
    called_at = time.monotonic()
    try:
        async with joined(stack.page_url) as caller:
            try:
                await caller.agent_line(timeout_s=ANSWERED_WITHIN_S)
            except NoAnswer:
                return "silence"
            heard_at = caller.ear.first_sound_after(called_at)
            if heard_at is None:
                return "silence"
            print(f"answered after {heard_at - called_at:.2f} s")
            await hang_up.wait()
            return "answered"
    except httpx.HTTPStatusError as refused:
        assert int(refused.response.headers["Retry-After"]) > 0
        code: str = refused.response.json()["code"]
        return code


async def outcomes(stack: LocalStack, callers: int, apart_s: float) -> Counter[str]:
    """What callers get who stay until all have been answered."""
    hang_up = asyncio.Event()
    calls = [
        asyncio.create_task(outcome(stack, number * apart_s, hang_up)) for number in range(callers)
    ]
    await asyncio.sleep(callers * apart_s + ANSWERED_WITHIN_S)
    hang_up.set()
    return Counter(await asyncio.gather(*calls))


async def free(stack: LocalStack) -> None:
    """Wait until the calls of an earlier test are over."""
    async with asyncio.timeout(30), httpx.AsyncClient() as http:
        while True:
            metrics = (await http.get(stack.url("worker") + "/metrics")).text
            if "\nparley_worker_calls 0.0" in metrics:
                return
            await asyncio.sleep(0.2)


async def test_five_callers_a_second_apart_are_all_answered(small_stack: LocalStack) -> None:
    """There is a place for each, and what the machine has to do besides loses none of them."""
    await free(small_stack)
    assert await outcomes(small_stack, SLOTS, apart_s=1) == {"answered": SLOTS}


async def test_twenty_callers_at_once_on_five_slots_are_answered_or_told(
    small_stack: LocalStack,
) -> None:
    """Nobody waits in a silent room."""
    await free(small_stack)
    expected = {"answered": SLOTS, "agents-busy": 20 - SLOTS}
    assert await outcomes(small_stack, 20, apart_s=0) == expected
