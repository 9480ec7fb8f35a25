"""Both sides' turns reach the journal as they happen. The session's events are emitted by hand."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit.agents import AgentSession
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle
from livekit.agents.voice.events import (
    AgentState,
    AgentStateChangedEvent,
    ConversationItemAddedEvent,
)

from agent_worker import livekit_compat
from agent_worker.agent import AgentDefinition
from agent_worker.turn_journal import SPEECHES_MAX, TurnJournal
from call_record import journal
from call_record.record import Record
from call_record.writer import JournalWriter
from tests.support.calls import live
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, Entry, IntentState, UserTurn


class Session(AgentSession[None]):
    """One that is not started, in which the test says what is spoken."""

    current_speech: SpeechHandle | None = None


class Scene:
    """A session that is not started, and the journal that follows it."""

    def __init__(self, record: Record, call_id: str, writer: JournalWriter, agent: AgentDefinition):
        self.session = Session()
        self.turns = TurnJournal(self.session, writer, agent.templates, attempt=1)
        self._record = record
        self._call_id = call_id
        self._writer = writer

    def state(self, old: AgentState, new: AgentState) -> None:
        """The agent does something else now."""
        event = AgentStateChangedEvent(old_state=old, new_state=new)
        self.session.emit("agent_state_changed", event)

    def said(self, role: str, text: str, *, interrupted: bool = False) -> None:
        """A message has come into the history."""
        message = ChatMessage(role=role, content=[text], interrupted=interrupted, id=text)
        self.session.history.insert(message)
        self.session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))

    def speak(self) -> SpeechHandle:
        """Another speech is the current one."""
        self.session.current_speech = SpeechHandle.create()
        return self.session.current_speech

    async def written(self) -> list[Entry | None]:
        """What the journal says after the claim."""
        await self._writer.flush()
        return [one.entry for one in await journal.read(self._record, self._call_id, after_seq=2)]


@pytest.fixture
async def scene(record: Record, agent: AgentDefinition) -> AsyncIterator[Scene]:
    call_id = await live(record)
    async with JournalWriter(record, call_id, 1) as writer:
        yield Scene(record, call_id, writer, agent)


async def test_agent_turn_is_written_when_it_is_heard_and_when_it_ends(scene: Scene) -> None:
    """First the words that are planned, then those that were heard."""
    scene.turns.plan().extend(["Hello, ", "this is"])
    scene.state("thinking", "speaking")
    scene.said("assistant", "Hello, this", interrupted=True)
    scene.state("speaking", "listening")
    assert await scene.written() == [
        AgentTurnStarted(turn_id="turn_1_1", planned="Hello, this is"),
        AgentTurnEnded(turn_id="turn_1_1", heard="Hello, this", interrupted=True),
    ]


async def test_agent_turn_that_the_caller_speaks_over_has_the_words_up_to_the_cut(
    scene: Scene,
) -> None:
    """The agent pauses first; only then does its message come."""
    speech = scene.speak()
    scene.state("thinking", "speaking")
    scene.state("speaking", "listening")
    assert scene.turns.is_speaking
    scene.said("assistant", "Order seven is", interrupted=True)
    speech._mark_done()
    await asyncio.sleep(0)
    assert not scene.turns.is_speaking
    assert await scene.written() == [
        AgentTurnStarted(turn_id="turn_1_1", planned=""),
        AgentTurnEnded(turn_id="turn_1_1", heard="Order seven is", interrupted=True),
    ]


async def test_agent_that_pauses_and_goes_on_has_one_turn(scene: Scene) -> None:
    """A cough was no interruption."""
    scene.speak()
    scene.state("thinking", "speaking")
    scene.state("speaking", "listening")
    scene.state("listening", "speaking")
    scene.said("assistant", "Order seven is on its way.")
    scene.state("speaking", "listening")
    assert await scene.written() == [
        AgentTurnStarted(turn_id="turn_1_1", planned=""),
        AgentTurnEnded(turn_id="turn_1_1", heard="Order seven is on its way.", interrupted=False),
    ]


async def test_agent_turn_of_which_nothing_was_heard_ends_too(scene: Scene) -> None:
    """The session keeps no message of it."""
    speech = scene.speak()
    scene.state("thinking", "speaking")
    scene.state("speaking", "listening")
    speech._mark_done()
    await asyncio.sleep(0)
    assert await scene.written() == [
        AgentTurnStarted(turn_id="turn_1_1", planned=""),
        AgentTurnEnded(turn_id="turn_1_1", heard="", interrupted=True),
    ]


async def test_next_speech_ends_a_turn_that_was_left_open(scene: Scene) -> None:
    """Nothing in the journal stays open for ever."""
    scene.speak()
    scene.state("thinking", "speaking")
    scene.speak()
    scene.state("listening", "speaking")
    assert [type(one) for one in await scene.written()] == [
        AgentTurnStarted,
        AgentTurnEnded,
        AgentTurnStarted,
    ]


async def test_speech_that_nobody_can_interrupt_is_marked(scene: Scene) -> None:
    """Ended without `interrupted`, it was heard to the end."""
    scene.turns.protect(scene.speak())
    scene.state("thinking", "speaking")
    scene.said("assistant", "A machine is speaking.")
    assert await scene.written() == [
        AgentTurnStarted(turn_id="turn_1_1", planned=""),
        AgentTurnEnded(
            turn_id="turn_1_1", heard="A machine is speaking.", interrupted=False, protected=True
        ),
    ]


@pytest.mark.parametrize(
    ("words", "heard_s", "asks"),
    [
        ("Which day?", 0, True),
        (f"{'Really ' * 10}Friday?", 0, False),
        (f"{'Really ' * 10}Friday?", 4, True),
        ("It is Friday.", 4, False),
    ],
)
async def test_agent_asks_when_most_of_its_question_was_heard(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, words: str, heard_s: float, asks: bool
) -> None:
    """Who answers before its end knows what is asked; at its beginning nobody does."""
    speech = scene.speak()
    monkeypatch.setattr(livekit_compat, "current_speech_id", lambda: speech.id)
    scene.turns.plan().append(words)
    scene.state("thinking", "speaking")
    scene.turns._began_s -= heard_s
    assert scene.turns.is_asking is asks


async def test_speech_whose_voice_failed_was_not_heard_to_its_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many words as its sound had time for; the framework takes it for said."""
    speech = scene.turns.protect(scene.speak())
    monkeypatch.setattr(livekit_compat, "current_speech_id", lambda: speech.id)
    scene.state("thinking", "speaking")
    scene.turns.broke_off(0.6)
    scene.said("assistant", "A machine is speaking.")
    assert (await scene.written())[1:] == [
        AgentTurnEnded(turn_id="turn_1_1", heard="A machine", interrupted=True, protected=True)
    ]
    assert not scene.turns.is_whole(speech) and scene.turns.is_whole(scene.speak())
    for number in range(SPEECHES_MAX):
        monkeypatch.setattr(livekit_compat, "current_speech_id", lambda: str(number))  # noqa: B023
        scene.turns.broke_off(0.0)
    assert scene.turns.is_whole(speech)


async def test_user_turn_is_written_with_how_it_came_and_what_the_dialog_is_about(
    scene: Scene,
) -> None:
    """The state is written when it changes, and says which slot was asked for."""
    scene.turns.typed("look at a room")
    scene.said("user", "look at a room")
    scene.said("user", "nonsense")
    assert await scene.written() == [
        UserTurn(text="look at a room", typed=True, turn_id="look at a room"),
        IntentState(intent="look", slots={}, asking="number"),
        UserTurn(text="nonsense", typed=False, turn_id="nonsense"),
    ]


async def test_plans_that_are_never_spoken_are_bounded(agent: AgentDefinition) -> None:
    """Replies are prepared and dropped all the time."""
    turns = TurnJournal(AgentSession(), None, agent.templates, attempt=1)  # type: ignore[arg-type]
    for _ in range(100):
        turns.plan()
    assert len(turns._planned) == 1
