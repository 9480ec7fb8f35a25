"""A call of the small agent in voice mode, without a room: a scripted ear, a silent mouth."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    Agent,
    APIConnectOptions,
    LanguageCode,
    ModelSettings,
    NotGivenOr,
)
from livekit.agents import stt as lk_stt
from livekit.agents import tts as lk_tts
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import io

from agent_worker.agent import AgentDefinition
from agent_worker.livekit_compat import Recognizer, RecognizerStream
from agent_worker.tools.guarded_agent import GuardedAgent
from tests.unit.agent_worker.small_agent import TextCall

RATE_HZ = 16_000
CHARACTER_S = 0.01
"""Speech is quicker than in life."""
Kind = lk_stt.SpeechEventType


class ScriptedEar(Recognizer):
    """A recognizer that streams what a test says; it does not listen to sound."""

    def __init__(self) -> None:
        super().__init__(capabilities=lk_stt.STTCapabilities(streaming=True, interim_results=True))
        self.streams: list[_EarStream] = []

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> lk_stt.RecognizeStream:
        self.streams.append(_EarStream(stt=self, conn_options=conn_options))
        return self.streams[-1]

    async def transcribe(
        self, sound: AudioBuffer, language: NotGivenOr[str], conn_options: APIConnectOptions
    ) -> lk_stt.SpeechEvent:
        raise NotImplementedError

    def hear(self, kind: Kind, text: str = "") -> None:
        """Report an event."""
        found = [lk_stt.SpeechData(language=LanguageCode("en"), text=text)] if text else []
        self.streams[-1].send(lk_stt.SpeechEvent(type=kind, alternatives=found))


class _EarStream(RecognizerStream):
    async def listen(self) -> None:
        async for _ in self.sound:
            pass


class SilentMouth(io.AudioOutput):
    """Plays in the time that the sound takes, and stops when it is told to."""

    def __init__(self) -> None:
        super().__init__(
            label="mouth", capabilities=io.AudioOutputCapabilities(pause=False), sample_rate=RATE_HZ
        )
        self.words = ""
        """What is spoken last; a room's output knows it by the transcript."""
        self._length_s = 0.0
        self._started_s = 0.0
        self._end: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self._length_s:
            self._started_s = asyncio.get_running_loop().time()
            self.on_playback_started(created_at=self._started_s)
        self._length_s += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._length_s and self._end is None:
            loop = asyncio.get_running_loop()
            self._end = loop.call_at(self._started_s + self._length_s, self._finish, False)

    def clear_buffer(self) -> None:
        if self._length_s:
            super().flush()
            self._finish(True)

    def _finish(self, interrupted: bool) -> None:
        if self._end is not None:
            self._end.cancel()
        played_s = asyncio.get_running_loop().time() - self._started_s
        length_s, self._length_s, self._end = self._length_s, 0.0, None
        self.on_playback_finished(
            playback_position=min(played_s, length_s),
            interrupted=interrupted,
            synchronized_transcript=self.words[: int(played_s / CHARACTER_S)]
            if interrupted
            else None,
        )


class _Mute(lk_tts.TTS[Any]):
    """The session asks for a voice before it speaks; the agent's own node speaks without one."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=lk_tts.TTSCapabilities(streaming=True),
            sample_rate=RATE_HZ,
            num_channels=1,
        )

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> lk_tts.ChunkedStream:
        raise NotImplementedError


class _Silence(io.AudioInput):
    def __init__(self) -> None:
        super().__init__(label="silence")

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.sleep(0.05)
        return rtc.AudioFrame.create(RATE_HZ, 1, RATE_HZ // 20)


class SilentVoice(Agent):
    """Speaks without a voice, by *mouth*."""

    mouth: SilentMouth

    async def tts_node(
        self, text: AsyncIterable[str], model_settings: ModelSettings
    ) -> AsyncIterator[rtc.AudioFrame]:
        self.mouth.words = ""
        async for words in text:
            self.mouth.words += words
            for _ in words:
                yield rtc.AudioFrame.create(RATE_HZ, 1, round(RATE_HZ * CHARACTER_S))


class _GuardedVoice(SilentVoice, GuardedAgent):
    pass


class VoiceCall(TextCall):
    """A caller who speaks."""

    def __init__(self, agent: AgentDefinition, llm: Any, *, settle_s: float = 0.0) -> None:
        self.ear = ScriptedEar()
        super().__init__(
            agent,
            llm,
            settle_s=settle_s,
            stt=self.ear,
            tts=_Mute(),
            vad=None,
            turn_handling={
                "turn_detection": "stt",
                "endpointing": {"min_delay": 0.05, "max_delay": 0.2},
                "interruption": {"mode": "vad", "min_duration": 0.0},
                "preemptive_generation": {"enabled": True, "preemptive_tts": True},
            },
            aec_warmup_duration=0.0,
            session_close_transcript_timeout=0.0,
        )
        speaking = _GuardedVoice(
            instructions=agent.instructions, gate=self.tools.gate, delivery=self.tools.delivery
        )
        self.mouth = speaking.mouth = SilentMouth()
        self.agent = speaking

    async def __aenter__(self) -> "VoiceCall":
        self.session.input.audio = _Silence()
        self.session.output.audio = self.mouth
        await super().__aenter__()
        async with asyncio.timeout(10):
            while not self.ear.streams:
                await asyncio.sleep(0.01)
        return self

    async def pause(self) -> None:
        """As long as nobody answers any faster, and no echo lasts."""
        await asyncio.sleep(0.5)

    def begin(self) -> None:
        """The caller begins to speak."""
        self.ear.hear(Kind.START_OF_SPEECH)

    def end(self, text: str) -> None:
        """The caller has said *text*."""
        self.ear.hear(Kind.FINAL_TRANSCRIPT, text)
        self.ear.hear(Kind.END_OF_SPEECH)

    async def speak(self, text: str, *, first: str | None = None) -> None:
        """The caller says *text*; *first* is what the recognizer takes it for at first."""
        self.begin()
        await asyncio.sleep(0.02)
        if first is not None:
            self.ear.hear(Kind.PREFLIGHT_TRANSCRIPT, first)
            await asyncio.sleep(0.1)
        self.end(text)
