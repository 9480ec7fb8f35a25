"""What the agent listens to in its room: a whole call in this process, a real SFU and record."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from livekit import api, rtc
from livekit.agents import JobContext

from agent_worker.call import Call
from agent_worker.call_migration import Migration
from agent_worker.claim import CallClaim, claim_call
from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from call_record import journal
from call_record.record import Record
from devstack.caller import CHAT_TOPIC
from service_base.settings import load
from tests.support.calls import requested
from tests.support.local_stack import LocalStack, until
from tests.unit.agent_worker.small_agent import load_templates, small_agent
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import UserTurn
from voice_contract.messages import TEXT_MAX_CHARS
from voice_contract.names import (
    ACTION_OUTCOME_METHOD,
    CONFIRM_METHOD,
    CONFIRMATIONS_METHOD,
    HANG_UP_METHOD,
    agent_identity,
)

NOWHERE = "http://127.0.0.1:9/v1"
HANDLERS = {
    f"text {CHAT_TOPIC}",
    f"rpc {HANG_UP_METHOD}",
    f"rpc {CONFIRMATIONS_METHOD}",
    f"rpc {CONFIRM_METHOD}",
    f"rpc {ACTION_OUTCOME_METHOD}",
    # A key of a telephone counts as a sign of life, the linked caller's alone.
    "event sip_dtmf_received",
}
"""All by which somebody in the room can reach code in the agent's process."""
DATA_EVENTS = (
    "data_received",
    "sip_dtmf_received",
    "transcription_received",
    "data_track_published",
)


class Job:
    """What a call needs of its job, with a room of its own."""

    def __init__(self, sfu: LocalStack, call_id: str) -> None:
        self.room = rtc.Room()
        self._sfu = sfu
        self._call_id = call_id
        self.joined = asyncio.Event()

    async def connect(self) -> None:
        """Join as the call's agent."""
        await enter(self._sfu, self.room, self._call_id, agent_identity(self._call_id, 1))

    async def wait_for_participant(self, *, identity: str) -> None:
        """Wait for the caller."""
        while identity not in self.room.remote_participants:
            await asyncio.sleep(0.02)
        self.joined.set()

    async def delete_room(self) -> None:
        """The SFU does that when everybody has left."""

    def shutdown(self, reason: str) -> None:
        """There is no process to end."""


async def enter(sfu: LocalStack, room: rtc.Room, name: str, identity: str) -> None:
    """Join the room of that name."""
    token = (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_kind("agent" if identity.startswith("agent-") else "standard")
        .with_grants(api.VideoGrants(room_join=True, room=name))
        .to_jwt()
    )
    await room.connect(sfu.sfu_url, token)


class Scene:
    """A call in progress and its caller."""

    def __init__(self, record: Record, call_id: str, job: Job, caller: rtc.Room) -> None:
        self.record = record
        self.call_id = call_id
        self.job = job
        self.caller = caller

    async def heard(self, text: str) -> list[str]:
        """What the caller wrote, when *text* is among it."""
        async with asyncio.timeout(15):
            while True:
                entries = [one.entry for one in await journal.read(self.record, self.call_id)]
                typed = [one.text for one in entries if isinstance(one, UserTurn)]
                if text in typed:
                    return typed
                await asyncio.sleep(0.05)

    async def write(self, text: str, topic: str = CHAT_TOPIC) -> None:
        """Send *text* at once."""
        await self.caller.local_participant.send_text(text, topic=topic)


@asynccontextmanager
async def claimed(
    settings: WorkerSettings, dispatch: DispatchMetadata
) -> AsyncIterator[CallClaim]:
    """The call's claim."""
    metrics = Metrics(None)
    async with claim_call(
        settings, dispatch, owner="worker/job", worker_id="worker", metrics=metrics
    ) as claim:
        yield claim


@pytest.fixture
async def scene(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> AsyncIterator[Scene]:
    """A call whose caller was greeted."""
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        stt_base_url=NOWHERE,
        tts_base_url=NOWHERE,
        _env_file=None,
    )
    call_id = await requested(record, "caller-1")
    dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller="caller-1")
    agent = small_agent(load_templates(tmp_path))
    job, caller = Job(sfu, call_id), rtc.Room()
    await enter(sfu, caller, call_id, "caller-1")

    async def told() -> bool:
        return True

    async with claimed(settings, dispatch) as claim:
        call = Call(
            cast(JobContext, job),
            dispatch,
            agent,
            agent.all_tools,
            settings,
            Metrics(None),
            claim,
            Migration(signals=False),
            None,
            tell_ended=told,
        )
        running = asyncio.create_task(call.run())
        await asyncio.wait_for(job.joined.wait(), 30)
        yield Scene(record, call_id, job, caller)
        call.end("caller")
        await asyncio.wait_for(running, 60)
    await caller.disconnect()


def handlers(room: rtc.Room) -> set[str]:
    """By what others in *room* can reach us. The SDK does not list it."""
    listeners: dict[Any, Any] = room._events
    return {
        *(f"text {topic}" for topic in room._text_stream_handlers),
        *(f"bytes {topic}" for topic in room._byte_stream_handlers),
        *(f"rpc {method}" for method in room.local_participant._rpc_handlers),
        *(f"event {event}" for event in DATA_EVENTS if listeners.get(event)),
    }


async def test_all_that_the_agent_listens_to_is_known(scene: Scene) -> None:
    """What the framework adds on its own, by an upgrade or a default, is named here."""
    assert handlers(scene.job.room) - HANDLERS == set()
    assert HANDLERS - handlers(scene.job.room) == set()


async def test_text_is_cut_and_one_that_nobody_types_is_refused(scene: Scene) -> None:
    """Also one that is small on the way and large when it is unpacked."""
    await scene.write("a" * (TEXT_MAX_CHARS + 100))
    await scene.write("b" * 5_000_000)
    await scene.write("look at room 5")
    typed = await scene.heard("look at room 5")
    assert typed == ["a" * TEXT_MAX_CHARS, "look at room 5"]


async def test_texts_that_never_end_keep_no_reader_and_stop_no_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few may be under way at a time: the next one pushes out the oldest."""
    writers = [
        await scene.caller.local_participant.stream_text(topic=CHAT_TOPIC) for _ in range(30)
    ]
    for writer in writers:
        await writer.write("c" * 100)
    await asyncio.sleep(1)
    assert len(scene.job.room._text_stream_readers) <= 4
    await scene.write("look at room 5")
    assert await scene.heard("look at room 5") == ["look at room 5"]
    for writer in writers:
        await writer.aclose()


async def test_text_of_a_stranger_is_not_kept(sfu: LocalStack, scene: Scene) -> None:
    """Nor answered."""
    stranger = rtc.Room()
    await enter(sfu, stranger, scene.call_id, "stranger")
    try:
        writer = await stranger.local_participant.stream_text(topic=CHAT_TOPIC)
        await writer.write("look at room 6")
        await asyncio.sleep(0.5)
        assert scene.job.room._text_stream_readers == {}
        await writer.aclose()
        await scene.write("look at room 5")
        assert await scene.heard("look at room 5") == ["look at room 5"]
    finally:
        await stranger.disconnect()
