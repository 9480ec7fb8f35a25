"""What the agent listens to in its room, and what it takes: real SFU and record, no speech."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from agent_worker.settings import WorkerSettings
from call_record.record import Record
from devstack.caller import CHAT_TOPIC
from service_base.settings import load
from tests.support.calls import requested
from tests.support.local_stack import LocalStack
from tests.support.room_call import SPEECHLESS, RoomCall, enter, running_call
from tests.unit.agent_worker.small_agent import load_templates, small_agent
from voice_contract.messages import TEXT_MAX_CHARS
from voice_contract.names import (
    ACTION_OUTCOME_METHOD,
    CONFIRM_METHOD,
    CONFIRMATIONS_METHOD,
    HANG_UP_METHOD,
)

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


@pytest.fixture
async def scene(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> AsyncIterator[RoomCall]:
    """A call whose caller was greeted."""
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
        **SPEECHLESS,
    )
    agent = small_agent(load_templates(tmp_path))
    call_id = await requested(record, "caller-1")
    async with running_call(sfu, record, settings, agent, call_id) as call:
        yield call


def handlers(room: rtc.Room) -> set[str]:
    """By what others in *room* can reach us. The SDK does not list it."""
    listeners: dict[Any, Any] = room._events
    return {
        *(f"text {topic}" for topic in room._text_stream_handlers),
        *(f"bytes {topic}" for topic in room._byte_stream_handlers),
        *(f"rpc {method}" for method in room.local_participant._rpc_handlers),
        *(f"event {event}" for event in DATA_EVENTS if listeners.get(event)),
    }


async def test_all_that_the_agent_listens_to_is_known(scene: RoomCall) -> None:
    """What the framework adds on its own, by an upgrade or a default, is named here."""
    assert handlers(scene.job.room) - HANDLERS == set()
    assert HANDLERS - handlers(scene.job.room) == set()


async def test_text_is_cut_and_one_that_nobody_types_is_refused(scene: RoomCall) -> None:
    """Also one that is small on the way and large when it is unpacked."""
    await scene.write("a" * (TEXT_MAX_CHARS + 100))
    await scene.write("b" * 5_000_000)
    await scene.write("look at room 5")
    typed = await scene.heard("look at room 5")
    assert typed == ["a" * TEXT_MAX_CHARS, "look at room 5"]


async def test_texts_that_never_end_keep_no_reader_and_stop_no_answer(
    scene: RoomCall,
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


async def test_text_of_a_stranger_is_not_kept(sfu: LocalStack, scene: RoomCall) -> None:
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
