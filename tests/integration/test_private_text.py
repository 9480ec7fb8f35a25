"""What is said reaches the caller's page alone: a real SFU, LiveKit's own transcripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from livekit import api, rtc
from livekit.agents import Agent, AgentSession, room_io

from agent_worker.livekit_compat import keep_text_private
from agent_worker.reasoning.llm import say
from tests.support.local_stack import LocalStack, until
from tests.unit.agent_worker.scripted import ScriptedLLM

TOPIC = "lk.transcription"


@asynccontextmanager
async def in_room(sfu: LocalStack, identity: str) -> AsyncIterator[rtc.Room]:
    """Somebody in the room."""
    token = (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_kind("agent" if identity == "agent" else "standard")
        .with_grants(api.VideoGrants(room_join=True, room="private-text"))
        .to_jwt()
    )
    room = rtc.Room()
    await room.connect(sfu.sfu_url, token)
    try:
        yield room
    finally:
        await room.disconnect()


def texts(room: rtc.Room) -> list[str]:
    """Fills with what arrives in *room*, by stream or in the older way."""
    heard: list[str] = []
    reading: set[asyncio.Task[None]] = set()

    async def read(reader: rtc.TextStreamReader) -> None:
        heard.append(await reader.read_all())

    def on_stream(reader: rtc.TextStreamReader, _: str) -> None:
        task = asyncio.create_task(read(reader))
        reading.add(task)
        task.add_done_callback(reading.discard)

    room.register_text_stream_handler(TOPIC, on_stream)
    room.on("transcription_received", lambda segments, *_: heard.extend(s.text for s in segments))
    room.on("data_received", lambda packet: heard.append(repr(packet)))
    return heard


@pytest.mark.parametrize("private", [True, False])
async def test_transcript_reaches_the_listener_and_a_stranger_only_where_it_is_not_private(
    sfu: LocalStack, private: bool
) -> None:
    """Without our patch LiveKit shows it to the whole room, so the test can tell."""
    async with AsyncExitStack() as stack:
        agent, caller, stranger = [
            await stack.enter_async_context(in_room(sfu, name))
            for name in ("agent", "caller", "stranger")
        ]
        if private:
            keep_text_private(agent.local_participant, "caller")
        by_caller, by_stranger = texts(caller), texts(stranger)
        session = await stack.enter_async_context(
            AgentSession[None](llm=ScriptedLLM(lambda _: [say("Between us.")]))
        )
        options = room_io.RoomOptions(
            participant_identity="caller", audio_input=False, audio_output=False
        )
        await session.start(
            Agent(instructions=""),
            room=agent,
            session_host=False,
            record=False,
            room_options=options,
        )
        # Before it is linked to the caller, the framework sends no transcripts.
        await until(lambda: session.room_io.linked_participant is not None)
        await session.generate_reply(user_input="Hello?")
        await until(lambda: "Between us." in by_caller)
        # Sent after the transcript and in order: when it is there, so would the transcript be.
        await agent.local_participant.publish_data("the end", destination_identities=["stranger"])
        await until(lambda: any("the end" in text for text in by_stranger))
        await asyncio.sleep(0.2)
    assert any("Between us." in text for text in by_stranger) is not private
