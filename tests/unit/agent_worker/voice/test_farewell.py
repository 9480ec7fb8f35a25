"""The end of a call after its last words, on a real session in text mode."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.events import AgentStateChangedEvent, ConversationItemAddedEvent

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.voice.farewell import FAREWELL_MAX_S, Farewell
from tests.unit.agent_worker.small_agent import TextCall
from voice_contract.messages import EndReason

pytestmark = pytest.mark.usefixtures("virtual_time")


class NoJournal:
    """Where a turn's mark would be noted."""

    def __init__(self) -> None:
        self.protected: list[SpeechHandle] = []

    def protect(self, speech: SpeechHandle) -> SpeechHandle:
        self.protected.append(speech)
        return speech


class Scene:
    """A session whose speeches the test plays by hand."""

    def __init__(self, call: TextCall, *, protected: bool = False) -> None:
        self.session = call.session
        self.ended: list[EndReason] = []
        self.journal = NoJournal()
        self.farewell = Farewell(
            call.session,
            self.journal,
            protected=protected,
            end=self.ended.append,
        )
        self.speech = SpeechHandle.create()

    def speak(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The agent's next words are heard."""
        monkeypatch.setattr(type(self.session), "current_speech", self.speech)
        event = AgentStateChangedEvent(old_state="thinking", new_state="speaking")
        self.session.emit("agent_state_changed", event)

    def pause(self) -> None:
        event = AgentStateChangedEvent(old_state="speaking", new_state="listening")
        self.session.emit("agent_state_changed", event)

    async def finish(self) -> None:
        """What is said is over."""
        self.speech._mark_done()
        await asyncio.sleep(0)


@pytest.fixture
async def scene(agent: AgentDefinition) -> AsyncIterator[Scene]:
    async with TextCall(agent, AgentLLM(agent)) as call:
        yield Scene(call)


async def test_call_ends_when_the_last_words_were_heard(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not when they begin, nor when they pause for a cough."""
    scene.farewell.after_reply("agent")
    scene.speak(monkeypatch)
    scene.pause()
    assert scene.ended == []
    scene.speak(monkeypatch)
    await scene.finish()
    assert scene.ended == ["agent"]


async def test_caller_who_speaks_over_the_last_words_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words that follow are an answer and end nothing, nor does the time."""
    scene.farewell.after_reply("agent")
    scene.speak(monkeypatch)
    scene.speech.interrupt()
    await scene.finish()
    scene.speech = SpeechHandle.create()
    scene.speak(monkeypatch)
    await scene.finish()
    await asyncio.sleep(FAREWELL_MAX_S + 1)
    assert scene.ended == []


async def test_caller_who_says_more_before_the_last_words_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Bye. Oh wait, where is order eight?" """
    scene.farewell.after_reply("agent")
    message = ChatMessage(role="user", content=["where is order eight"])
    scene.session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
    scene.speak(monkeypatch)
    await scene.finish()
    assert scene.ended == []


async def test_words_that_are_never_heard_keep_no_call(scene: Scene) -> None:
    """The voice may be broken."""
    scene.farewell.after_reply("agent")
    await asyncio.sleep(FAREWELL_MAX_S + 1)
    assert scene.ended == ["agent"]


async def test_protected_goodbye_cannot_be_interrupted(
    agent: AgentDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The author wants it heard."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        scene = Scene(call, protected=True)
        scene.farewell.after_reply("agent")
        scene.speak(monkeypatch)
        assert not scene.speech.allow_interruptions
        assert scene.journal.protected == [scene.speech]
        await scene.finish()
        assert scene.ended == ["agent"]


async def test_goodbye_of_the_agents_own_ends_the_call_unless_it_is_interrupted(
    agent: AgentDefinition,
) -> None:
    """Silence's last words, for example."""
    async with TextCall(agent, AgentLLM(agent)) as call:
        scene = Scene(call)
        await scene.farewell.say("Goodbye.", "silence")
        assert scene.ended == ["silence"]


@pytest.mark.parametrize(("final", "ended"), [(True, ["agent"]), (False, [])])
async def test_final_words_end_the_call_of_a_caller_who_is_gone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, final: bool, ended: list[EndReason]
) -> None:
    """The longest time of a call is over, whoever is there."""
    speech = SpeechHandle.create(allow_interruptions=not final)
    monkeypatch.setattr(scene.session, "say", lambda *_, **__: speech)
    saying = asyncio.create_task(scene.farewell.say("Goodbye.", "agent", final=final))
    await asyncio.sleep(0)
    speech.interrupt(force=True)
    speech._mark_done()
    await saying
    assert scene.ended == ended
