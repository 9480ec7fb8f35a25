"""The record is away: from everybody, or from one worker alone."""

import asyncio
import time

import pytest

from tests.chaos.conversation import conversation
from tests.chaos.fleet import Fleet
from tests.chaos.results import measured
from tests.support.call_steps import greeted

AWAY_S = 10.0


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_record_away_for_10_s_costs_no_call_its_agent(fleet: Fleet, run: int) -> None:
    """The conversation goes on, nothing is done, and nobody is replaced when it is back."""
    lines = [fleet.record_line, *fleet.record_lines]
    async with conversation(fleet) as call:
        await greeted(call.caller)
        await call.ask("Where is order eight?", "Order 8")
        away_at = time.monotonic()
        for line in lines:
            line.cut()
        await asyncio.sleep(2)
        asked_at = time.monotonic()
        await call.ask("When are you open on Saturday?", "Saturday")
        answered_at = await call.first_sound(asked_at)
        measured("record away: answer", answered_at - asked_at)
        await call.ask("I want to talk to a person", "can't do that right now")
        await asyncio.sleep(max(0, away_at + AWAY_S - time.monotonic()))
        for line in lines:
            line.cut(False)
        await asyncio.sleep(6)
        now = await call.now()
        assert (now.attempt, now.owner is not None) == (1, True)
        await call.ask("Where is order eight?", "Order 8")
        await call.hang_up()
        assert await call.effects() == []


@pytest.mark.chaos
@pytest.mark.parametrize("run", range(5))
async def test_worker_that_loses_the_record_alone_is_replaced(fleet: Fleet, run: int) -> None:
    """It goes on talking, so it is put out of the room before the next one speaks."""
    async with conversation(fleet) as call:
        await greeted(call.caller)
        await call.ask("Where is order eight?", "Order 8")
        line = fleet.record_lines[fleet.workers.index(call.worker)]
        took_s = await call.break_(line.cut)
        measured("worker without the record", took_s)
        await asyncio.sleep(1)
        await call.ask("When will it arrive?", "Order 8")
        line.cut(False)
        await asyncio.sleep(3)
        assert call.attempt == 2
        await call.hang_up()
    assert took_s < 8
