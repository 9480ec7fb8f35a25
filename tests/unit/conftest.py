"""What unit tests share: waits that take no time."""

import asyncio
import time
from collections.abc import Callable, Mapping

import pytest

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
