"""A recognizer that changes its mind: first it hears one thing, in the end another."""

from dataclasses import replace
from typing import Any

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
    inference,
)
from livekit.agents import stt as lk_stt
from livekit.plugins import openai

from agent_worker.voice.preflight import PAUSE_S, PreflightSTT, _PreflightStream

SEPARATOR = " | "


class CorrectingSTT(PreflightSTT):
    """
    The worker's own, except that of "this | that" it hears "this" first and "that" in the end.

    Args: base_url: Of the server that transcribes.
    """

    def __init__(self, base_url: str) -> None:
        recognizer = openai.STT(base_url=base_url, api_key="scripted", model="scripted")
        vad = inference.VAD(min_silence_duration=PAUSE_S)
        super().__init__(recognizer, vad, lambda _: None)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> lk_stt.RecognizeStream:
        return _Stream(self, conn_options=conn_options)


class _Stream(_PreflightStream):
    def _emit(
        self,
        kind: lk_stt.SpeechEventType,
        alternatives: list[lk_stt.SpeechData] | None = None,
        ended_at: float | None = None,
    ) -> None:
        part = 0 if kind is lk_stt.SpeechEventType.PREFLIGHT_TRANSCRIPT else -1
        heard: list[Any] = [
            replace(one, text=one.text.split(SEPARATOR)[part]) for one in alternatives or []
        ]
        super()._emit(kind, heard, ended_at)
