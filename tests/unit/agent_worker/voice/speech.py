"""A detector and a recognizer by script, and sound in frames of 20 ms."""

import asyncio

from livekit import rtc
from livekit.agents import (
    APIConnectOptions,
    LanguageCode,
    NotGivenOr,
)
from livekit.agents import stt as lk_stt
from livekit.agents import vad as lk_vad
from livekit.agents.utils import AudioBuffer, merge_frames

from agent_worker.livekit_compat import Recognizer

RATE_HZ = 16_000
FRAME_S = 0.02
START = lk_vad.VADEventType.START_OF_SPEECH
END = lk_vad.VADEventType.END_OF_SPEECH


def frame(number: int) -> rtc.AudioFrame:
    """20 ms of sound whose samples all are *number*."""
    samples = int(RATE_HZ * FRAME_S)
    data = (number % 30_000).to_bytes(2, "little") * samples
    return rtc.AudioFrame(data, RATE_HZ, 1, samples)


class ScriptedVAD(lk_vad.VAD):
    """Reports *script*: events by the position in seconds at which they are noticed."""

    def __init__(self, script: list[tuple[float, lk_vad.VADEventType]]) -> None:
        super().__init__(capabilities=lk_vad.VADCapabilities(update_interval=FRAME_S))
        self.script = script
        self.frames = 0
        """Heard so far."""

    def stream(self) -> lk_vad.VADStream:
        return _ScriptedVADStream(self)


class _ScriptedVADStream(lk_vad.VADStream):
    async def _main_task(self) -> None:
        assert isinstance(self._vad, ScriptedVAD)
        waiting = list(self._vad.script)
        async for item in self._input_ch:
            if not isinstance(item, rtc.AudioFrame):
                continue
            self._vad.frames += 1
            position_s = self._vad.frames * FRAME_S
            while waiting and waiting[0][0] <= position_s + 1e-6:
                self._report(waiting.pop(0)[1], position_s)
            self._report(lk_vad.VADEventType.INFERENCE_DONE, position_s)

    def _report(self, kind: lk_vad.VADEventType, position_s: float) -> None:
        self._event_ch.send_nowait(
            lk_vad.VADEvent(
                type=kind,
                samples_index=round(position_s * RATE_HZ),
                timestamp=position_s,
                speech_duration=0,
                silence_duration=0.1,
            )
        )


class ScriptedRecognizer(Recognizer):
    """
    Transcribes what it is given as the numbers of its first and last frame, such as "5-20".

    While `open` is not set, it does not answer. `failure` is raised instead, once.
    """

    def __init__(self) -> None:
        super().__init__(
            capabilities=lk_stt.STTCapabilities(streaming=False, interim_results=False)
        )
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.silent = False
        self.asked = 0
        self.answered = 0
        self.closed = False

    @property
    def model(self) -> str:
        return "scripted-ear"

    @property
    def provider(self) -> str:
        return "script"

    async def transcribe(
        self, sound: AudioBuffer, language: NotGivenOr[str], conn_options: APIConnectOptions
    ) -> lk_stt.SpeechEvent:
        self.asked += 1
        await self.open.wait()
        self.answered += 1
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        samples = merge_frames(sound).data
        text = "" if self.silent else f"{samples[0]}-{samples[-1]}"
        return lk_stt.SpeechEvent(
            type=lk_stt.SpeechEventType.FINAL_TRANSCRIPT,
            alternatives=[lk_stt.SpeechData(language=LanguageCode("en"), text=text)],
        )

    async def aclose(self) -> None:
        self.closed = True
