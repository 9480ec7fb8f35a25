"""The worker's decisions, on a real record; the SFU's side is scripted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit.agents import JobRequest
from structlog.testing import capture_logs

from agent_worker import call_migration, livekit_compat
from agent_worker import worker as worker_module
from agent_worker.call_end import tell_call_ended
from agent_worker.livekit_compat import JobProcess
from agent_worker.settings import WorkerSettings
from agent_worker.worker import Worker
from call_record import workers
from call_record.record import Record
from service_base.settings import load
from tests.support.calls import fence, requested, the_call
from tests.support.local_stack import free_ports
from voice_contract.dispatch import DispatchMetadata


class ScriptedServer:
    """LiveKit's server as far as the worker asks it; a job runs until a test takes it away."""

    def __init__(self, **options: Any) -> None:
        self.active_jobs: list[Any] = []
        self.draining = False
        self.is_running = asyncio.Event()
        self.stopped = asyncio.Event()
        self.call_end_address = self.worker_id = ""
        self.ask: Callable[[JobRequest], Awaitable[None]]
        self._closed = False
        self._connecting = True
        self._proc_pool = SimpleNamespace(processes=[])

    @property
    def has_closed(self) -> bool:
        return self._closed

    def rtc_session(self, entrypoint: Any, *, agent_name: str, on_request: Any) -> None:
        self.call_end_address = entrypoint.keywords["call_end_address"]
        self.worker_id = entrypoint.keywords["worker_id"]
        self.ask = on_request

    def on(self, event: str, act: Any) -> None:
        pass

    async def run(self) -> None:
        self.is_running.set()
        await self.stopped.wait()

    async def drain(self, **_: int) -> None:
        self.draining = True
        if self.active_jobs:
            raise TimeoutError

    async def aclose(self) -> None:
        self._closed = True


class Offer:
    """A job that the SFU offers; `answer` is what the worker says."""

    def __init__(self, server: ScriptedServer, call_id: str, attempt: int) -> None:
        metadata = DispatchMetadata(call_id=call_id, attempt=attempt, caller="c").model_dump_json()
        self.room = SimpleNamespace(name=call_id)
        self.job = SimpleNamespace(metadata=metadata, room=self.room)
        self.answer = ""
        self.server = server

    async def accept(self, *, identity: str, name: str) -> None:
        self.answer = "accepted"
        await asyncio.sleep(0)
        self.server.active_jobs.append(self)

    async def reject(self, *, terminate: bool) -> None:
        self.answer = "refused for good" if terminate else "refused"


@pytest.fixture
async def server(
    record: Record, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ScriptedServer]:
    """The server of a running worker that has one slot and no drain time."""
    scripted = ScriptedServer()
    monkeypatch.setattr(worker_module, "AgentServer", lambda **_: scripted)
    (port,) = free_ports(1)
    settings = load(
        WorkerSettings,
        run_dir=tmp_path,
        database_url=database_url,
        sfu_api_key="devkey",
        sfu_api_secret="a secret of more than thirty-two characters",
        worker_capacity=1,
        worker_drain_s=0,
        worker_port=port,
        _env_file=None,
    )
    running = asyncio.create_task(Worker(settings).run())
    ready = asyncio.create_task(scripted.is_running.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    yield scripted
    scripted.stopped.set()
    await running


async def ask(*offers: Offer) -> list[str]:
    """Offer all at once. Returns: the answers."""
    await asyncio.gather(*(offer.server.ask(cast(JobRequest, offer)) for offer in offers))
    return [offer.answer for offer in offers]


async def stopped(server: ScriptedServer) -> None:
    """Stop the worker, and wait until it has drained and moved its calls."""
    server.stopped.set()
    async with asyncio.timeout(30):
        while not server.has_closed:
            await asyncio.sleep(0.01)


async def test_job_of_an_earlier_attempt_takes_no_slot_from_another_call(
    record: Record, server: ScriptedServer
) -> None:
    """Not even while the record is read: the other one is offered in that moment."""
    stale, needed = await requested(record), await requested(record)
    seen = (await the_call(record, stale)).seen
    assert await fence(record, stale, seen) == 2
    offers = Offer(server, stale, 1), Offer(server, needed, 1)
    assert await ask(*offers) == ["refused for good", "accepted"]


async def test_of_two_jobs_together_the_last_slot_takes_one(
    record: Record, server: ScriptedServer
) -> None:
    """The other one is for another worker, which the supervisor chooses now."""
    await workers.register(record, server.worker_id, 5_000)
    offers = [Offer(server, await requested(record), 1) for _ in range(2)]
    assert sorted(await ask(*offers)) == ["accepted", "refused for good"]
    for offer in offers:
        call = await the_call(record, offer.room.name)
        assert (call.worker_id is None) == (offer.answer != "accepted")
        assert call.renewals == (offer.answer != "accepted")


@pytest.mark.parametrize("is_over", [True, False])
async def test_drain_warns_of_calls_that_go_on_and_not_of_processes_of_ended_ones(
    record: Record, server: ScriptedServer, is_over: bool
) -> None:
    """A call's process takes seconds to exit after the call."""
    call_id = await requested(record)
    assert await ask(Offer(server, call_id, 1)) == ["accepted"]
    if is_over:
        assert await tell_call_ended(server.call_end_address, call_id)
    with capture_logs() as logs:
        await stopped(server)
    warned = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert ("worker.drain_ended" in warned) is not is_over


async def test_call_that_goes_on_moves_and_the_process_of_an_ended_one_is_left_alone(
    record: Record, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The free slots of other workers are for calls."""
    ended, going_on = await requested(record), await requested(record)
    server.active_jobs = [Offer(server, call_id, 1) for call_id in (ended, going_on)]
    assert await tell_call_ended(server.call_end_address, ended)
    processes = {
        call_id: await asyncio.create_subprocess_exec("sleep", "60")
        for call_id in (ended, going_on)
    }

    def with_jobs(_: object) -> list[JobProcess]:
        return [
            JobProcess(process.pid, call_id, process.wait)
            for call_id, process in processes.items()
            if process.returncode is None
        ]

    monkeypatch.setattr(livekit_compat, "processes_with_jobs", with_jobs)
    try:
        await stopped(server)
        assert processes[going_on].returncode == -call_migration.SIGNAL
        assert processes[ended].returncode is None
    finally:
        processes[ended].kill()
        await processes[ended].wait()
