"""The gate in a spoken conversation: a real session with a scripted ear and a silent mouth."""

import asyncio
from unittest.mock import ANY

import pytest
from livekit.agents.llm import ChatContext, ChatMessage, ChoiceDelta, FunctionToolCall

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM, say
from agent_worker.reasoning.message_tags import last_user, spoken, unanswered
from agent_worker.tools.guarded_agent import CORRECTED
from agent_worker.tools.phrases import GatePhrases
from tests.unit.agent_worker.scripted import Script, ScriptedLLM
from tests.unit.agent_worker.voice_call import VoiceCall
from voice_contract.journal import ConfirmationAnswered, ToolProposed, ToolRefused

pytestmark = pytest.mark.usefixtures("virtual_time")

SAYS = GatePhrases()
ASKS = "Clear room 7? In full: quickly: no. Yes or no?"


async def test_spoken_yes_is_heard_and_the_result_is_told(agent: AgentDefinition) -> None:
    """Question, another question meanwhile, yes, result; the answer is "voice" on record."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await call.speak("when are you open")
        await call.hears("We are open all day.")
        assert call.house.cleared == []
        await call.pause()
        await call.speak("Yes.")
        await call.hears(SAYS.approved)
        await call.hears("Room 7 is empty.")
        assert call.house.cleared == [(7, False, ANY)]
    answers = [one for one in call.journal.entries if isinstance(one, ConfirmationAnswered)]
    assert [(one.approved, one.by) for one in answers] == [(True, "voice")]


async def test_spoken_yes_before_everything_was_heard_only_repeats_the_question(
    agent: AgentDefinition,
) -> None:
    """Who interrupts the question has not heard what it is about."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("clear room 7")
        async with asyncio.timeout(10):
            while call.session.agent_state != "speaking":
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        await call.speak("yes")
        await call.hears(ASKS)
        assert call.house.cleared == []
        await call.pause()
        await call.speak("yes")
        await call.hears("Room 7 is empty.")
        assert len(call.house.cleared) == 1


async def test_yes_in_the_echo_of_the_question_only_repeats_it(agent: AgentDefinition) -> None:
    """What comes 0.1 s after the agent's last sound may be that sound."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await asyncio.sleep(0.1)
        await call.speak("yes")
        async with asyncio.timeout(10):
            while call.spoken.count(ASKS) < 2:
                await asyncio.sleep(0.01)
        assert call.house.cleared == []
        await call.pause()
        await call.speak("yes")
        await call.hears("Room 7 is empty.")


async def test_yes_after_a_reprompt_repeats_the_question(agent: AgentDefinition) -> None:
    """ "Are you still there?" was asked last."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await call.session.say("Are you still there?")
        await call.pause()
        await call.speak("yes")
        async with asyncio.timeout(10):
            while call.spoken.count(ASKS) < 2:
                await asyncio.sleep(0.01)
        assert call.house.cleared == []


async def test_yes_that_goes_on_is_none(agent: AgentDefinition) -> None:
    """ "Yes" may be the beginning of "yes, but not that one"."""
    async with VoiceCall(agent, AgentLLM(agent), settle_s=0.3) as call:
        await call.speak("clear room 7")
        await call.hears(ASKS)
        await call.pause()
        await call.speak("yes")
        await asyncio.sleep(0.15)
        call.begin()
        await asyncio.sleep(0.2)
        call.end("when are you open")
        await call.hears("We are open all day.")
        await asyncio.sleep(0.5)
        assert call.house.cleared == []
        assert call.tools.gate.asks() is not None


def said(turn: ChatMessage | None) -> str:
    """The caller's words, without what the agent noted on them."""
    return (turn.raw_text_content or "").split("\n\n(Note: ")[0] if turn else ""


def pays(conversation: ChatContext) -> Script:
    """A model that paints the room whose number it reads in the caller's last words."""
    for output in unanswered(conversation.items):
        return [say(spoken(output))]
    turn = last_user(conversation.items)
    number = "".join(filter(str.isdigit, said(turn)))
    if not number:
        return [say("What?")]
    call = FunctionToolCall(name="paint", arguments=f'{{"number": {number}}}', call_id="remote-1")
    return [ChoiceDelta(role="assistant", tool_calls=[call])]


@pytest.mark.parametrize(
    ("first", "final", "painted"),
    [("paint room 15", "paint room 1.5", []), ("paint room -5", "paint room 5", [5])],
)
async def test_words_that_were_corrected_never_run_as_first_heard(
    agent: AgentDefinition, first: str, final: str, painted: list[int]
) -> None:
    """The framework holds both for the same sentence and would keep the prepared reply."""
    seen: list[str] = []

    def script(conversation: ChatContext) -> Script:
        turn = last_user(conversation.items)
        seen.append(said(turn))
        if seen[-1] == "paint room 1.5":
            return [say("There is no such room.")]
        return pays(conversation)

    async with VoiceCall(agent, AgentLLM(agent, ScriptedLLM(script), templates=False)) as call:
        await call.speak(final, first=first)
        async with asyncio.timeout(5):
            while not call.spoken:
                await asyncio.sleep(0.01)
        assert [number for number, _ in call.house.painted] == painted
    assert seen[:2] == [first, final]


async def test_gate_refuses_a_reply_to_words_that_were_corrected(agent: AgentDefinition) -> None:
    """The second layer, with the first one taken away."""
    llm = AgentLLM(agent, ScriptedLLM(pays), templates=False)
    async with VoiceCall(agent, llm) as call:

        async def nothing(*_: object, **__: object) -> None:
            pass

        call.agent.on_user_turn_completed = nothing  # type: ignore[method-assign]
        await call.speak("paint room 1.5", first="paint room 15")
        await call.hears(SAYS.corrected)
        assert call.house.painted == []
    refused = [one for one in call.journal.entries if isinstance(one, ToolRefused)]
    assert [one.guard for one in refused] == ["transcript"]


async def test_prepared_reply_to_the_final_words_is_kept(agent: AgentDefinition) -> None:
    """Where nothing changed, nothing is generated twice."""
    remote = ScriptedLLM(pays)
    async with VoiceCall(agent, AgentLLM(agent, remote, templates=False)) as call:
        await call.speak("paint room 5", first="paint room 5")
        await call.hears("Painted room 5.")
        assert len(call.house.painted) == 1
    assert len(remote.asked) == 2


async def test_write_waits_for_a_caller_who_goes_on(agent: AgentDefinition) -> None:
    """ "Paint room 5 ... no, 6": the first half changes nothing."""
    async with VoiceCall(agent, AgentLLM(agent), settle_s=0.3) as call:
        await call.speak("paint room 5")
        await asyncio.sleep(0.15)
        call.begin()
        await asyncio.sleep(0.2)
        call.end("paint room 6")
        await call.hears("Painted room 6.")
        assert [number for number, _ in call.house.painted] == [6]
    proposed = [one for one in call.journal.entries if isinstance(one, ToolProposed)]
    assert [one.arguments["number"] for one in proposed] == [5, 6]


async def test_barge_in_while_a_write_runs_leaves_it_alone(agent: AgentDefinition) -> None:
    """Done once; the next question is answered meanwhile, the result is told later."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("heat room 3")
        await asyncio.sleep(0.3)
        await call.speak("when are you open")
        await call.hears("We are open all day.")
        call.house.warm.set()
        await call.hears("Room 3 is warm.")
        assert call.house.heated == [3]


async def test_result_that_was_interrupted_is_told_again(agent: AgentDefinition) -> None:
    """The caller must not have to guess; once heard, it is not repeated."""
    again = SAYS.again.format(words="Painted room 5.")
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        await call.speak("paint room 5")
        async with asyncio.timeout(10):
            while call.session.agent_state != "speaking":
                await asyncio.sleep(0.01)
        await call.speak("when are you open")
        await call.hears("We are open all day.")
        assert "Painted room 5." not in call.spoken
        await call.hears(again)
        await asyncio.sleep(2)
        assert call.spoken.count(again) == 1
        assert len(call.house.painted) == 1


@pytest.mark.parametrize("first", [None, "paint room 5"])
async def test_next_turn_corrects_nothing(agent: AgentDefinition, first: str | None) -> None:
    """Only words to which a reply was prepared too early are corrected by others."""
    remote = ScriptedLLM(pays)
    async with VoiceCall(agent, AgentLLM(agent, remote, templates=False)) as call:
        await call.speak("paint room 5", first=first)
        await call.hears("Painted room 5.")
        await call.speak("paint room 6")
        await call.hears("Painted room 6.")
    told = [message.text_content for one in remote.asked for message in one.messages()]
    assert not any(CORRECTED in (text or "") for text in told)
