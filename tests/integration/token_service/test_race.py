"""Two hundred callers for five slots, at two token services, at the same time."""

import asyncio

import pytest

from call_record import calls, queue, workers
from call_record.admission import hang_up
from call_record.record import Record
from tests.support.token_service import browser, client
from token_service.app import build
from token_service.settings import TokenSettings

CALLERS, SLOTS = 200, 5


async def race(settings: TokenSettings, record: Record) -> None:
    """Five get in and hold the five slots; all others are told that agents are busy."""
    await workers.register(record, "worker", SLOTS)
    apps = [build(settings), build(settings)]
    async with client(apps[0]), client(apps[1]):

        async def call(number: int) -> tuple[int, str]:
            async with browser(apps[number % 2]) as http:
                response = await http.post("/api/voice-token")
                return response.status_code, response.json().get("code", "")

        answers = await asyncio.gather(*map(call, range(CALLERS)))
    assert sorted(answers) == [(200, "")] * SLOTS + [(503, "agents-busy")] * (CALLERS - SLOTS)
    holding = await calls.not_ended(record)
    assert len(holding) == SLOTS
    for one in holding:
        await hang_up(record, one.call_id, "caller")
    # Nobody waits any more.
    async with record.database.writing() as connection:
        await queue.remove_forgotten(connection, record.clock.now_ms() + 2 * queue.FORGET_AFTER_MS)


async def test_two_hundred_callers_for_five_slots_fill_five(
    settings: TokenSettings, record: Record
) -> None:
    """Twice, so that the slots are free again in between."""
    for _ in range(2):
        await race(settings, record)


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_two_hundred_callers_for_five_slots_fill_five_every_time(
    settings: TokenSettings, record: Record
) -> None:
    """Twenty times over."""
    for _ in range(20):
        await race(settings, record)
