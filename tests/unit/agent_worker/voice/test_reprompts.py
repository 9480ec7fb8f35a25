"""What the agent does when the conversation stalls, on a real session in text mode."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from livekit.agents.voice.events import (
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    UserTranscriptionTimeoutEvent,
)

from agent_worker.agent import AgentDefinition
from agent_worker.metrics import Metrics
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.voice.reprompts import Reprompts
from tests.support.local_stack import until
from tests.unit.agent_worker.small_agent import PHRASES, TextCall
from voice_contract.messages import EndReason

pytestmark = pytest.mark.usefixtures("virtual_time")


class Stalls:
    """A conversation that stalls at will."""

    def __init__(self, call: TextCall) -> None:
        self.session = call.session
        self.ended: list[tuple[EndReason, list[str]]] = []
        self.reprompts = Reprompts(
            call.session, PHRASES, Metrics(None), lambda reason: self._end(reason)
        )

    def _end(self, reason: EndReason) -> None:
        self.ended.append((reason, self.said))

    @property
    def said(self) -> list[str]:
        """What the agent has said so far."""
        return [
            item.text_content or ""
            for item in self.session.history.items
            if item.type == "message" and item.role == "assistant"
        ]

    async def silence(self) -> str:
        """The caller is silent for too long. Returns: what the agent says then."""
        return await self._after(
            lambda: self.session.emit(
                "user_state_changed",
                UserStateChangedEvent(old_state="listening", new_state="away"),
            )
        )

    async def mumble(self) -> str:
        """There was speech without words. Returns: what the agent says then."""
        return await self._after(self.emit_timeout)

    def emit_timeout(self) -> None:
        self.session.emit(
            "user_transcription_timeout",
            UserTranscriptionTimeoutEvent(
                speech_duration=0.8, vad_speech_started_at=time.time() - 3
            ),
        )

    def speak(self, text: str, *, final: bool = True) -> None:
        """The caller says *text*."""
        self.session.emit(
            "user_input_transcribed", UserInputTranscribedEvent(transcript=text, is_final=final)
        )

    async def _after(self, happen: Callable[[], object]) -> str:
        before = len(self.said)
        happen()
        await until(lambda: len(self.said) > before)
        await asyncio.sleep(0.01)
        return self.said[-1]


@pytest.fixture
async def stalls(agent: AgentDefinition) -> AsyncIterator[Stalls]:
    async with TextCall(agent, AgentLLM(agent)) as call:
        yield Stalls(call)


async def test_silence_is_asked_about_twice_then_the_call_ends(stalls: Stalls) -> None:
    """Two questions in turn, then a farewell; the end comes after the farewell was said."""
    assert await stalls.silence() == "Hello?"
    assert await stalls.silence() == "Still there?"
    assert stalls.ended == []
    assert await stalls.silence() == "Silence. Goodbye."
    await until(lambda: bool(stalls.ended))
    reason, said = stalls.ended[0]
    assert reason == "silence"
    assert said[-1] == "Silence. Goodbye."


async def test_speech_without_words_is_asked_about_twice_then_the_call_ends(
    stalls: Stalls,
) -> None:
    """The same for what could not be heard, with its own words and reason."""
    assert await stalls.mumble() == "Louder?"
    assert await stalls.mumble() == "Louder still?"
    assert stalls.ended == []
    assert await stalls.mumble() == "Deaf. Goodbye."
    await until(lambda: bool(stalls.ended))
    assert [(reason, said[-1]) for reason, said in stalls.ended] == [
        ("not-understood", "Deaf. Goodbye.")
    ]


async def test_silence_and_unheard_speech_are_counted_apart(stalls: Stalls) -> None:
    """One of each is not two of one."""
    assert await stalls.silence() == "Hello?"
    assert await stalls.mumble() == "Louder?"
    assert await stalls.silence() == "Still there?"
    assert await stalls.mumble() == "Louder still?"
    assert stalls.ended == []


async def test_words_start_the_count_anew(stalls: Stalls) -> None:
    """A caller who got through is met with the first question again."""
    await stalls.silence()
    await stalls.mumble()
    stalls.speak("look at room seven")
    assert await stalls.silence() == "Hello?"
    assert await stalls.mumble() == "Louder?"


async def test_typed_words_start_the_count_anew(stalls: Stalls) -> None:
    """Text counts as getting through."""
    await stalls.mumble()
    stalls.reprompts.heard()
    assert await stalls.mumble() == "Louder?"


@pytest.mark.parametrize(("text", "final"), [("look at", False), ("  ", True), ("", True)])
async def test_half_words_and_blanks_do_not_start_the_count_anew(
    stalls: Stalls, text: str, final: bool
) -> None:
    """Only final words show that the caller was understood."""
    await stalls.mumble()
    stalls.speak(text, final=final)
    assert await stalls.mumble() == "Louder still?"


async def test_excused_speech_is_not_counted_once(stalls: Stalls) -> None:
    """What our own fault lost is forgiven one time, silently."""
    stalls.reprompts.excuse()
    stalls.emit_timeout()
    await asyncio.sleep(0.05)
    assert stalls.said == []
    assert await stalls.mumble() == "Louder?"


async def test_excuse_ends_when_the_caller_is_heard(stalls: Stalls) -> None:
    """An old failure does not excuse a later one."""
    stalls.reprompts.excuse()
    stalls.speak("look at room seven")
    assert await stalls.mumble() == "Louder?"


async def test_caller_who_is_not_away_is_not_asked(stalls: Stalls) -> None:
    """Only `away` is silence."""
    stalls.session.emit(
        "user_state_changed", UserStateChangedEvent(old_state="away", new_state="speaking")
    )
    await asyncio.sleep(0.05)
    assert stalls.said == []


async def test_silence_is_watched_for_again_after_each_question(agent: AgentDefinition) -> None:
    """The framework itself reports silence again: a silent caller is asked and let go unaided."""
    call = TextCall(agent, AgentLLM(agent), away_timeout_s=0.3)
    async with call:
        stalls = Stalls(call)
        call.session.say("Hello, a machine speaks.")
        await until(lambda: bool(stalls.ended))
    assert stalls.ended[0][0] == "silence"
    assert stalls.said == [
        "Hello, a machine speaks.",
        "Hello?",
        "Still there?",
        "Silence. Goodbye.",
    ]
