"""The caller's network or browser goes away, and comes back or does not."""

import asyncio
import signal
import time
from collections.abc import Iterator

import pytest

from call_record.tables import CallState
from tests.chaos import island as islands
from tests.chaos.fleet import Fleet
from tests.chaos.island import Island
from tests.chaos.line import Line, Person, people
from tests.chaos.results import measured
from tests.support.calls import the_call

CALLERS = 5
RELOAD_AFTER_S = 10


@pytest.fixture
def fleet_seen_from_island(fleet: Fleet, island: Island) -> Iterator[Fleet]:
    """The SFU's media is on the link to the callers."""
    plain = fleet.sfu.module, fleet.sfu.environment
    fleet.sfu.kill()
    islands.open_media(fleet, island)
    fleet.mend()
    yield fleet
    fleet.sfu.kill()
    fleet.sfu.module, fleet.sfu.environment = plain


@pytest.mark.chaos
@pytest.mark.timeout(240)
@pytest.mark.parametrize("away_s", [5, 15, 40])
async def test_caller_away_finds_its_conversation(
    fleet_seen_from_island: Fleet, island: Island, away_s: int
) -> None:
    """The same agent answers what refers to what was said before."""
    fleet = fleet_seen_from_island
    signalling = fleet.relays.to(fleet.stack.port("sfu"), host=island.here)
    rtc_url = f"ws://{island.here}:{signalling.port}"
    async with people(fleet, CALLERS, prefix=island.prefix, rtc_url=rtc_url) as everyone:
        island.cut()
        await asyncio.sleep(away_s)
        island.cut(False)
        back_at = time.monotonic()
        lines = await asyncio.gather(*(answered(*one, away_s, back_at) for one in everyone))
        async with fleet.record() as record:
            for line in lines:
                line.check_one_voice()
                assert (await the_call(record, line.call_id)).attempt == 1


async def answered(person: Person, line: Line, away_s: int, back_at: float) -> Line:
    """
    The caller, who may have to join again, is answered; until then it may hear that the agent is
    still there.
    """
    heard_at = None
    while True:
        before, asked_at = len(line.lines), time.monotonic()
        try:
            await line.type("When will it arrive?")
            sound_at = await line.sound(asked_at, timeout_s=4)
            heard_at = heard_at or sound_at
            # It comes when it was spoken to its end; who asks again before that interrupts it.
            await line.line("Order 8", after=before, timeout_s=15)
        except (AssertionError, OSError):
            assert time.monotonic() < back_at + 75
            # Who hears nothing reloads the page.
            if line.left.is_set() or time.monotonic() > back_at + RELOAD_AFTER_S:
                line.signal(signal.SIGKILL)
                line = await person.calls(line.call_id)
        else:
            measured(f"caller away for {away_s} s", heard_at - back_at)
            return line


@pytest.mark.chaos
@pytest.mark.timeout(240)
async def test_tab_closed_ends_the_call_after_the_grace_time(fleet: Fleet) -> None:
    """The SFU needs 20 s to notice, and 30 s is the grace."""
    async with people(fleet, CALLERS) as everyone:
        closed_at = time.monotonic()
        for _, line in everyone:
            line.signal(signal.SIGKILL)
        async with fleet.record() as record:
            for _, line in everyone:
                while (call := await the_call(record, line.call_id)).state is not CallState.ENDED:
                    assert time.monotonic() < closed_at + 75
                    await asyncio.sleep(0.2)
                assert call.end_reason == "caller-gone"
                measured("tab closed: call ended", time.monotonic() - closed_at)


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_second_tab_takes_the_call_over(fleet: Fleet, run: int) -> None:
    """The first one is out; the agent is heard in the second."""
    async with people(fleet, 1) as [(person, first)]:
        asked_at = time.monotonic()
        second = await person.calls(first.call_id)
        await asyncio.wait_for(first.left.wait(), 10)
        measured("second tab", await second.sound(asked_at) - asked_at)
        await asyncio.sleep(2)
        await second.ask("When will it arrive?", "Order 8")
