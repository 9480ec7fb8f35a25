"""One call: its parts, what it says, its end; on a real record, without a room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import AgentSession, JobContext
from livekit.agents.llm import ChatContext, ChatMessage
from livekit.agents.voice import SpeechHandle
from structlog.testing import capture_logs

from agent_worker import livekit_compat
from agent_worker.agent import AgentDefinition
from agent_worker.call import Call
from agent_worker.call_migration import Migration
from agent_worker.claim import claim_call
from agent_worker.metrics import Metrics
from agent_worker.model.health import Health
from agent_worker.reasoning import message_tags
from agent_worker.reasoning.dialog import CallTool, Say, follow
from agent_worker.reasoning.known_numbers import KnownNumbers
from agent_worker.reasoning.known_values import KnownValues
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.reasoning.turn import Turn
from agent_worker.resume import CallHistory
from agent_worker.settings import WorkerSettings
from agent_worker.tools.tool import Caller
from agent_worker.voice.noise_gate import CallerVAD
from agent_worker.voice.speaking import SpeakingAgent
from agent_worker.voice.turn_detector import FINISHED, UNFINISHED, GrammarTurnDetector
from agent_worker.waits import Waits
from call_record.record import Record
from service_base.settings import load
from tests.support.calls import fence, requested, the_call
from tests.support.local_stack import until
from tests.unit.agent_worker.small_agent import PHRASES, House
from voice_contract.caller_state import CallerState
from voice_contract.dispatch import DispatchMetadata


class NoRoom:
    """A job whose room nobody has entered."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.room_deleted = False

    async def wait_for_participant(self, *, identity: str) -> None:
        """The caller is there."""

    async def delete_room(self) -> None:
        self.room_deleted = True

    def shutdown(self, reason: str) -> None:
        pass


class ShortCall(Call):
    """A call that ends where it would begin."""

    is_taken_over = False

    async def _start(self) -> None:
        pass

    async def _greet(self) -> None:
        if self.is_taken_over:
            seen = (await the_call(self._claim.record, self._dispatch.call_id)).seen
            assert await fence(self._claim.record, self._dispatch.call_id, seen)
        self.end(None)


@dataclass
class Scene:
    """Where a call is made: a record, a worker's settings, a job without a room."""

    record: Record
    database_url: str
    folder: Path
    agent: AgentDefinition
    job: NoRoom = field(default_factory=NoRoom)
    told: list[str] = field(default_factory=list)
    """The calls whose end the worker was told."""

    @asynccontextmanager
    async def call(
        self,
        history: CallHistory | None = None,
        kind: type[ShortCall] = ShortCall,
        **changes: Any,
    ) -> AsyncIterator[ShortCall]:
        """A claimed call, with *changes* of the settings."""
        settings = load(
            WorkerSettings,
            database_url=self.database_url,
            journal_keys_file=self.folder / "journal-keys.yaml",
            _env_file=None,
            **changes,
        )
        metrics = Metrics(None)
        call_id = await requested(self.record)
        dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller="caller-1")

        async def tell() -> bool:
            self.told.append(call_id)
            return True

        async with claim_call(
            settings, dispatch, owner="worker/job", worker_id="worker", metrics=metrics
        ) as claim:
            yield kind(
                cast(JobContext, cast(Any, self.job)),
                dispatch,
                self.agent,
                self.agent.all_tools,
                settings,
                metrics,
                claim,
                Migration(signals=False),
                history,
                tell_ended=tell,
                health=Health(),
            )


@pytest.fixture
def scene(record: Record, database_url: str, tmp_path: Path, agent: AgentDefinition) -> Scene:
    return Scene(record, database_url, tmp_path, agent)


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_end_is_told_to_the_worker_only_of_a_call_that_this_job_has_ended(
    scene: Scene, is_taken_over: bool
) -> None:
    """
    A call that another attempt has goes on, perhaps on the same worker, which would count its slot
    as free.
    """
    async with scene.call() as call:
        call.is_taken_over = is_taken_over
        await call.run()
    assert scene.told == ([] if is_taken_over else [call._dispatch.call_id])
    assert scene.job.room_deleted is not is_taken_over


@pytest.mark.parametrize(("turns_max", "left"), [(8, 5), (3, 1)])
async def test_turns_before_a_take_over_count(scene: Scene, turns_max: int, left: int) -> None:
    """At least one is left, which is answered and followed by the goodbye."""
    said = [ChatMessage(role="user", content=[f"look at room {number}"]) for number in range(3)]
    items = [ChatMessage(role="assistant", content=["Hello."]), *said]
    async with scene.call(CallHistory((), items=[*items]), call_turns_max=turns_max) as call:
        assert call._turns_left == left


async def test_times_of_author_and_operator_reach_the_session(scene: Scene) -> None:
    """Each at its place; whoever runs the agent goes first."""
    author = Waits(
        pause_s=0.11,
        complete_s=0.22,
        may_go_on_s=1.4,
        interruption_s=0.33,
        resume_s=0.7,
        unheard_s=2.6,
        echo_s=0.9,
        silence_s=99,
    )
    scene.agent = replace(scene.agent, waits=author)
    async with scene.call(waits={"silence_s": 13}) as call:
        await call.run()
        session = call._session
    options = session.options
    assert (options.endpointing["min_delay"], options.endpointing["max_delay"]) == (0.22, 1.4)
    assert options.interruption["min_duration"] == 0.33
    assert options.interruption["false_interruption_timeout"] == 0.7
    assert options.interruption["resume_false_interruption"]
    assert (options.user_away_timeout, options.transcription_timeout) == (13, 2.6)
    assert options.aec_warmup_duration == 0.9
    assert isinstance(session.vad, CallerVAD)
    assert session.vad._opts.min_silence_duration == 0.11


async def test_turn_detector_knows_the_callers_numbers_and_whether_a_yes_is_asked_for(
    scene: Scene,
) -> None:
    """What `open` yields, and what the gate asks."""

    @asynccontextmanager
    async def open_numbers(_: Caller) -> AsyncIterator[tuple[object, ...]]:
        yield (House(), KnownNumbers("number", {7, 104}))

    scene.agent = replace(scene.agent, open=open_numbers)
    async with scene.call() as call:
        await call.run()
        detector = cast(GrammarTurnDetector, call._session.turn_detection)

        async def judge(text: str) -> float:
            said = ChatContext([ChatMessage(role="user", content=[text])])
            return await detector.predict_end_of_turn(said)

        assert await judge("look at room one") == UNFINISHED
        assert await judge("look at room seven") == FINISHED
        assert await judge("don't clear it") == UNFINISHED
        await ask(call)
        assert await judge("don't clear it") == FINISHED


async def test_what_open_knows_of_the_caller_is_not_asked_for(scene: Scene) -> None:
    """By every part that follows the conversation."""

    @asynccontextmanager
    async def open_known(_: Caller) -> AsyncIterator[tuple[object, ...]]:
        yield (House(), KnownValues({"number": 7}))

    asked = follow(scene.agent.templates, [Turn("clear a room")]).move
    assert isinstance(asked, Say)
    scene.agent = replace(scene.agent, open=open_known)
    async with scene.call() as call:
        await call.run()
        llm = cast(AgentLLM, call._session.llm)
        detector = cast(GrammarTurnDetector, call._session.turn_detection)
        for templates in (llm.agent.templates, detector._templates, call._turns._templates):
            move = follow(templates, [Turn("clear a room")]).move
            assert move == CallTool("clear", {"number": 7})


async def ask(call: Call) -> None:
    """Have the caller asked."""
    clear = next(tool for tool in call._offered if tool.name == "clear")
    questions = call._tools.questions
    questions.ask(
        questions.compose(
            "invocation", clear, {"number": 7, "quickly": False}, "d" * 64, now=datetime.now(UTC)
        )
    )


async def test_caller_who_reads_a_question_on_the_screen_is_waited_for(scene: Scene) -> None:
    """Who has no cards has heard it, and is silent."""
    async with scene.call() as call:
        await call.run()
        is_reading = call._reprompts._is_reading
        assert not is_reading()
        await ask(call)
        assert not is_reading()
        call._tools.page.has_cards = True
        assert is_reading()


@pytest.mark.parametrize(
    ("muted", "typing", "busy"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
async def test_page_says_why_the_caller_is_silent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, muted: bool, typing: bool, busy: bool
) -> None:
    """Of the caller's page alone it is believed."""
    async with scene.call() as call:
        await call.run()
        told: list[bool] = []
        monkeypatch.setattr(call._reprompts, "busy", told.append)
        state = CallerState(muted=muted, typing=typing).model_dump_json()
        await call._on_caller_state(rtc.RpcInvocationData("1", call._caller.identity, state, 5.0))
        with pytest.raises(rtc.RpcError):
            await call._on_caller_state(rtc.RpcInvocationData("2", "stranger", state, 5.0))
        assert told == [busy]


async def test_device_that_is_gone_shows_nothing_and_nobody_types_on_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that takes the call over may have no screen."""
    async with scene.call() as call:
        await call.run()
        told: list[bool] = []
        monkeypatch.setattr(call._reprompts, "busy", told.append)
        call._tools.page.has_cards = True
        call._on_gone()
        assert not call._tools.page.has_cards and told == [False]


# -- what must be heard


class Mouth:
    """Instead of a session's voice."""

    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []
        """Each speech, and whether the caller may interrupt it."""
        self.speech = SpeechHandle.create()

    def say(self, text: str, *, allow_interruptions: bool = True) -> SpeechHandle:
        self.said.append((text, allow_interruptions))
        self.speech = SpeechHandle.create(allow_interruptions=allow_interruptions)
        return self.speech

    async def finish(self, *, interrupted: bool = False) -> None:
        """The last speech is over."""
        if interrupted:
            self.speech.interrupt(force=True)
        self.speech._mark_done()
        await asyncio.sleep(0)


@pytest.fixture
def mouth(monkeypatch: pytest.MonkeyPatch) -> Mouth:
    mouth = Mouth()
    monkeypatch.setattr(
        AgentSession, "say", lambda _, *args, **options: mouth.say(*args, **options)
    )
    return mouth


DISCLOSURE = "It is recorded."


async def test_disclosure_cannot_be_interrupted_and_is_said_again_to_who_was_cut_off(
    scene: Scene, mouth: Mouth
) -> None:
    """The journal knows it as protected; who has heard it does not hear it again."""
    scene.agent = replace(scene.agent, disclosure=DISCLOSURE)
    async with scene.call() as call:
        await call.run()
        call._disclose()
        assert mouth.said == [(DISCLOSURE, False)]
        assert mouth.speech in call._turns._protected
        await mouth.finish(interrupted=True)
        back = (PHRASES.still_here, True)
        call._on_back(False)
        assert mouth.said[1:] == [(DISCLOSURE, False), back]
        call._disclose()
        await mouth.finish()
        call._on_back(False)
        assert mouth.said[3:] == [(DISCLOSURE, False), back]


async def test_disclosure_that_had_no_sound_is_said_again(
    scene: Scene, mouth: Mouth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stood in the transcript while the voice was away."""
    scene.agent = replace(scene.agent, disclosure=DISCLOSURE)
    async with scene.call() as call:
        await call.run()
        call._disclose()
        monkeypatch.setattr(livekit_compat, "current_speech_id", lambda: mouth.speech.id)
        call._turns.broke_off(0.0)
        await mouth.finish()
        call._disclose()
        assert mouth.said == [(DISCLOSURE, False), (DISCLOSURE, False)]
        await mouth.finish()
        call._disclose()
        assert len(mouth.said) == 2


@pytest.mark.parametrize("heard", [True, False])
async def test_next_agent_says_the_disclosure_unless_it_was_heard(
    scene: Scene, mouth: Mouth, heard: bool
) -> None:
    """Before anything else."""
    scene.agent = replace(scene.agent, disclosure=DISCLOSURE)
    async with scene.call() as call:
        await call.run()
        await call._take_up(CallHistory((), protected=[DISCLOSURE] if heard else []))
        said = [text for text, _ in mouth.said]
        assert said[0] == (PHRASES.recovered if heard else DISCLOSURE)
        assert said.count(DISCLOSURE) == (not heard)


class GreetingCall(ShortCall):
    """A call whose caller is there."""

    _greet = Call._greet


async def test_disclosure_is_said_before_the_greeting(scene: Scene, mouth: Mouth) -> None:
    """The greeting itself may be interrupted."""
    scene.agent = replace(scene.agent, disclosure=DISCLOSURE)
    async with scene.call(kind=GreetingCall) as call:
        running = asyncio.create_task(call.run())
        await until(lambda: len(mouth.said) > 1)
        call.end("caller")
        await running
    assert mouth.said == [(DISCLOSURE, False), (scene.agent.greeting, True)]


@pytest.mark.parametrize("protected", [True, False])
async def test_notices_and_goodbye_are_protected_where_the_author_says_so(
    scene: Scene, mouth: Mouth, protected: bool
) -> None:
    """And noted as such."""
    if protected:
        scene.agent = replace(scene.agent, protect=("notices", "goodbye"))
    async with scene.call() as call:
        await call.run()
        call._say_notice("The line is bad.")
        assert mouth.said == [("The line is bad.", not protected)]
        assert (mouth.speech in call._turns._protected) is protected
        saying = asyncio.create_task(call._farewell.say("Goodbye.", "agent"))
        await asyncio.sleep(0)
        await mouth.finish()
        await saying
        assert mouth.said[1:] == [("Goodbye.", not protected)]
        assert (mouth.speech in call._turns._protected) is protected


# -- what is typed


@pytest.mark.parametrize(("text", "held"), [("look at room 5", False), ("hang on", True)])
async def test_text_over_words_that_cannot_be_interrupted_is_answered(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, text: str, held: bool
) -> None:
    """ "Hang on" is no wish, typed or said."""
    asked: list[ChatMessage] = []

    async def protected(_: object, **__: object) -> None:
        raise RuntimeError("this speech cannot be interrupted")

    monkeypatch.setattr(AgentSession, "interrupt", protected)
    monkeypatch.setattr(
        AgentSession, "generate_reply", lambda _, *, user_input: asked.append(user_input)
    )
    async with scene.call(kind=TypingCall) as call:
        await call.run()
        await call._on_text(text, 0.0)
    assert [message.text_content for message in asked] == [text]
    assert (message_tags.reply_to(asked[0]) == PHRASES.hold) is held


class TypingCall(ShortCall):
    """A call whose agent has been made."""

    async def _start(self) -> None:
        self._speaking = SpeakingAgent(
            instructions="",
            gate=self._tools.gate,
            delivery=self._tools.delivery,
            chat_ctx=None,
            turns=self._turns,
            reprompts=self._reprompts,
            templates=self._agent.templates,
            hold=self._agent.phrases.hold,
            on_failure=lambda _: None,
        )


async def test_what_was_refused_is_summed_up_at_the_end(scene: Scene) -> None:
    """Not only what was refused in whole minutes."""
    async with scene.call() as call:
        with capture_logs() as logs:
            for _ in range(3):
                call._refusals.add("text", "too-many")
            await call.run()
    sums = [log["count"] for log in logs if log["event"] == "call.input_refused"]
    assert sums == [1, 2]
