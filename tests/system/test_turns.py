"""Turns as people take them: over real WebRTC, with the journal and recorded sound as witnesses."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from agent_worker.agent import Phrases
from devstack.ask import speak
from devstack.caller import FRAME_S, SOUND_RMS, Caller, joined, rms, trimmed
from tests.support.call_steps import SPEEDS, ask, entries, greeted, speech_url
from tests.support.disclosing_agent import DISCLOSURE
from tests.support.local_stack import LocalStack, running_stack
from tests.support.sounds import cough, silence
from voice_contract.caller_state import CallerState
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, UserTurn
from voice_contract.names import CALLER_STATE_METHOD

ASKS_WHO_IS_THERE = Phrases().silence
PATIENCE = Phrases().patience


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose agent loses patience soon."""
    folder: Path = tmp_path_factory.mktemp("hasty")
    with running_stack(folder, PARLEY_WAITS='{"silence_s": 4, "patience_s": 9}') as started:
        yield started


@pytest.fixture
async def silent_caller(hasty: LocalStack) -> AsyncIterator[Caller]:
    """Who has heard the greeting of the hasty agent."""
    async with joined(hasty.page_url) as present:
        await greeted(present)
        yield present


async def sound_begins(caller: Caller, moment: float, more_s: float = 1.0) -> None:
    """Wait until the agent is heard after *moment*, and for *more_s* more."""
    async with asyncio.timeout(20):
        while caller.ear.first_sound_after(moment) is None:
            await asyncio.sleep(0.02)
    await asyncio.sleep(more_s)


async def agent_turns(stack: LocalStack, caller: Caller) -> list[tuple[str, str, bool]]:
    """
    Of each turn of the agent's: the words planned, the words heard, whether it was cut; without
    those that ask whether the caller is there, which a slow test gives it time for.
    """
    read = await entries(stack, caller)
    planned = {one.turn_id: one.planned for one in read if isinstance(one, AgentTurnStarted)}
    return [
        (planned[one.turn_id], one.heard, one.interrupted)
        for one in read
        if isinstance(one, AgentTurnEnded) and planned[one.turn_id] not in ASKS_WHO_IS_THERE
    ]


async def ended(stack: LocalStack, caller: Caller, turns: int) -> None:
    """Wait until so many turns of the agent's have ended."""
    async with asyncio.timeout(60):
        while len(await agent_turns(stack, caller)) < turns:
            await asyncio.sleep(0.2)


async def user_turns(stack: LocalStack, caller: Caller) -> list[str]:
    return [one.text for one in await entries(stack, caller) if isinstance(one, UserTurn)]


def quiet_s(caller: Caller, since: float, until: float) -> float:
    """How long the agent was not heard between two moments, in seconds."""
    loud = [at for at, pcm in caller.ear.frames if since < at < until and rms(pcm) > SOUND_RMS]
    return until - since - len(loud) * FRAME_S


@pytest.mark.long
async def test_words_up_to_the_cut_are_on_record(stack: LocalStack, caller: Caller) -> None:
    """Who speaks over an answer has heard its beginning."""
    asked_at = await caller.say(await speak(speech_url(stack), "what can you do"))
    await sound_begins(caller, asked_at)
    await ask(stack, caller, "actually, where is order nine", "Order 9")
    cut = [turn for turn in await agent_turns(stack, caller) if turn[2]]
    assert len(cut) == 1
    planned, heard, _ = cut[0]
    assert heard and planned.startswith(heard.rstrip(".,… "))
    assert len(heard) < len(planned)


@pytest.mark.long
@pytest.mark.parametrize("sound", ["a cough", "uh-huh", "okay", "yeah, right"])
async def test_what_is_no_wish_stops_no_answer(
    stack: LocalStack, caller: Caller, sound: str
) -> None:
    """The answer goes on where it paused, and is one whole turn; nobody asks what was said."""
    over_it = cough() if sound == "a cough" else await speak(speech_url(stack), sound)
    asked_at = await caller.say(await speak(speech_url(stack), "what can you do"))
    await sound_begins(caller, asked_at)
    await caller.say(over_it)
    await ended(stack, caller, 2)
    await asyncio.sleep(3)
    assert await user_turns(stack, caller) == ["What can you do?"]
    turns = await agent_turns(stack, caller)
    assert [turn[2] for turn in turns] == [False, False]
    assert turns[1][0] == turns[1][1]


@pytest.mark.long
async def test_goodbye_is_taken_back_when_the_caller_has_a_question(
    stack: LocalStack, caller: Caller
) -> None:
    """The call goes on."""
    asked_at = await caller.say(await speak(speech_url(stack), "that is all for today"))
    await sound_begins(caller, asked_at, 0)
    await ask(stack, caller, "actually, where is order nine", "Order 9")
    await asyncio.sleep(1)
    assert not caller.left.is_set()


@pytest.mark.long
async def test_cough_lets_the_goodbye_finish(stack: LocalStack, caller: Caller) -> None:
    """And the call ends after it."""
    asked_at = await caller.say(await speak(speech_url(stack), "that is all for today"))
    await sound_begins(caller, asked_at, 0)
    await caller.say(cough())
    await asyncio.wait_for(caller.left.wait(), 20)
    planned, heard, interrupted = (await agent_turns(stack, caller))[-1]
    assert "Goodbye" in heard and heard == planned and not interrupted


@pytest.mark.long
@pytest.mark.parametrize(
    ("parts", "pause_s", "expected"),
    [
        (("where is order one", "oh four"), 0.7, "104"),
        (("where is my", "order seven"), 0.9, "Order 7"),
    ],
)
async def test_pause_inside_a_sentence_does_not_end_it(
    stack: LocalStack, caller: Caller, parts: tuple[str, ...], pause_s: float, expected: str
) -> None:
    """What may go on is waited for."""
    for speed in SPEEDS:
        before, turns = len(caller.lines), len(await user_turns(stack, caller))
        spoken = [trimmed(await speak(speech_url(stack), part, speed)) for part in parts]
        asked_at = await caller.say(np.concatenate([spoken[0], silence(pause_s), spoken[1]]))
        await caller.answer_after(asked_at)
        assert len(await user_turns(stack, caller)) == turns + 1
        lines = [line.text for line in caller.lines[before:]]
        if any(expected in line for line in lines):
            return
    pytest.fail(f"never understood: {lines}")


async def tell(caller: Caller, **state: bool) -> None:
    """As the page does."""
    assert caller.agent is not None
    payload = CallerState(**{"muted": False, "typing": False, **state}).model_dump_json()
    await caller.room.local_participant.perform_rpc(
        destination_identity=caller.agent.identity, method=CALLER_STATE_METHOD, payload=payload
    )


@pytest.mark.long
@pytest.mark.parametrize("state", ["muted", "typing"])
async def test_who_cannot_speak_is_waited_for(silent_caller: Caller, state: str) -> None:
    """The agent says once that it waits, and asks again when the caller could speak."""
    await tell(silent_caller, **{state: True})
    before = len(silent_caller.lines)
    assert await silent_caller.agent_line(before) == PATIENCE
    await tell(silent_caller)
    assert await silent_caller.agent_line(before + 1) == ASKS_WHO_IS_THERE[0]


@pytest.mark.long
async def test_who_asks_to_wait_is_waited_for(hasty: LocalStack, silent_caller: Caller) -> None:
    """A moment is more than the usual patience."""
    await ask(hasty, silent_caller, "just a moment, let me find the paper", "take your time")
    before = len(silent_caller.lines)
    assert await silent_caller.agent_line(before) == PATIENCE


@pytest.mark.long
async def test_caller_state_that_is_malformed_is_refused(caller: Caller) -> None:
    """Who sent it is checked as for every other method."""
    assert caller.agent is not None
    with pytest.raises(rtc.RpcError):
        await caller.room.local_participant.perform_rpc(
            destination_identity=caller.agent.identity,
            method=CALLER_STATE_METHOD,
            payload='{"muted": "perhaps"}',
        )


@pytest.fixture(scope="module")
def disclosing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack whose agent has something to say that all must hear."""
    folder: Path = tmp_path_factory.mktemp("disclosing")
    with running_stack(
        folder, PARLEY_AGENT="tests.support.disclosing_agent", PARLEY_START_EXAMPLE="storefront"
    ) as started:
        yield started


@pytest.mark.long
async def test_what_must_be_heard_is_heard_to_its_end(disclosing: LocalStack) -> None:
    """Whatever the caller says or types meanwhile; what was typed is answered after it."""
    async with joined(disclosing.page_url) as caller:
        while caller.agent is None or caller.ear.first_sound_after(0) is None:
            await asyncio.sleep(0.02)
        await caller.send_text("Where is order eight?")
        await caller.say(await speak(speech_url(disclosing), "yes yes I know all that"))
        await caller.agent_line(containing="Order 8 is on its way")
        await ended(disclosing, caller, 3)
        read = await entries(disclosing, caller)
        first = next(one for one in read if isinstance(one, AgentTurnEnded))
        assert (first.heard, first.interrupted, first.protected) == (DISCLOSURE, False, True)
        asked_at = await caller.say(await speak(speech_url(disclosing), "that is all for today"))
        await sound_begins(caller, asked_at)
        await caller.say(await speak(speech_url(disclosing), "wait, where is order eight"))
        await asyncio.wait_for(caller.left.wait(), 20)
        planned, heard, interrupted = (await agent_turns(disclosing, caller))[-1]
        assert heard == planned and not interrupted
