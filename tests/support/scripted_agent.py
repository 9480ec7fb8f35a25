"""An agent that does what a test tells it: a real participant of a real room."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

import numpy as np
from livekit import api, rtc

from devstack.caller import CHAT_TOPIC, RATE_HZ, TRANSCRIPTION_TOPIC
from tests.support.canned_service import CALLER, CannedService
from voice_contract.messages import AgentMessage
from voice_contract.names import MESSAGE_TOPIC, agent_identity
from voice_contract.room import RoomState, RoomStateName

FRAME_SAMPLES = RATE_HZ // 100


class ScriptedAgent:
    """It hums at *pitch_hz* as long as it is in the room. Build with `in_the_room`."""

    def __init__(self, room: rtc.Room, pitch_hz: int) -> None:
        self.room = room
        self.pitch_hz = pitch_hz
        self.texts: list[str] = []
        """What the caller wrote."""
        self._segments = 0
        self._source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=20)

    async def say(self, text: str) -> None:
        """Put *text* into the transcript."""
        self._segments += 1
        await self.room.local_participant.send_text(
            text,
            topic=TRANSCRIPTION_TOPIC,
            destination_identities=[CALLER],
            attributes={
                "lk.segment_id": f"{self.room.local_participant.identity}-{self._segments}",
                "lk.transcription_final": "true",
            },
        )

    async def tell(self, message: AgentMessage) -> None:
        """Send a message of the contract."""
        await self.send(message.model_dump_json())

    async def send(self, text: str) -> None:
        """Send anything as if it were a message of the contract."""
        await self.room.local_participant.send_text(
            text, topic=MESSAGE_TOPIC, destination_identities=[CALLER]
        )

    async def act(self, state: Literal["listening", "thinking", "speaking"]) -> None:
        """Say what it does."""
        await self.room.local_participant.set_attributes({"lk.agent.state": state})

    def answer(
        self, method: str, handler: Callable[[rtc.RpcInvocationData], Awaitable[str]]
    ) -> None:
        """Answer the RPC *method*."""
        self.room.local_participant.register_rpc_method(method, handler)

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        self.texts.append(await reader.read_all())

    @asynccontextmanager
    async def _present(self, url: str, token: str) -> AsyncIterator[None]:
        tasks: set[asyncio.Task[None]] = set()
        self.room.register_text_stream_handler(
            CHAT_TOPIC, lambda reader, _: tasks.add(asyncio.create_task(self._read(reader)))
        )
        await self.room.connect(url, token)
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        await self.act("listening")
        tasks.add(asyncio.create_task(self._hum()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.room.disconnect()
            await self._source.aclose()

    async def _hum(self) -> None:
        turns = np.arange(RATE_HZ) * self.pitch_hz / RATE_HZ
        second = (np.sin(2 * np.pi * turns) * 8_000).astype(np.int16)
        while True:
            for part in np.split(second, len(second) // FRAME_SAMPLES):
                await self._source.capture_frame(
                    rtc.AudioFrame(part.tobytes(), RATE_HZ, 1, FRAME_SAMPLES)
                )


@asynccontextmanager
async def in_the_room(
    service: CannedService, *, attempt: int = 1, pitch_hz: int = 440, identity: str | None = None
) -> AsyncIterator[ScriptedAgent]:
    """The agent of *attempt*, or anyone else by *identity*, while it is in the call's room."""
    name = identity or agent_identity(service.call_id, attempt)
    agent = ScriptedAgent(rtc.Room(), pitch_hz)
    async with agent._present(service.sfu.sfu_url, service.token(service.call_id, name)):
        yield agent


async def say_room_state(service: CannedService, attempt: int, state: RoomStateName) -> None:
    """Write the room's metadata, as the supervisor does."""
    key = service.sfu.key
    metadata = RoomState(attempt=attempt, state=state).model_dump_json()
    async with api.LiveKitAPI(service.sfu.sfu_url, key.api_key, key.secret) as client:
        await client.room.update_room_metadata(
            api.UpdateRoomMetadataRequest(room=service.call_id, metadata=metadata)
        )
