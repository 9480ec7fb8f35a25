"""What the agent does when the conversation stalls, on a real session in text mode."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from livekit.agents.voice.events import (
    UserInputTranscribedEvent,
    UserState,
    UserStateChangedEvent,
    UserTranscriptionTimeoutEvent,
)

from agent_worker.agent import AgentDefinition
from agent_worker.metrics import Metrics
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.voice.reprompts import Reprompts
from agent_worker.waits import Waits
from tests.support.local_stack import until
from tests.unit.agent_worker.small_agent import PHRASES, TextCall
from voice_contract.messages import EndReason

SILENCE_S = 12.0
PATIENCE_S = 120.0
pytestmark = pytest.mark.usefixtures("virtual_time")


class Stalls:
    """A conversation that stalls at will."""

    def __init__(self, call: TextCall) -> None:
        self.session = call.session
        self.ended: list[tuple[EndReason, list[str]]] = []
        self.agent_speaks = False
        self.card_is_open = False
        self.reprompts = Reprompts(
            call.session,
            PHRASES,
            Metrics(None),
            Waits(silence_s=SILENCE_S, patience_s=PATIENCE_S),
            is_speaking=lambda: self.agent_speaks,
            is_reading=lambda: self.card_is_open,
            say_goodbye=self._end,
        )

    async def _end(self, text: str, reason: EndReason) -> None:
        await self.session.say(text)
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
        return await self._after(lambda: self.user("listening", "away"))

    async def mumble(self) -> str:
        """There was speech without words. Returns: what the agent says then."""
        await self.sound()
        return await self._after(self.emit_timeout)

    async def sound(self, lasts_s: float = 0.8) -> None:
        """The caller makes a sound."""
        self.user("listening", "speaking")
        await asyncio.sleep(lasts_s + Waits().pause_s)
        self.user("speaking", "listening")

    def user(self, old: UserState, new: UserState) -> None:
        """The caller does something else now."""
        self.session.emit("user_state_changed", UserStateChangedEvent(old_state=old, new_state=new))

    async def stays_silent(self, silence_s: float) -> list[str]:
        """The caller says nothing for so long. Returns: what the agent says meanwhile."""
        before = len(self.said)
        for _ in range(round(silence_s / SILENCE_S)):
            await asyncio.sleep(SILENCE_S)
            self.user("listening", "away")
        await asyncio.sleep(0.05)
        return self.said[before:]

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
    await stalls.sound()
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
    stalls.user("away", "speaking")
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


def mute(stalls: Stalls) -> None:
    stalls.reprompts.busy(True)


def read(stalls: Stalls) -> None:
    stalls.card_is_open = True


def wait(stalls: Stalls) -> None:
    stalls.reprompts.hold()


@pytest.mark.parametrize("begin", [mute, read, wait])
async def test_who_cannot_speak_or_asked_to_wait_is_waited_for(
    stalls: Stalls, begin: Callable[[Stalls], None]
) -> None:
    """Muted, typing, reading a card, "hang on": minutes pass, and the agent says so once."""
    begin(stalls)
    assert await stalls.stays_silent(PATIENCE_S - SILENCE_S) == []
    assert await stalls.stays_silent(PATIENCE_S - SILENCE_S) == [PHRASES.patience]
    assert stalls.ended == []


async def test_patience_has_an_end(stalls: Stalls) -> None:
    """A phone that was put down muted does not keep the call for ever."""
    stalls.reprompts.busy(True)
    said = await stalls.stays_silent(2 * PATIENCE_S + 4 * SILENCE_S)
    assert said[0] == PHRASES.patience
    assert said[-1] == "Silence. Goodbye."


async def test_silence_counts_again_when_the_caller_could_speak(stalls: Stalls) -> None:
    """Unmuted, the caller is asked after the usual time."""
    stalls.reprompts.busy(True)
    assert await stalls.stays_silent(60) == []
    stalls.reprompts.busy(False)
    assert await stalls.silence() == "Hello?"


async def test_silence_is_measured_from_when_the_caller_could_speak(
    stalls: Stalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the last words, however long ago they were said."""
    anew: list[bool] = []
    monkeypatch.setattr(stalls.session, "reset_away_timer", lambda: anew.append(True))
    for busy in (True, True, False):
        stalls.reprompts.busy(busy)
    assert len(anew) == 2


async def test_muted_caller_whose_line_was_cut_is_muted_still(stalls: Stalls) -> None:
    """The page tells it when it changes, not when the line is back."""
    stalls.reprompts.busy(True)
    stalls.reprompts.pause()
    stalls.reprompts.resume()
    assert await stalls.stays_silent(60) == []


async def test_words_end_the_wait(stalls: Stalls) -> None:
    """Who asked to wait and is back is asked again when silent."""
    stalls.reprompts.hold()
    stalls.speak("here it is")
    assert await stalls.silence() == "Hello?"


async def test_cough_is_not_speech_that_was_not_heard(stalls: Stalls) -> None:
    """Nobody is asked to repeat a noise."""
    await stalls.sound(lasts_s=0.3)
    stalls.emit_timeout()
    await asyncio.sleep(0.05)
    assert stalls.said == []


async def test_noise_over_the_agent_is_not_asked_about(stalls: Stalls) -> None:
    """The agent goes on with what it was saying."""
    stalls.agent_speaks = True
    await stalls.sound()
    stalls.emit_timeout()
    await asyncio.sleep(0.05)
    assert stalls.said == []


async def test_listening_is_not_asked_about(stalls: Stalls) -> None:
    """ "Uh-huh" has words, but they are no turn."""
    await stalls.sound()
    stalls.reprompts.listened()
    stalls.emit_timeout()
    await asyncio.sleep(0.05)
    assert stalls.said == []
