"""The agent worker's process against a real SFU: places, draining, wrong jobs. No speech."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
from livekit import api, rtc

from stack.parent_death import die_with_parent
from tests.local_stack import LocalStack
from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.names import agent_identity

CALLER = "caller-1"


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
            return (await http.get(sfu.url("worker") + "/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


async def until(holds: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Wait until it holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.1)


async def dispatched(sfu: LocalStack, metadata: str, room: str) -> None:
    """A room with an agent on its way, as the token service makes it."""
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as client:
        agent = api.RoomAgentDispatch(agent_name="parley", metadata=metadata)
        await client.room.create_room(api.CreateRoomRequest(name=room, agents=[agent]))


async def called(sfu: LocalStack) -> str:
    """A call with an agent on its way. Returns: its id."""
    call_id = new_call_id()
    metadata = DispatchMetadata(call_id=call_id, attempt=1, caller=CALLER)
    await dispatched(sfu, metadata.model_dump_json(), call_id)
    return call_id


async def people(sfu: LocalStack, room: str) -> list[str]:
    """Who is in the room."""
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as client:
        asked = api.ListParticipantsRequest(room=room)
        return [
            person.identity for person in (await client.room.list_participants(asked)).participants
        ]


def token(sfu: LocalStack, room: str) -> str:
    """A token of the caller's."""
    return (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(CALLER)
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )


async def test_worker_takes_as_many_calls_as_it_has_places_and_drains(
    sfu: LocalStack, tmp_path: Path
) -> None:
    """
    A job that is no call of ours starts nothing; of two calls at once one is refused; SIGTERM lets
    the other one finish.
    """
    log = tmp_path / "worker.log"

    async def logged(*parts: str) -> bool:
        return any(all(part in line for part in parts) for line in log.read_text().splitlines())

    settings = {"PARLEY_WORKER_CAPACITY": "1", "PARLEY_WORKER_DRAIN_S": "60"}
    async with running_worker(sfu, log, **settings) as worker:
        await dispatched(sfu, '{"call_id": "../etc", "attempt": 0}', "somewhere")
        await until(lambda: logged("malformed"), 10)
        calls = [await called(sfu), await called(sfu)]
        await until(lambda: logged('"reason": "full"'), 10)

        async def agents() -> list[str]:
            return [call for call in calls if agent_identity(call, 1) in await people(sfu, call)]

        async def agent_came() -> bool:
            return bool(await agents())

        await until(agent_came, 20)
        await asyncio.sleep(1)
        (first,) = await agents()
        assert await people(sfu, "somewhere") == []

        caller = rtc.Room()
        await caller.connect(sfu.sfu_url, token(sfu, first))
        worker.send_signal(signal.SIGTERM)

        async def draining() -> bool:
            return not await ready(sfu)

        await until(draining, 10)
        await asyncio.sleep(2)
        assert worker.returncode is None
        assert agent_identity(first, 1) in await people(sfu, first)
        await caller.local_participant.perform_rpc(
            destination_identity=agent_identity(first, 1), method="parley.hang_up", payload=""
        )
        assert await asyncio.wait_for(worker.wait(), 30) == 0
        await caller.disconnect()


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
