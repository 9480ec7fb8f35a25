"""A caller without a browser: joins through the token service and speaks over real WebRTC."""

import asyncio
import atexit
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType

import httpx2 as httpx
import numpy as np
from livekit import rtc
from numpy.typing import NDArray

from service_base.tasks import TaskSet
from voice_contract.messages import AGENT_MESSAGE, AgentMessage
from voice_contract.names import AGENT_IDENTITY_PREFIX, HANG_UP_METHOD, MESSAGE_TOPIC
from voice_contract.tokens import VoiceToken, VoiceTokenRequest

RATE_HZ = 24_000
FRAME_S = 0.01
FRAME_SAMPLES = int(RATE_HZ * FRAME_S)
QUEUE_MS = 300
"""A busy machine may not run us for that long; a gap in the sound would split words."""
SOUND_RMS = 300
"""Louder than comfort noise, quieter than any speech (int16)."""
TRANSCRIPTION_TOPIC = "lk.transcription"
CHAT_TOPIC = "lk.chat"

Pcm = NDArray[np.int16]
"""Mono, 24 kHz."""

# The SDK's threads abort a process that is past its end when they call back. This runs after the
# SDK's own farewell to them, which is registered later, and lets the last of them through.
atexit.register(time.sleep, 0.2)


class NoAnswer(Exception):
    """The agent did not answer in time."""


@dataclass
class Line:
    """One line of the transcript."""

    speaker: str
    """`agent` or `caller`."""
    text: str
    at: float


@dataclass
class Ear:
    """What the caller hears, with the time at which it came."""

    frames: list[tuple[float, Pcm]] = field(default_factory=list)

    def first_sound_after(self, moment: float) -> float | None:
        """When the first audible frame after *moment* began, on the monotonic clock."""
        return next((at for at, pcm in self.frames if at > moment and rms(pcm) > SOUND_RMS), None)

    def last_sound(self) -> float | None:
        """When the last audible frame ended."""
        return next((at for at, pcm in reversed(self.frames) if rms(pcm) > SOUND_RMS), None)

    def since(self, moment: float) -> Pcm:
        """All that was heard after *moment*."""
        parts = [pcm for at, pcm in self.frames if at > moment]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class Caller:
    """
    A caller in a call. Build with `joined`.

    Its microphone sends all the time, silence included, as a browser's does.
    """

    def __init__(self, room: rtc.Room) -> None:
        self.room = room
        self.ear = Ear()
        self.voices: dict[str, Ear] = {}
        """What was heard of each agent, by its identity."""
        self.lines: list[Line] = []
        self.messages: list[AgentMessage] = []
        self.left = asyncio.Event()
        """Set when the room is gone."""
        self.noise: Iterator[Pcm] | None = None
        """What its microphone hears beside its voice, frame by frame."""
        self._source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=QUEUE_MS)
        self._to_say: deque[Pcm] = deque()
        self._said = asyncio.Event()
        self._tasks = TaskSet()
        self._streams: dict[str, rtc.AudioStream] = {}

    @property
    def agent(self) -> rtc.RemoteParticipant | None:
        """The agent, when it is in the room; the newest one, should two be."""
        found = (
            person
            for person in self.room.remote_participants.values()
            if person.identity.startswith(AGENT_IDENTITY_PREFIX)
        )
        return max(found, key=lambda person: attempt_of(person.identity), default=None)

    async def say(self, pcm: Pcm) -> float:
        """Speak *pcm*; returns when its last sound left, on the monotonic clock."""
        pcm = trimmed(pcm)
        padded = np.pad(pcm, (0, -len(pcm) % FRAME_SAMPLES))
        self._said.clear()
        # Of the silence that waits there: who speaks does so at once.
        self._source.clear_queue()
        self._to_say.extend(np.split(padded, len(padded) // FRAME_SAMPLES))
        await self._said.wait()
        await asyncio.sleep(self._source.queued_duration)
        return time.monotonic()

    async def send_text(self, text: str) -> None:
        """Send *text* as the page's text input does."""
        await self.room.local_participant.send_text(text, topic=CHAT_TOPIC)

    async def hang_up(self) -> None:
        """End the call."""
        if self.agent is not None and not self.left.is_set():
            # The agent may be gone already, or go before it answers; the call is over all the same.
            with suppress(rtc.RpcError):
                await self.room.local_participant.perform_rpc(
                    destination_identity=self.agent.identity, method=HANG_UP_METHOD, payload=""
                )

    async def answer_after(self, moment: float, timeout_s: float = 15) -> float:
        """
        Wait until the agent has spoken after *moment* and is silent again.

        Returns: when its first sound came, on the monotonic clock.
        Raises: NoAnswer: it did not within *timeout_s*.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not self.left.is_set():
            first, last = self.ear.first_sound_after(moment), self.ear.last_sound()
            if first is not None and last is not None and time.monotonic() - last > 0.8:
                return first
            await asyncio.sleep(0.05)
        raise NoAnswer(f"no answer within {timeout_s:g} s")

    async def agent_line(
        self, after: int = 0, *, containing: str = "", timeout_s: float = 20
    ) -> str:
        """
        Wait for a line of the agent's in the transcript, past the first *after* lines.

        A line comes when it was spoken to its end.
        Raises: NoAnswer: there is none within *timeout_s*.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for line in self.lines[after:]:
                if line.speaker == "agent" and containing in line.text:
                    return line.text
            await asyncio.sleep(0.05)
        heard = [line.text for line in self.lines[after:]]
        raise NoAnswer(f"no line of the agent's with {containing!r}, but {heard}")

    async def __aenter__(self) -> "Caller":
        self.room.on("track_subscribed", self._on_track)
        self.room.on("track_unsubscribed", self._on_track_gone)
        self.room.on("disconnected", lambda _: self.left.set())
        self.room.register_text_stream_handler(TRANSCRIPTION_TOPIC, self._on_transcription)
        self.room.register_text_stream_handler(MESSAGE_TOPIC, self._on_message)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._tasks.cancel()
        await self.room.disconnect()
        await self._source.aclose()

    async def connect(self, token: VoiceToken) -> None:
        """Join the room and publish the microphone."""
        await self.room.connect(token.rtc_url, token.token)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(track, options)
        self._tasks.start(self._speak(), name="speak")

    async def _speak(self) -> None:
        silence = np.zeros(FRAME_SAMPLES, np.int16)
        while True:
            pcm = self._to_say.popleft() if self._to_say else silence
            if self.noise is not None:
                pcm = pcm + next(self.noise)
            frame = rtc.AudioFrame(pcm.tobytes(), RATE_HZ, 1, FRAME_SAMPLES)
            await self._source.capture_frame(frame)
            if not self._to_say:
                self._said.set()

    def _on_track(
        self,
        track: rtc.RemoteTrack,
        _: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if participant.identity.startswith(AGENT_IDENTITY_PREFIX) and isinstance(
            track, rtc.RemoteAudioTrack
        ):
            stream = rtc.AudioStream(track, sample_rate=RATE_HZ, num_channels=1)
            self._streams[track.sid] = stream
            voice = self.voices.setdefault(participant.identity, Ear())
            self._tasks.start(self._hear(track.sid, stream, voice), name="hear")

    def _on_track_gone(self, track: rtc.RemoteTrack, *_: object) -> None:
        # Left open, it would go on with the sound of whoever comes next.
        if stream := self._streams.pop(track.sid, None):
            self._tasks.start(stream.aclose(), name="close-stream")

    async def _hear(self, sid: str, stream: rtc.AudioStream, voice: Ear) -> None:
        try:
            async for event in stream:
                pcm = np.frombuffer(bytes(event.frame.data), np.int16)
                heard = (time.monotonic(), pcm)
                self.ear.frames.append(heard)
                voice.frames.append(heard)
        finally:
            if self._streams.pop(sid, None):
                await stream.aclose()

    def _on_transcription(self, reader: rtc.TextStreamReader, sender: str) -> None:
        self._tasks.start(self._read_transcription(reader, sender), name="read-transcription")

    async def _read_transcription(self, reader: rtc.TextStreamReader, sender: str) -> None:
        text = await _read(reader)
        attributes = reader.info.attributes or {}
        by_agent = sender.startswith(AGENT_IDENTITY_PREFIX)
        if text.strip() and (by_agent or attributes.get("lk.transcription_final") == "true"):
            speaker = "agent" if by_agent else "caller"
            self.lines.append(Line(speaker, text.strip(), time.monotonic()))

    def _on_message(self, reader: rtc.TextStreamReader, sender: str) -> None:
        if sender.startswith(AGENT_IDENTITY_PREFIX):
            self._tasks.start(self._read_message(reader), name="read-message")

    async def _read_message(self, reader: rtc.TextStreamReader) -> None:
        if text := await _read(reader):
            self.messages.append(AGENT_MESSAGE.validate_json(text))


@asynccontextmanager
async def joined(
    base_url: str,
    *,
    http: httpx.AsyncClient | None = None,
    call_id: str | None = None,
    hang_up: bool = True,
) -> AsyncIterator[Caller]:
    """
    A caller whom the token service at *base_url* let in.

    Args:
        http: The caller's browser, with its cookie; None: one that is new and forgotten.
        call_id: The call to come back to; None: a new one.
        hang_up: Whether the end of the block ends the call, or only leaves the room.
    Raises: httpx2.HTTPError: the token service is away or refused.
    """
    wish = VoiceTokenRequest(call_id=call_id).model_dump()
    if http is None:
        async with httpx.AsyncClient(base_url=base_url, timeout=10) as fresh:
            response = await fresh.post("/api/voice-token", json=wish)
    else:
        response = await http.post(f"{base_url}/api/voice-token", json=wish)
    response.raise_for_status()
    async with Caller(rtc.Room()) as caller:
        await caller.connect(VoiceToken.model_validate_json(response.content))
        try:
            yield caller
        finally:
            if hang_up:
                await caller.hang_up()


def attempt_of(identity: str) -> int:
    """The attempt that an agent's identity ends with."""
    number = identity.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


async def _read(reader: rtc.TextStreamReader) -> str:
    """The whole stream; nothing when the end of the call cut it off."""
    try:
        return await reader.read_all()
    except rtc.StreamError:
        return ""


def rms(pcm: Pcm) -> float:
    """Root mean square of *pcm*, in int16 units."""
    return float(np.sqrt(np.mean(pcm.astype(np.float64) ** 2))) if len(pcm) else 0.0


def trimmed(pcm: Pcm) -> Pcm:
    """*pcm* without silence at both ends, so that its end is the end of speech."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > SOUND_RMS)
    return pcm[loud[0] : loud[-1] + 1] if len(loud) else pcm
