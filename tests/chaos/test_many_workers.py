"""Three workers on PostgreSQL, each service as a user of its own: what `--scale` does in small."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from call_record import follow_up
from devstack.caller import Caller, joined
from tests.chaos.fleet import Fleet, Service
from tests.support.call_steps import greeted
from tests.support.local_stack import free_ports

CALLS = 3
DONE_WITHIN_S = 30.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def third(fleet: Fleet) -> Iterator[Service]:
    """One worker more."""
    worker = fleet.worker("worker-c", free_ports(1)[0], fleet.record_line)
    worker.start()
    worker.wait_ready()
    yield worker
    worker.kill()


@pytest.fixture
def post_call(fleet: Fleet) -> Iterator[Service]:
    """The work after calls."""
    service = fleet.post_call()
    service.start()
    service.wait_ready()
    yield service
    service.kill()


@pytest.mark.usefixtures("post_call")
async def test_calls_are_spread_and_survive_the_stop_of_a_worker(
    fleet: Fleet, third: Service
) -> None:
    """None is lost, new callers get in, and the work after the calls is done."""
    workers = [*fleet.workers, third]
    async with AsyncExitStack() as calls:
        callers = [
            await calls.enter_async_context(joined(fleet.stack.page_url)) for _ in range(CALLS)
        ]
        await asyncio.gather(*(greeted(caller, timeout_s=60) for caller in callers))
        accepted = {worker.name: worker.events("job.accepted") for worker in workers}
        ids = {caller.room.name for caller in callers}
        spread = Counter(
            name for name, events in accepted.items() for event in events if event["call_id"] in ids
        )
        assert set(spread.values()) == {CALLS // len(workers)}, spread

        assert third.process is not None
        third.process.send_signal(signal.SIGTERM)
        one_more = await calls.enter_async_context(joined(fleet.stack.page_url))
        await greeted(one_more, timeout_s=60)
        await asyncio.to_thread(third.process.wait, 60)
        await asyncio.gather(*map(answered, (*callers, one_more)))
    async with fleet.record() as record, asyncio.timeout(DONE_WITHIN_S):
        for call_id in ids:
            while (work := await follow_up.read_follow_up(record, call_id)) is None or (
                work.state == "waiting"
            ):
                await asyncio.sleep(0.2)
            assert work.state == "ready"


async def answered(caller: Caller) -> None:
    """The caller asks and hears."""
    before = len(caller.lines)
    await caller.send_text("Where is order eight?")
    await caller.agent_line(after=before, containing="Order 8", timeout_s=30)
