"""Plugins as a user might write them, loaded by name in the tests."""

from collections.abc import Sequence

from livekit.agents import APIConnectOptions, NotGivenOr
from livekit.agents import stt as lk_stt
from livekit.agents.utils import AudioBuffer

from agent_worker.livekit_compat import Recognizer
from agent_worker.reasoning.llm import say
from tests.unit.agent_worker.scripted import ScriptedLLM


class EchoLLM(ScriptedLLM):
    """A model."""

    def __init__(self) -> None:
        super().__init__(lambda _: [say("echo")])


class StreamingSTT(Recognizer):
    """A recognizer that streams by itself."""

    def __init__(self, name: str, keyterms: Sequence[str] = ()) -> None:
        super().__init__(capabilities=lk_stt.STTCapabilities(streaming=True, interim_results=True))
        self._name = name
        self.keyterms = [*keyterms]

    @property
    def model(self) -> str:
        return self._name

    async def transcribe(
        self, sound: AudioBuffer, language: NotGivenOr[str], conn_options: APIConnectOptions
    ) -> lk_stt.SpeechEvent:
        raise NotImplementedError


class UnreadableSTT(StreamingSTT):
    """Its annotations cannot be read."""

    def __init__(self, name: str, odd: "NoSuchType") -> None:  # type: ignore[name-defined]  # noqa: F821
        super().__init__(name)
