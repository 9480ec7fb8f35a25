"""A worker's host is cut off the network and goes on running."""

import asyncio
import time
from collections.abc import Iterator

import pytest

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
        # The SFU may send the first one to the worker that it does not know to be cut off.
        assert call.attempt in (2, 3)
        await call.hang_up()
    assert took_s < 8
