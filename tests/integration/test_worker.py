"""The agent worker's process, a real SFU and a real record: places, draining, deaths. No speech."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import psutil
import pytest
from livekit import api, rtc

from call_record import calls, journal, keys, workers
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from devstack.parent_death import die_with_parent
from tests.support.call_steps import calls_now
from tests.support.calls import deployment, fence, requested, the_call
from tests.support.local_stack import LocalStack
from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.names import agent_identity

CALLER = "caller-1"


@pytest.fixture
async def shared(sfu: LocalStack) -> AsyncIterator[Record]:
    """The record that workers on *sfu* use."""
    url = f"sqlite+aiosqlite:///{sfu.run_dir}/parley.db"
    await prepare(url)
    record = Record(Database(url), keys.ensure(sfu.run_dir / "journal-keys.yaml"))
    yield record
    await record.close()


@asynccontextmanager
async def running_worker(
    sfu: LocalStack, log: Path, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that is registered with *sfu*."""
    with log.open("wb") as output:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent_worker",
            env={
                **sfu.environment,
                "PARLEY_SFU_URL": sfu.sfu_url,
                "PARLEY_SFU_KEYS_FILE": str(sfu.keys_file),
                **settings,
            },
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    try:
        await until(lambda: ready(sfu), 60)
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()


async def ready(sfu: LocalStack) -> bool:
    """Whether the worker says that it can take calls."""
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(sfu.url("agent-worker") + "/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


async def until(holds: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Wait until it holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.1)


async def dispatched(sfu: LocalStack, metadata: str, room: str, to: str) -> None:
    """A room with an agent on its way, as the token service makes it."""
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as client:
        agent = api.RoomAgentDispatch(agent_name="parley", deployment=to, metadata=metadata)
        await client.room.create_room(api.CreateRoomRequest(name=room, agents=[agent]))


async def called(sfu: LocalStack, record: Record) -> str:
    """A call with an agent on its way. Returns: its id."""
    call_id = await requested(record, f"{CALLER}-{new_call_id()}")
    await sent_for(sfu, record, call_id)
    return call_id


async def sent_for(sfu: LocalStack, record: Record, call_id: str) -> None:
    """An agent is sent for the call's current attempt."""
    call = await the_call(record, call_id)
    assert call.caller is not None
    metadata = DispatchMetadata(call_id=call_id, attempt=call.attempt, caller=call.caller)
    await dispatched(sfu, metadata.model_dump_json(), call_id, await deployment(record, call_id))


async def people(sfu: LocalStack, room: str) -> list[str]:
    """Who is in the room."""
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as client:
        asked = api.ListParticipantsRequest(room=room)
        return [
            person.identity for person in (await client.room.list_participants(asked)).participants
        ]


def token(sfu: LocalStack, room: str, identity: str) -> str:
    """A token of the caller's."""
    return (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )


async def test_worker_takes_as_many_calls_as_it_has_places_and_drains(
    sfu: LocalStack, shared: Record, tmp_path: Path
) -> None:
    """
    A job that is no call of ours starts nothing; of two calls together one is refused; SIGTERM lets
    the other one finish.
    """
    log = tmp_path / "worker.log"

    async def logged(*parts: str) -> bool:
        return any(all(part in line for part in parts) for line in log.read_text().splitlines())

    settings = {"PARLEY_WORKER_CAPACITY": "1", "PARLEY_WORKER_DRAIN_S": "60"}
    async with running_worker(sfu, log, **settings) as worker:
        (itself,) = await workers.read_all(shared)
        malformed = '{"call_id": "../etc", "attempt": 0}'
        await dispatched(sfu, malformed, "somewhere", itself.deployment)
        await until(lambda: logged("malformed"), 30)
        # Admission would send it one call only.
        await workers.heartbeats.change(shared, itself.worker_id, capacity=2)
        callers = {await requested(shared, name): name for name in (f"{CALLER}-1", f"{CALLER}-2")}
        ids = list(callers)
        await asyncio.gather(*(sent_for(sfu, shared, call_id) for call_id in ids))
        await until(lambda: logged('"reason": "full"'), 30)

        async def agents() -> list[str]:
            return [call for call in ids if agent_identity(call, 1) in await people(sfu, call)]

        async def agent_came() -> bool:
            return bool(await agents())

        await until(agent_came, 60)
        await asyncio.sleep(1)
        (first,) = await agents()
        (other,) = set(ids) - {first}
        refused = await the_call(shared, other)
        assert (refused.worker_id, refused.renewals) == (None, 1), "another worker is chosen now"
        assert await people(sfu, "somewhere") == []

        caller = rtc.Room()
        await caller.connect(sfu.sfu_url, token(sfu, first, callers[first]))
        worker.send_signal(signal.SIGTERM)

        async def draining() -> bool:
            return not await ready(sfu)

        await until(draining, 30)
        await asyncio.sleep(1)
        assert worker.returncode is None
        assert agent_identity(first, 1) in await people(sfu, first)
        await caller.local_participant.perform_rpc(
            destination_identity=agent_identity(first, 1), method="parley.hang_up", payload=""
        )
        assert await asyncio.wait_for(worker.wait(), 30) == 0
        await caller.disconnect()


async def agent_joins(sfu: LocalStack, call_id: str, attempt: int = 1) -> None:
    """Wait until the agent of that attempt is in the room."""

    async def there() -> bool:
        return agent_identity(call_id, attempt) in await people(sfu, call_id)

    await until(there, 60)


async def renewed(record: Record, call_id: str) -> None:
    """Wait until the job has renewed its claim."""

    async def renews() -> bool:
        return (await the_call(record, call_id)).renewals > 1

    await until(renews, 60)


@pytest.mark.long
async def test_worker_that_is_killed_leaves_a_record_of_what_it_was(
    sfu: LocalStack, shared: Record, tmp_path: Path
) -> None:
    """
    A worker shows itself in the record, its job claims and renews; when the job alone dies, the
    worker gives the claim back and frees its slot; a stale job is refused; the end is written by
    the next.
    """
    log = tmp_path / "worker.log"
    async with running_worker(sfu, log, PARLEY_WORKER_CAPACITY="3") as worker:

        async def present() -> bool:
            return any(one.capacity == 3 for one in await workers.read_all(shared))

        await until(present, 30)
        call_id = await called(sfu, shared)
        await agent_joins(sfu, call_id)
        await renewed(shared, call_id)
        owned = await the_call(shared, call_id)
        assert owned.state is CallState.LIVE and owned.owner is not None

        jobs = [
            child
            for child in psutil.Process(worker.pid).children(recursive=True)
            if child.net_connections(kind="inet")
        ]
        assert jobs
        for job in jobs:
            job.kill()

        async def given_back() -> bool:
            return (await the_call(shared, call_id)).owner is None

        await until(given_back, 30)

        async def slot_free() -> bool:
            return await calls_now(sfu) == 0

        await until(slot_free, 30)
        # Nothing of a lower attempt is taken, and the next one can end the call.
        seen = (await the_call(shared, call_id)).seen
        assert await fence(shared, call_id, seen) == 2
        await dispatched(
            sfu,
            DispatchMetadata(call_id=call_id, attempt=1, caller=CALLER).model_dump_json(),
            f"{call_id}-stale",
            (await workers.read_all(shared))[0].deployment,
        )
        await until(lambda: _logged(log, '"reason": "stale"'), 30)
        assert await calls.end(shared, call_id, "caller")
        await journal.seal(shared, call_id, 2, "caller")
        assert (await verify(shared, call_id)).verdict is Verdict.INTACT


async def _logged(log: Path, text: str) -> bool:
    return text in log.read_text()


@pytest.mark.long
async def test_worker_whose_call_is_given_to_another_leaves_it(
    sfu: LocalStack, shared: Record, tmp_path: Path
) -> None:
    """A job that finds another attempt in its row leaves the room."""
    async with running_worker(sfu, tmp_path / "worker.log"):
        call_id = await called(sfu, shared)
        await agent_joins(sfu, call_id)
        await renewed(shared, call_id)

        async def raised() -> bool:
            seen = (await the_call(shared, call_id)).seen
            return await fence(shared, call_id, seen) is not None

        await until(raised, 20)

        async def gone() -> bool:
            return await people(sfu, call_id) == []

        await until(gone, 30)


async def test_worker_with_a_wrong_setting_ends_with_one_sentence(sfu: LocalStack) -> None:
    """Before it registers, so that no call is lost to it."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "agent_worker",
        env={
            **sfu.environment,
            "PARLEY_SFU_KEYS_FILE": str(sfu.keys_file),
            "PARLEY_STT": "livekit.agents:Nothing",
        },
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    _, errors = await asyncio.wait_for(worker.communicate(), 60)
    assert worker.returncode == 2
    assert b"PARLEY_STT: livekit.agents:Nothing cannot be loaded" in errors
    assert b"Traceback" not in errors
