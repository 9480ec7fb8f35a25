"""Plugins as a user might write them, loaded by name in the tests."""

from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, NotGivenOr
from livekit.agents import stt as lk_stt
from livekit.agents.utils import AudioBuffer

from agent_worker.reasoning.llm import say
from tests.unit.agent_worker.scripted import ScriptedLLM


class EchoLLM(ScriptedLLM):
    """A model."""

    def __init__(self) -> None:
        super().__init__(lambda _: [say("echo")])


class StreamingSTT(lk_stt.STT[Any]):
    """A recognizer that streams by itself."""

    def __init__(self, name: str) -> None:
        super().__init__(capabilities=lk_stt.STTCapabilities(streaming=True, interim_results=True))
        self._name = name

    @property
    def model(self) -> str:
        return self._name

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> lk_stt.SpeechEvent:
        raise NotImplementedError
