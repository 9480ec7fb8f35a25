"""What the speaking agent takes for a turn, in voice mode: a scripted ear, a silent mouth."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import Agent, ModelSettings
from livekit.agents.voice import SpeechHandle

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM, user_turns
from agent_worker.reasoning.templates import Templates
from agent_worker.turn_journal import TurnJournal
from agent_worker.voice.speaking import SpeakingAgent
from tests.unit.agent_worker.voice_call import RATE_HZ, SilentVoice, VoiceCall

pytestmark = pytest.mark.usefixtures("virtual_time")
ASKS = "Clear room 7? In full: quickly: no. Yes or no?"
HOLD = "Take your time."
ANSWER = (
    "It is the largest room of the house, it looks to the garden, and it was painted last year."
)


class Told:
    """What would be reprompted."""

    def __init__(self) -> None:
        self.listenings = 0
        self.holds = 0
        self.is_short = False

    def listened(self) -> None:
        self.listenings += 1

    def hold(self) -> None:
        self.holds += 1


class Turns(TurnJournal):
    """A journal that the test tells whether the agent asks."""

    asks = False

    @property
    def is_asking(self) -> bool:
        return self.asks


class _Voice(SilentVoice, SpeakingAgent):
    pass


class SpeakingCall(VoiceCall):
    """A call of the agent that speaks in calls."""

    def __init__(self, agent: AgentDefinition) -> None:
        super().__init__(agent, AgentLLM(agent))
        self.told = Told()
        self.turns = Turns(self.session, cast(Any, self.journal), agent.templates, attempt=1)
        speaking = _Voice(
            instructions=agent.instructions,
            gate=self.tools.gate,
            delivery=self.tools.delivery,
            chat_ctx=None,
            turns=self.turns,
            reprompts=cast(Any, self.told),
            templates=agent.templates,
            hold=HOLD,
            on_failure=lambda _: None,
        )
        speaking.mouth = self.mouth
        self.agent = speaking

    async def __aenter__(self) -> "SpeakingCall":
        await super().__aenter__()
        return self

    async def answer(self) -> SpeechHandle:
        """The agent says something that takes its time, and has begun."""
        speech = self.session.say(ANSWER)
        async with asyncio.timeout(10):
            while not self.turns.is_speaking:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return speech


async def test_yes_counts_after_a_wait(agent: AgentDefinition) -> None:
    """ "Hang on" is a turn of its own, and no part of the yes that comes later."""
    async with SpeakingCall(agent) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await call.pause()
        await call.speak("hang on a second")
        await call.hears(HOLD)
        await call.pause()
        assert (call.told.holds, call.house.cleared) == (1, [])
        await call.speak("yes")
        await call.hears("Room 7 is empty.")


async def test_no_that_also_asks_to_wait_is_a_no(agent: AgentDefinition) -> None:
    """What was declined is not waited for."""
    async with SpeakingCall(agent) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await call.pause()
        await call.speak("no, wait")
        await call.hears("All right, I won't do that.")
        assert (call.told.holds, call.house.cleared) == (0, [])


async def test_listening_is_no_turn(agent: AgentDefinition) -> None:
    """It is not in the conversation, and the next turn is as if it had not been said."""
    async with SpeakingCall(agent) as call:
        await call.speak("uh-huh")
        await call.pause()
        await call.speak("paint room 5")
        await call.hears("Painted room 5.")
        assert call.told.listenings == 1
        assert user_turns(call.items) == ["paint room 5"]


@pytest.mark.parametrize(
    ("text", "is_short"),
    [
        ("okay", False),
        ("yeah, right", False),
        ("that", False),
        ("I had", True),
        ("I see, take.", False),
    ],
)
async def test_what_is_no_wish_stops_no_answer(
    agent: AgentDefinition, text: str, is_short: bool
) -> None:
    """Agreement, a word that means nothing, two in a very short sound: it goes on to its end."""
    async with SpeakingCall(agent) as call:
        call.told.is_short = is_short
        speech = await call.answer()
        await call.speak(text)
        await speech
        await call.pause()
        assert not speech.interrupted and call.spoken == [ANSWER]
        assert call.told.listenings == 1
        assert user_turns(call.items) == []


async def test_what_comes_after_i_see_decides_whether_it_stops_the_answer(
    agent: AgentDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "I see" is like thanks to some agents; a recognizer adds a word of the radio's."""
    monkeypatch.setattr(Templates, "knows", lambda _, text: "see" in text.lower())
    async with SpeakingCall(agent) as call:
        speech = await call.answer()
        await call.speak("I see, take.")
        await speech
        assert not speech.interrupted


@pytest.mark.parametrize("text", ["search", "I had"])
async def test_wish_over_an_answer_is_a_turn(agent: AgentDefinition, text: str) -> None:
    """One word that a template knows, or more than one that none does."""
    async with SpeakingCall(agent) as call:
        speech = await call.answer()
        await call.speak(text)
        await speech
        await call.pause()
        assert speech.interrupted
        assert user_turns(call.items) == [text]


async def test_agreement_that_began_over_the_answer_is_no_turn_after_it(
    agent: AgentDefinition,
) -> None:
    """Its words come when the agent is silent; said into that silence, it is one."""
    async with SpeakingCall(agent) as call:
        speech = await call.answer()
        call.begin()
        await speech
        call.end("okay")
        await call.pause()
        assert user_turns(call.items) == []
        await call.speak("okay")
        await call.pause()
        assert user_turns(call.items) == ["okay"]


async def test_agreement_over_the_end_of_a_question_is_its_answer(agent: AgentDefinition) -> None:
    """Who knows what is asked does not wait."""
    async with SpeakingCall(agent) as call:
        call.turns.asks = True
        await call.answer()
        await call.speak("okay")
        await call.pause()
        assert user_turns(call.items) == ["okay"]


async def test_voice_that_fails_within_a_speech_is_noted(
    agent: AgentDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its words are shown to the caller; the journal learns for how long it sounded."""

    async def fails(*_: Any) -> AsyncIterator[rtc.AudioFrame]:
        yield rtc.AudioFrame.create(RATE_HZ, 1, RATE_HZ // 2)
        raise RuntimeError

    async def words() -> AsyncIterator[str]:
        yield "This call "
        yield "is recorded."

    monkeypatch.setattr(Agent.default, "tts_node", fails)
    noted: list[float] = []
    shown: list[str] = []
    async with SpeakingCall(agent) as call:
        speaking = cast(SpeakingAgent, call.agent)
        monkeypatch.setattr(speaking._turns, "broke_off", noted.append)
        monkeypatch.setattr(speaking, "_on_failure", shown.append)
        frames = [one async for one in SpeakingAgent.tts_node(speaking, words(), ModelSettings())]
    assert (len(frames), noted, shown) == (1, [0.5], ["This call is recorded."])
