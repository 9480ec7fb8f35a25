"""What unit tests share: waits that take no time, and a record whose clock is turned by hand."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping

import pytest

from call_record.record import Record
from tests.support.calls import FakeClock
from tests.support.virtual_time import CLOCKS, VirtualTimeLoop


def pytest_asyncio_loop_factories(
    item: pytest.Function,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests that use `virtual_time` have a loop that skips waits."""
    if "virtual_time" in item.fixturenames:
        return {"virtual": VirtualTimeLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
async def virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time, and all clocks agree on how long they were."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualTimeLoop):
        return  # the test itself is not async
    for name in CLOCKS:
        began_s = getattr(time, name)()
        monkeypatch.setattr(time, name, lambda began_s=began_s: began_s + loop.time())


@pytest.fixture
def clock() -> FakeClock:
    """Turned by hand."""
    return FakeClock()


@pytest.fixture
def clocked(record: Record, clock: FakeClock) -> Record:
    """The record with that clock."""
    return dataclasses.replace(record, clock=clock)
