"""
Transcribes an utterance before it is surely finished.

A fast voice activity detector reports a pause after 100 ms. The utterance so far is transcribed
immediately and passed on as a preflight transcript, so that a reply can be prepared. If the pause
lasts, the same text becomes final; if speech goes on, it is dropped.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents import stt as lk_stt
from livekit.agents import vad as lk_vad
from livekit.agents.utils import AudioBuffer, aio, merge_frames

from agent_worker.livekit_compat import Recognizer, RecognizerStream
from agent_worker.voice.noise_gate import NoiseGate, silence_of

PAUSE_S = 0.1
"""Silence after which an utterance is transcribed."""
FINAL_AFTER_S = 0.1
"""Further silence after which its text is final."""
LEAD_S = 0.4
"""Sound before the first detected speech that still belongs to the utterance."""
ONSET_S = 0.15
"""Sound before the caller's voice is loud that still belongs to its first word."""
POSITION_ERROR_S = 0.05
"""The detector's positions are this exact: it counts in windows of its own length."""
UTTERANCE_MAX_S = 25.0
"""A longer one is transcribed in pieces."""


class PreflightSTT(Recognizer):
    """
    Turns *recognizer*, which transcribes whole utterances, into a streaming one with preflights.

    Args:
        recognizer: Any non-streaming `stt.STT`.
        vad: Reports a pause after `PAUSE_S`.
        on_failure: Called when an utterance cannot be transcribed. The stream goes on.
    """

    def __init__(
        self, recognizer: lk_stt.STT[Any], vad: lk_vad.VAD, on_failure: Callable[[Exception], None]
    ) -> None:
        super().__init__(capabilities=lk_stt.STTCapabilities(streaming=True, interim_results=True))
        self.recognizer = recognizer
        self.vad = vad
        self.on_failure = on_failure
        recognizer.on("metrics_collected", self._forward)

    @property
    def model(self) -> str:
        return self.recognizer.model

    @property
    def provider(self) -> str:
        return self.recognizer.provider

    async def transcribe(
        self, sound: AudioBuffer, language: NotGivenOr[str], conn_options: APIConnectOptions
    ) -> lk_stt.SpeechEvent:
        return await self.recognizer.recognize(sound, language=language, conn_options=conn_options)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> lk_stt.RecognizeStream:
        return _PreflightStream(self, conn_options=conn_options)

    async def aclose(self) -> None:
        self.recognizer.off("metrics_collected", self._forward)
        await self.recognizer.aclose()

    def _forward(self, *args: Any) -> None:
        self.emit("metrics_collected", *args)


class _PreflightStream(RecognizerStream):
    """
    Positions are seconds of sound since the stream began. On a busy machine the detector lags
    seconds behind the input, so its position alone decides which sound is kept and transcribed.
    """

    def __init__(self, owner: PreflightSTT, *, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=owner, conn_options=APIConnectOptions(max_retry=0))
        self._owner = owner
        self._recognize_options = conn_options
        self._kept: deque[tuple[float, rtc.AudioFrame, bool]] = deque()
        """
        The position of its end, a frame, and whether it is of the caller's voice, from the
        beginning of the utterance.
        """
        self._gate = NoiseGate()
        self._received_s = 0.0
        self._speaking = False
        self._attempt: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        vad_stream = self._owner.vad.stream()

        async def feed() -> None:
            async for item in self.sound:
                if isinstance(item, rtc.AudioFrame):
                    self._received_s += item.duration
                    is_voice = self._gate.opens_for(item)
                    self._kept.append((self._received_s, item, is_voice))
                    vad_stream.push_frame(item if is_voice else silence_of(item))
            vad_stream.end_input()

        async def watch() -> None:
            async for event in vad_stream:
                match event.type:
                    case lk_vad.VADEventType.START_OF_SPEECH:
                        self._resume()
                    case lk_vad.VADEventType.END_OF_SPEECH:
                        self._pause(event)
                    case lk_vad.VADEventType.INFERENCE_DONE:
                        self._bound(event.timestamp)

        try:
            await asyncio.gather(feed(), watch())
            if self._attempt is not None:
                await asyncio.wait({self._attempt})
        finally:
            if self._attempt is not None:
                await aio.cancel_and_wait(self._attempt)
            await vad_stream.aclose()

    def _bound(self, position_s: float) -> None:
        """Keep only `LEAD_S` of sound between utterances, and cut an utterance that is too long."""
        if self._attempt is not None:
            return
        if not self._speaking:
            self._drop_until(position_s - LEAD_S)
        elif self._kept and position_s - self._kept[0][0] >= UTTERANCE_MAX_S:
            self._transcribe(position_s, time.time(), final_after_s=0)

    def _resume(self) -> None:
        self._speaking = True
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None
        self._emit(lk_stt.SpeechEventType.START_OF_SPEECH)

    def _pause(self, event: lk_vad.VADEvent) -> None:
        self._speaking = False
        ended_at = time.time() - event.silence_duration - event.inference_duration
        self._emit(lk_stt.SpeechEventType.END_OF_SPEECH, ended_at=ended_at)
        self._transcribe(event.timestamp, ended_at, final_after_s=FINAL_AFTER_S)

    def _transcribe(self, position_s: float, ended_at: float, *, final_after_s: float) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        self._attempt = asyncio.create_task(self._attempt_at(position_s, ended_at, final_after_s))

    async def _attempt_at(self, position_s: float, ended_at: float, final_after_s: float) -> None:
        final_at = asyncio.get_running_loop().time() + final_after_s
        sound = self._voice_until(position_s + POSITION_ERROR_S)
        alternatives: list[lk_stt.SpeechData] = []
        try:
            result = await self._owner.recognizer.recognize(
                merge_frames(sound), conn_options=self._recognize_options
            )
            alternatives = [found for found in result.alternatives[:1] if found.text.strip()]
        except Exception as error:
            self._owner.on_failure(error)
        if alternatives:
            self._emit(lk_stt.SpeechEventType.PREFLIGHT_TRANSCRIPT, alternatives, ended_at)
        await asyncio.sleep(final_at - asyncio.get_running_loop().time())
        if alternatives:
            self._emit(lk_stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives, ended_at)
        self._drop_until(position_s - PAUSE_S)
        self._attempt = None

    def _voice_until(self, position_s: float) -> list[rtc.AudioFrame]:
        """The sound up to there, without what is far behind the caller's voice."""
        sound: list[rtc.AudioFrame] = []
        voice_s = float("inf")
        for end_s, frame, is_voice in reversed(self._kept):
            if is_voice:
                voice_s = end_s
            if end_s <= position_s:
                # A word's beginning is low: the gate opens after it.
                sound.append(frame if voice_s - end_s <= ONSET_S else silence_of(frame))
        return sound[::-1]

    def _drop_until(self, position_s: float) -> None:
        while self._kept and self._kept[0][0] <= position_s:
            self._kept.popleft()

    def _emit(
        self,
        kind: lk_stt.SpeechEventType,
        alternatives: list[lk_stt.SpeechData] | None = None,
        ended_at: float | None = None,
    ) -> None:
        self.send(
            lk_stt.SpeechEvent(type=kind, alternatives=alternatives or [], speech_end_time=ended_at)
        )
