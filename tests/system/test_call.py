"""Whole calls: a caller over real WebRTC, the SFU, real speech, the storefront."""

import asyncio
import json
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from livekit import api, rtc

from devstack.ask import recognize, speak
from devstack.caller import SOUND_RMS, Caller, joined, rms
from tests.support.call_steps import ask, entries, greeted, ledger, speech_url
from tests.support.local_stack import LocalStack, running_stack
from tests.support.log_lines import identities, loud, process_exited
from voice_contract.journal import AgentTurnEnded
from voice_contract.messages import CallEnded, Notice
from voice_contract.names import HANG_UP_METHOD


async def test_caller_asks_for_an_order_and_hears_what_the_shop_knows(
    stack: LocalStack, caller: Caller
) -> None:
    """The main job: the answer is right on paper, in sound, and was looked up for this call."""
    assert caller.agent is not None and caller.agent.name == "Spoke & Wheel"
    question = "What is the status of my order number seven?"
    asked_at = await ask(stack, caller, question, "Order 7 is on its way")
    await caller.answer_after(asked_at)
    heard = await recognize(speech_url(stack), caller.ear.since(asked_at))
    assert "gloves" in heard.lower()
    reads = (await ledger(stack, caller.room.name))["reads"]
    assert "/v1/orders/7" in [read["path"] for read in reads]


@pytest.mark.long
@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("hi, could you tell me when my order number nine will arrive", "Order 9"),
        ("can you tell me where my order number eight is", "Order 8 is on its way"),
        ("until when are you open on saturday", "Saturday we are open"),
    ],
)
async def test_caller_who_words_it_differently_is_understood(
    stack: LocalStack, caller: Caller, question: str, expected: str
) -> None:
    """Sentences that stand in no template as they are."""
    await ask(stack, caller, question, expected)


@pytest.mark.long
async def test_caller_books_an_appointment_over_three_turns(
    stack: LocalStack, caller: Caller
) -> None:
    """What is missing is asked for; what was done stands in the shop's ledger once."""
    await ask(stack, caller, "I would like to book an appointment", "Which day")
    await ask(stack, caller, "on thursday please", "what time")
    await ask(stack, caller, "at half past three", "Done")
    effects = (await ledger(stack, caller.room.name))["effects"]
    assert [effect["kind"] for effect in effects] == ["appointment.booked"]
    assert str(effects[0]["idempotency_key"]).startswith(f"{caller.room.name}:")


@pytest.mark.long
async def test_caller_who_types_is_answered_aloud_and_on_screen(
    stack: LocalStack, caller: Caller
) -> None:
    """Who can not speak is served as well."""
    typed_at = time.monotonic()
    await caller.send_text("Where is order eight?")
    await caller.agent_line(containing="Order 8 is on its way")
    assert caller.ear.first_sound_after(typed_at) is not None


async def test_caller_who_interrupts_silences_the_agent(stack: LocalStack, caller: Caller) -> None:
    """The agent stops while the caller speaks, and answers what was said then."""
    asked_at = await caller.say(await speak(speech_url(stack), "what can you do"))
    while caller.ear.first_sound_after(asked_at) is None:
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)
    question = await speak(
        speech_url(stack), "could you please tell me when my order number nine will arrive"
    )
    interrupted_at = time.monotonic()
    asked_again_at = await caller.say(question)
    heard = [
        at
        for at, pcm in caller.ear.frames
        if interrupted_at < at < asked_again_at and rms(pcm) > SOUND_RMS
    ]
    assert asked_again_at - interrupted_at > 2, "the question is too short for this test"
    assert max(heard, default=interrupted_at) < asked_again_at - 0.3
    assert await caller.answer_after(asked_again_at) > asked_again_at
    cut = [one for one in await entries(stack, caller) if isinstance(one, AgentTurnEnded)][1]
    assert cut.interrupted and cut.heard, "the words up to the cut are on record"
    assert loud(stack, caller.room.name) == []


async def test_goodbye_ends_the_call_after_the_farewell(stack: LocalStack, caller: Caller) -> None:
    """The agent says goodbye, tells the page why, and the room is closed."""
    await ask(stack, caller, "that is all for today", "Goodbye")
    await asyncio.wait_for(caller.left.wait(), 20)
    assert caller.messages == [CallEnded(reason="agent")]
    await process_exited(stack, caller.room.name)
    assert loud(stack, caller.room.name) == []


async def test_stranger_in_the_room_can_not_hang_up_or_speak_for_the_caller(
    stack: LocalStack, caller: Caller
) -> None:
    """Every handler checks who sent the message."""
    token = (
        api.AccessToken(stack.key.api_key, stack.key.secret)
        .with_identity("stranger")
        .with_grants(api.VideoGrants(room_join=True, room=caller.room.name))
        .to_jwt()
    )
    stranger = rtc.Room()
    await stranger.connect(stack.sfu_url, token)
    try:
        assert caller.agent is not None
        with pytest.raises(rtc.RpcError) as refused:
            await stranger.local_participant.perform_rpc(
                destination_identity=caller.agent.identity, method=HANG_UP_METHOD, payload=""
            )
        assert refused.value.code == 1403
        before = list(caller.lines)
        await stranger.local_participant.send_text("Cancel order ten", topic="lk.chat")
        await asyncio.sleep(3)
        assert caller.lines == before
        assert not caller.left.is_set()
    finally:
        await stranger.disconnect()
    assert (await ledger(stack, caller.room.name))["effects"] == []


async def test_logs_and_metrics_tell_the_call_and_keep_its_words_and_secrets(
    stack: LocalStack, caller: Caller
) -> None:
    """
    Each line is JSON; a call can be followed by its id; no transcript, no secret, no identity, and
    nothing above INFO. The metrics that are documented are there: turns and their parts, tool
    calls, minting, the speech server's.
    """
    await ask(stack, caller, "what is the status of my order number eight", "Order 8")
    await caller.hang_up()
    await process_exited(stack, caller.room.name)
    assert loud(stack, caller.room.name) == []
    assert identities(stack) == []
    text = stack.log("agent-worker") + stack.log("token-service")
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    ours = {event["event"] for event in events if event.get("call_id") == caller.room.name}
    assert {
        "call.requested",
        "call.live",
        "connection.state_changed",
        "agent.state_changed",
        "tool.finished",
        "turn.completed",
    } <= ours
    metrics = {
        "agent-worker": (
            "parley_turns_total",
            "parley_turn_part_seconds_bucket",
            "parley_tool_calls_total",
            "parley_worker_calls",
        ),
        "token-service": ("parley_token_mint_seconds_bucket", "parley_token_requests_total"),
        "speech-server": ("parley_speech_queue", "parley_speech_real_time_factor"),
        "storefront": ("parley_http_request_duration_seconds_bucket",),
    }
    every = text + stack.log("speech-server") + stack.log("storefront") + stack.log("sfu")
    async with httpx.AsyncClient() as http:
        for process, names in metrics.items():
            shown = (await http.get(stack.url(process) + "/metrics")).text
            assert [name for name in names if name not in shown] == [], process
            every += shown
    assert stack.key.secret not in every
    assert "status of my order" not in every.lower()
    assert "is on its way" not in every


@pytest.mark.long
async def test_broken_voice_is_shown_instead_of_silence(tmp_path: Path) -> None:
    """What can not be spoken is on the screen, and the call goes on."""

    async def shown(caller: Caller, count: int) -> list[Notice]:
        async with asyncio.timeout(20):
            while True:
                notices = [one for one in caller.messages if isinstance(one, Notice)]
                if len(notices) >= count:
                    return notices
                await asyncio.sleep(0.1)

    with running_stack(tmp_path, PARLEY_TTS_BASE_URL="http://127.0.0.1:9/v1") as stack:
        async with joined(stack.page_url) as caller:
            await shown(caller, 1)
            await caller.send_text("Where is order eight?")
            notices = await shown(caller, 2)
    assert {message.code for message in notices} == {"no-voice"}
    assert "automated assistant" in notices[0].text
    assert "Order 8 is on its way" in notices[1].text


@pytest.mark.long
async def test_broken_recognizer_is_heard_and_shown_instead_of_silence(tmp_path: Path) -> None:
    """Speech that can not be recognized is answered with words, and the call goes on."""
    with running_stack(tmp_path, PARLEY_STT_BASE_URL="http://127.0.0.1:9/v1") as stack:
        async with joined(stack.page_url) as caller:
            await greeted(caller)
            await ask(stack, caller, "where is order seven", "can't hear you")
            assert [m.code for m in caller.messages if isinstance(m, Notice)] == ["not-heard"]
            await caller.send_text("Where is order eight?")
            await caller.agent_line(containing="Order 8 is on its way")
