"""A worker's host is cut off the network and goes on running."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from devstack.caller import attempt_of, joined
from tests.chaos import island as islands
from tests.chaos.conversation import conversation
from tests.chaos.fleet import Fleet
from tests.chaos.island import Island
from tests.chaos.results import measured
from tests.support.call_steps import greeted

CUT_S = 12.0


@pytest.fixture
def fleet_with_island(fleet: Fleet, island: Island) -> Iterator[Fleet]:
    """Worker `b` reaches everything over the link; the SFU's media address is on it."""
    services = (fleet.sfu, fleet.b)
    before = [(one.module, one.environment, one.prefix, one.ready_url) for one in services]
    for one in services:
        one.kill()

    def through(service: str) -> int:
        return fleet.relays.to(fleet.stack.port(service), host=island.here).port

    record = fleet.database_url
    assert record.port is not None
    line = fleet.relays.to(record.port, host=island.here)
    speech = f"http://{island.here}:{through('speech-server')}/v1"
    islands.open_media(fleet, island)
    fleet.b.environment = {
        **fleet.b.environment,
        "PARLEY_WORKER_HOST": island.there,
        "PARLEY_SFU_URL": f"ws://{island.here}:{through('sfu')}",
        "PARLEY_STT_BASE_URL": speech,
        "PARLEY_TTS_BASE_URL": speech,
        "PARLEY_STOREFRONT_URL": f"http://{island.here}:{through('storefront')}",
        "PARLEY_DATABASE_URL": record.set(host=island.here, port=line.port).render_as_string(
            hide_password=False
        ),
    }
    fleet.b.prefix = island.prefix
    fleet.b.ready_url = fleet.b.ready_url.replace("127.0.0.1", island.there)
    fleet.mend()
    yield fleet
    for one, plain in zip(services, before, strict=True):
        one.kill()
        one.module, one.environment, one.prefix, one.ready_url = plain


@pytest.mark.chaos
@pytest.mark.timeout(180)
@pytest.mark.parametrize("run", range(5))
async def test_worker_cut_off_the_network_falls_silent_and_is_replaced(
    fleet_with_island: Fleet, island: Island, run: int
) -> None:
    """It lives and knows nothing; when the network is back, it must not be heard again."""
    fleet = fleet_with_island
    await asyncio.to_thread(fleet.a.kill)
    async with conversation(fleet) as call:
        await greeted(call.caller)
        assert call.worker is fleet.b
        fleet.a.start()
        await asyncio.to_thread(fleet.a.wait_ready)
        await call.ask("Where is order eight?", "Order 8")
        before = call.attempt
        took_s = await call.break_(island.cut)
        cut_at = time.monotonic() - took_s
        measured("worker's network cut", took_s)
        await asyncio.sleep(1)
        await call.ask("When will it arrive?", "Order 8")
        await asyncio.sleep(max(0, cut_at + CUT_S - time.monotonic()))
        island.cut(False)
        await asyncio.sleep(6)
        await call.ask("When will it arrive?", "Order 8")
        assert call.worker is fleet.a
        assert call.attempt == before + 1, "nothing was sent to the host that is cut off"
        await call.hang_up()
    assert took_s < 8


NEW_CALLS = 16
CUT_BEFORE = 7
PAUSE_S = 1.5


@pytest.mark.chaos
@pytest.mark.timeout(180)
async def test_new_calls_while_a_host_is_cut_off_all_get_an_agent(
    fleet_with_island: Fleet, island: Island
) -> None:
    """Those on their way to it are sent elsewhere, and no more go there."""
    fleet = fleet_with_island
    for worker in (fleet.a, fleet.b):
        worker.kill()
        worker.environment = {**worker.environment, "PARLEY_WORKER_CAPACITY": str(NEW_CALLS)}
    fleet.mend()

    async def call() -> tuple[float, bool]:
        """Returns: seconds to the first sound, and whether the first agent made it."""
        asked_at = time.monotonic()
        # Leaving is enough: there are slots for all.
        async with joined(fleet.stack.page_url, hang_up=False) as caller:
            async with asyncio.timeout(30):
                while (heard_at := caller.ear.first_sound_after(asked_at)) is None:
                    await asyncio.sleep(0.02)
            agent = caller.agent
            first = agent is not None and attempt_of(agent.identity) == 1
            return heard_at - asked_at, first

    calls = []
    for number in range(NEW_CALLS):
        if number == CUT_BEFORE:
            await asyncio.to_thread(island.cut)
        calls.append(asyncio.create_task(call()))
        await asyncio.sleep(PAUSE_S)
    results = await asyncio.gather(*calls)
    for took_s, first in results:
        measured("new call, a host is cut off", took_s, "first agent" if first else "another")
    assert len(results) == NEW_CALLS
