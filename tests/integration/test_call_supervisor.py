"""The supervisor with a real SFU: agents without speech die, hang, come late or not at all."""

import asyncio
import hashlib
import json
import signal
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
from livekit import api, rtc

from call_record import erasure, keys, workers
from call_record.database import Database
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from call_supervisor.rooms import Rooms
from call_supervisor.supervisor import CallSupervisor
from call_supervisor.timeouts import Timeouts
from devstack.parent_death import die_with_parent
from tests.support.calls import deployment, requested, the_call
from tests.support.local_stack import LocalStack, running_sfu
from tests.support.scripted_worker import AGENT_NAME, ScriptedAgent, ScriptedWorker
from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import AGENT_IDENTITY_PREFIX
from voice_contract.room import RoomState

QUICK = Timeouts(poll_s=0.1, still_s=2.0, claim_s=2.0, look_s=1.0, look_often_s=0.5, sweep_s=1.0)


@pytest.fixture
async def lasting(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Record]:
    """An empty record in an SQLite file, which other processes may share."""
    file = tmp_path / "parley.db"
    file.write_bytes(sqlite_template.read_bytes())
    keys_file = tmp_path / "journal-keys.yaml"
    opened = Record(Database(f"sqlite+aiosqlite:///{file}"), keys.ensure(keys_file))
    yield opened
    await opened.close()


@asynccontextmanager
async def sfu_api(sfu: LocalStack) -> AsyncIterator[api.LiveKitAPI]:
    """The SFU's API, with its key."""
    async with api.LiveKitAPI(sfu.url("sfu"), sfu.key.api_key, sfu.key.secret) as client:
        yield client


@asynccontextmanager
async def supervising(
    sfu: LocalStack, record: Record, timeouts: Timeouts = QUICK
) -> AsyncIterator[CallSupervisor]:
    """A supervisor in this process."""
    async with sfu_api(sfu) as client:
        supervisor = CallSupervisor(record, Rooms(client, AGENT_NAME), timeouts)
        running = asyncio.create_task(supervisor.run())
        try:
            yield supervisor
        finally:
            running.cancel()
            await asyncio.wait({running})


@asynccontextmanager
async def supervisor_process(
    sfu: LocalStack, folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m call_supervisor`, ready."""
    with (folder / "supervisor.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "call_supervisor",
            env={
                **sfu.environment,
                "PARLEY_SFU_URL": sfu.sfu_url,
                "PARLEY_SFU_KEYS_FILE": str(sfu.keys_file),
                "PARLEY_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/parley.db",
                "PARLEY_JOURNAL_KEYS_FILE": str(folder / "journal-keys.yaml"),
            },
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    try:
        async with httpx.AsyncClient(trust_env=False) as http:

            async def ready() -> bool:
                try:
                    answer = await http.get(sfu.url("call-supervisor") + "/readyz")
                except httpx.HTTPError:
                    return False
                return answer.status_code == 200

            await until(ready, 30)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Line:
    """The caller's end of the line: which agents it could hear when, what the page was told."""

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.audible: set[str] = set()
        self.most_at_once = 0
        self.states: list[RoomState] = []
        room.on("track_subscribed", lambda _, __, person: self._hears(person.identity))
        room.on("track_unsubscribed", lambda _, __, person: self._lost(person.identity))
        room.on("room_metadata_changed", lambda _, metadata: self._told(metadata))

    def _hears(self, identity: str) -> None:
        if identity.startswith(AGENT_IDENTITY_PREFIX):
            self.audible.add(identity)
            self.most_at_once = max(self.most_at_once, len(self.audible))

    def _lost(self, identity: str) -> None:
        self.audible.discard(identity)

    def _told(self, metadata: str) -> None:
        self.states.append(RoomState.model_validate_json(metadata))

    @property
    def told(self) -> list[str]:
        """The states that the page was told, in order."""
        return [f"{state.state} {state.attempt}" for state in self.states]


@asynccontextmanager
async def calling(sfu: LocalStack, record: Record, *, agent: bool = True) -> AsyncIterator[Line]:
    """A caller in a call that was admitted, its room made as the token service makes it."""
    call_id = await requested(record, "sam")
    metadata = DispatchMetadata(call_id=call_id, attempt=1, caller="sam").model_dump_json()
    dispatch = api.RoomAgentDispatch(
        agent_name=AGENT_NAME, deployment=await deployment(record, call_id), metadata=metadata
    )
    # Of those that tests start none has this name.
    await workers.leave(record, "worker")
    async with sfu_api(sfu) as client:
        await client.room.create_room(
            api.CreateRoomRequest(name=call_id, agents=[dispatch] if agent else [])
        )
    line = Line(rtc.Room())
    await line.room.connect(sfu.sfu_url, token(sfu, call_id))
    if line.room.metadata:
        # What the page was told before it came.
        line.states.insert(0, RoomState.model_validate_json(line.room.metadata))
    try:
        yield line
    finally:
        await line.room.disconnect()
        await erasure.end(record, call_id, "test")


def token(sfu: LocalStack, room: str, identity: str = "sam") -> str:
    """A token of the caller's."""
    return (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_ttl(timedelta(seconds=30))
        .with_grants(api.VideoGrants(room_join=True, room=room))
        .to_jwt()
    )


async def until(holds: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Wait until it holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.02)


async def heard(line: Line, attempt: int) -> None:
    """Wait until the caller hears the agent of *attempt*, and no other one."""
    expected = {f"{AGENT_IDENTITY_PREFIX}{line.room.name}-{attempt}"}

    async def only() -> bool:
        return line.audible == expected

    await until(only, 60)


async def agent_of(worker: ScriptedWorker, attempt: int) -> ScriptedAgent:
    """The agent of *attempt*, when it is in its room."""

    async def there() -> bool:
        return any(agent.metadata.attempt == attempt for agent in worker.agents)

    await until(there, 30)
    return next(agent for agent in worker.agents if agent.metadata.attempt == attempt)


async def test_agent_that_hangs_is_replaced_and_never_heard_together(
    sfu: LocalStack, lasting: Record
) -> None:
    """Its sound goes on until it is removed; only then the next one comes."""
    async with (
        ScriptedWorker(sfu, lasting) as worker,
        supervising(sfu, lasting),
        calling(sfu, lasting) as line,
    ):
        await heard(line, 1)
        (await agent_of(worker, 1)).hang()
        hung_at = time.monotonic()
        await heard(line, 2)
        took_s = time.monotonic() - hung_at
        await asyncio.sleep(1)
        assert (line.most_at_once, line.audible) == (1, {(await agent_of(worker, 2)).identity})
        assert line.told[-2:] == ["recovering 2", "live 2"]
        call = await the_call(lasting, line.room.name)
        assert (call.attempt, call.joined_at_ms is not None) == (2, True)
        print(f"heard again {took_s:.2f} s after the hang, still_s {QUICK.still_s}")


async def test_worker_that_dies_loses_its_call_to_another(sfu: LocalStack, lasting: Record) -> None:
    """Whoever has room takes it; the dead one is marked as gone."""
    async with supervising(sfu, lasting), calling(sfu, lasting, agent=False) as line:
        async with ScriptedWorker(sfu, lasting, name="first") as first:
            await heard(line, 2)
            async with ScriptedWorker(sfu, lasting, name="second") as second:
                await first.die()
                await heard(line, 3)
                assert [agent.metadata.attempt for agent in second.agents] == [3]
                assert line.most_at_once == 1


async def test_worker_that_registers_after_the_caller_joined_takes_the_call(
    sfu: LocalStack, lasting: Record
) -> None:
    """With the supervisor's own times; meanwhile the page says that there is nobody."""
    async with supervising(sfu, lasting, Timeouts()), calling(sfu, lasting) as line:

        async def told() -> bool:
            return line.told[-1:] == ["no-agent 1"]

        await until(told, 30)
        registered_at = time.monotonic()
        async with ScriptedWorker(sfu, lasting):
            await heard(line, 2)
            print(f"heard {time.monotonic() - registered_at:.2f} s after the worker registered")


async def test_no_worker_at_all_ends_the_call_as_no_agent(sfu: LocalStack, lasting: Record) -> None:
    """The caller is told, and then put out of the room."""
    impatient = replace(QUICK, no_agent_s=2.0)
    async with supervising(sfu, lasting, impatient), calling(sfu, lasting) as line:
        left = asyncio.Event()
        line.room.on("disconnected", lambda _: left.set())
        await asyncio.wait_for(left.wait(), 60)
        call = await the_call(lasting, line.room.name)
        assert (call.state, call.end_reason) == (CallState.ENDED, "no-agent")
        assert "no-agent 1" in line.told
        assert (await verify(lasting, line.room.name)).verdict is Verdict.INTACT


@pytest.mark.long
async def test_worker_that_does_not_answer_is_passed_over(sfu: LocalStack, lasting: Record) -> None:
    """The attempt that it holds is given up; when it answers late, it is refused."""
    async with ScriptedWorker(sfu, lasting, name="stalled") as stalled, supervising(sfu, lasting):
        stalled.answers = False
        async with calling(sfu, lasting) as line:

            async def asked() -> bool:
                return bool(stalled.requested)

            await until(asked, 30)
            stalled.answers = True
            await heard(line, 2)
            assert line.most_at_once == 1


async def test_caller_in_the_room_of_an_ended_call_is_sent_away(
    sfu: LocalStack, lasting: Record
) -> None:
    """Its token is still good: the SFU lets it in, the supervisor puts it out again."""
    call_id = await requested(lasting, "sam")
    await erasure.end(lasting, call_id, "caller")
    async with supervising(sfu, lasting):
        room, left = rtc.Room(), asyncio.Event()
        room.on("disconnected", lambda _: left.set())
        await room.connect(sfu.sfu_url, token(sfu, call_id))
        await asyncio.wait_for(left.wait(), 60)


@pytest.mark.long
async def test_room_that_is_no_calls_stays(sfu: LocalStack, lasting: Record) -> None:
    """Whatever else the SFU is used for."""
    async with sfu_api(sfu) as client:
        await client.room.create_room(api.CreateRoomRequest(name="meeting"))
        async with supervising(sfu, lasting):
            await asyncio.sleep(5)
        assert (await client.room.list_rooms(api.ListRoomsRequest(names=["meeting"]))).rooms
        await client.room.delete_room(api.DeleteRoomRequest(room="meeting"))


@pytest.mark.long
async def test_sfu_killed_and_back_costs_no_attempt_while_the_job_lives(
    lasting: Record, tmp_path: Path
) -> None:
    """Agent and caller come back by themselves; nobody is called dead for the SFU's death."""
    (tmp_path / "own").mkdir()
    with running_sfu(tmp_path / "own") as sfu:
        async with (
            ScriptedWorker(sfu, lasting) as worker,
            supervising(sfu, lasting),
            calling(sfu, lasting) as line,
        ):
            await heard(line, 1)
            sfu.stop([signal.SIGKILL])
            await asyncio.sleep(2)
            sfu.start("devstack.sfu")
            agent = await agent_of(worker, 1)

            async def met() -> bool:
                return agent.identity in line.room.remote_participants

            await until(met, 30)
            assert (await the_call(lasting, line.room.name)).attempt == 1

            async def told() -> bool:
                return line.room.metadata == '{"attempt":1,"state":"live"}'

            await until(told, 30)


def signed(sfu: LocalStack, body: str, *, secret: str | None = None) -> dict[str, str]:
    """Headers of a webhook as the SFU sends it."""
    jwt = api.AccessToken(sfu.key.api_key, secret or sfu.key.secret).with_sha256(
        b64encode(hashlib.sha256(body.encode()).digest()).decode()
    )
    return {"Authorization": jwt.to_jwt(), "Content-Type": "application/webhook+json"}


async def test_webhooks_make_the_process_look_and_forged_ones_nothing(
    sfu: LocalStack, lasting: Record, tmp_path: Path
) -> None:
    """The SFU's own are taken; unsigned, forged, altered, malformed, too large ones are not."""
    async with supervisor_process(sfu, tmp_path), httpx.AsyncClient(trust_env=False) as http:
        url = sfu.url("call-supervisor") + "/webhook"
        async with ScriptedWorker(sfu, lasting), calling(sfu, lasting) as line:
            joined_at = time.monotonic()

            async def noted() -> bool:
                call = await the_call(lasting, line.room.name)
                return call.joined_at_ms is not None

            await until(noted, 30)
            print(f"join noted after {time.monotonic() - joined_at:.2f} s")
            await heard(line, 1)
            event = json.dumps({"event": "room_finished", "room": {"name": line.room.name}})
            for _ in range(3):  # a replay
                answer = await http.post(url, content=event, headers=signed(sfu, event))
                assert answer.status_code == 204
            forged = signed(sfu, event, secret="x" * 40)
            other = event.replace("finished", "started")
            for headers, body in [
                ({}, event),
                ({"Authorization": token(sfu, line.room.name)}, event),
                (forged, event),
                (signed(sfu, event), other),
                (signed(sfu, "nonsense"), "nonsense"),
                (signed(sfu, "\xff"), "\xff"),
            ]:
                answer = await http.post(url, content=body.encode("latin-1"), headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (401, "not-the-sfu")
            answer = await http.post(url, content=b"x" * 70_000)
            assert answer.status_code == 413
            await asyncio.sleep(1)
            call = await the_call(lasting, line.room.name)
            assert (call.state, call.attempt) == (CallState.LIVE, 1)
        metrics = (await http.get(sfu.url("call-supervisor") + "/metrics")).text
        assert 'parley_supervisor_webhooks_total{outcome="refused"} 6.0' in metrics
        accepted = metrics.split('webhooks_total{outcome="accepted"} ')[1].split("\n")[0]
        assert float(accepted) > 3, "none came from the SFU itself"


@pytest.mark.long
@pytest.mark.parametrize("killed_after_s", [2.4, 2.5, 2.6, 2.7, 2.8, 3.0])
async def test_supervisor_process_killed_during_a_recovery_leaves_it_to_the_next(
    sfu: LocalStack, lasting: Record, tmp_path: Path, killed_after_s: float
) -> None:
    """SIGKILL just when it acts; the next one completes it, and nobody hears two agents."""
    async with ScriptedWorker(sfu, lasting) as worker, calling(sfu, lasting) as line:
        async with supervisor_process(sfu, tmp_path) as first:
            await heard(line, 1)
            (await agent_of(worker, 1)).hang()
            await asyncio.sleep(killed_after_s)
            first.kill()
        async with supervisor_process(sfu, tmp_path):
            call = await the_call(lasting, line.room.name)

            async def back() -> bool:
                now = await the_call(lasting, line.room.name)
                return now.attempt > 1 and now.owner is not None

            await until(back, 60)
            now = await the_call(lasting, line.room.name)
            await heard(line, now.attempt)
            print(f"killed at attempt {call.attempt}, back with {now.attempt}")
            assert now.attempt in (2, 3)
            assert line.most_at_once == 1


async def test_supervisor_on_a_public_address_is_refused(sfu: LocalStack, tmp_path: Path) -> None:
    """Unless it is said that only the SFU and operators get there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "call_supervisor",
        env={**sfu.environment, "PARLEY_SUPERVISOR_HOST": "0.0.0.0"},  # noqa: S104
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"PARLEY_SUPERVISOR_EXPOSED" in errors and b"Traceback" not in errors
