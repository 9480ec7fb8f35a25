"""A caller who sends what no page sends: the agent's process keeps its size, and answers."""

import base64
import os
from pathlib import Path

import psutil
import pytest
from livekit import rtc

from devstack.caller import CHAT_TOPIC, Caller, joined
from tests.support.call_steps import greeted
from tests.support.local_stack import LocalStack, running_stack

PRE_CONNECT_TOPIC = "lk.agent.pre-connect-audio-buffer"
TOPICS = (
    CHAT_TOPIC,
    PRE_CONNECT_TOPIC,
    "lk.agent.session",
    "lk.audio_stream",
    "lk.rpc_request",
    "lk.transcription",
    "parley.message",
    "anything",
)
ODD_NUMBERS = ("0", "-1", "9", "1000000000", "x")
KEPT_MAX_BYTES = 20_000_000


def job_of(stack: LocalStack) -> psutil.Process:
    """The process of the only call: of those that wait for one, none has a connection."""
    assert stack.process is not None
    [job] = [
        child
        for child in psutil.Process(stack.process.pid).children(recursive=True)
        if "forkserver" in "".join(child.cmdline()) and child.net_connections(kind="inet")
    ]
    return job


def own_bytes(job: psutil.Process) -> int:
    """The memory that is this process's alone."""
    return int(job.memory_full_info().uss)


async def answers(caller: Caller, within_s: float = 20) -> None:
    """The agent answers, as soon as it would another caller."""
    before = len(caller.lines)
    await caller.send_text("Where is order eight?")
    await caller.agent_line(after=before, containing="Order 8 is on its way", timeout_s=within_s)


async def send_sound(me: rtc.LocalParticipant, *, rate: str, channels: str, kind: str) -> None:
    """Send what passes for sound from before the call."""
    writer = await me.stream_bytes(
        "sound",
        topic=PRE_CONNECT_TOPIC,
        mime_type=kind,
        attributes={"trackId": f"TR_{rate}", "sampleRate": rate, "channels": channels},
    )
    await writer.write(os.urandom(60_000))
    await writer.aclose()


async def test_caller_who_sends_sound_of_odd_rates_is_answered(stack: LocalStack) -> None:
    """Nothing reads it: no loop, no decoder that guesses formats and opens ports."""
    async with joined(stack.page_url) as caller:
        await greeted(caller)
        job = job_of(stack)
        before, ports = own_bytes(job), len(job.net_connections(kind="udp"))
        me = caller.room.local_participant
        for number in ODD_NUMBERS:
            await send_sound(me, rate=number, channels="1", kind="audio/pcm")
            await send_sound(me, rate="48000", channels=number, kind="audio/opus")
        await answers(caller)
        assert own_bytes(job) - before < KEPT_MAX_BYTES
        assert len(job.net_connections(kind="udp")) <= ports


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_caller_who_floods_every_topic_is_answered_and_nothing_is_kept(
    stack: LocalStack,
) -> None:
    """Large texts, texts that are small on the way only, streams that never end."""
    large = base64.b64encode(os.urandom(29_250_000)).decode()
    async with joined(stack.page_url) as caller:
        await greeted(caller)
        await answers(caller)
        job = job_of(stack)
        before = own_bytes(job)
        me = caller.room.local_participant
        unfinished: list[rtc.TextStreamWriter | rtc.ByteStreamWriter] = []
        for topic in TOPICS:
            await me.send_text("a" * 39_000_000, topic=topic)
            for _ in range(50):
                text = await me.stream_text(topic=topic)
                data = await me.stream_bytes("file", topic=topic)
                await text.write("b" * 1_000)
                await data.write(b"b" * 1_000)
                unfinished += [text, data]
        await answers(caller)
        for topic in (CHAT_TOPIC, "anything"):
            await me.send_text(large, topic=topic)
            # It comes behind what is still on its way.
            await answers(caller, within_s=60)
        await answers(caller)
        assert job_of(stack) == job
        assert own_bytes(job) - before < KEPT_MAX_BYTES


@pytest.mark.long
async def test_call_whose_process_takes_too_much_memory_goes_on_with_another(
    tmp_path: Path,
) -> None:
    """The process is killed, no other call with it, and the caller is told and answered."""
    settings = {
        "PARLEY_AGENT": "tests.support.hoarding_agent",
        "PARLEY_START_STOREFRONT": "true",
        "PARLEY_WORKER_CALL_MEMORY_MB": "400",
    }
    with running_stack(tmp_path, **settings) as stack:
        async with joined(stack.page_url) as caller:
            await caller.agent_line(containing="Sorry, I was gone for a moment", timeout_s=40)
            await answers(caller)
        assert "process exceeded memory limit" in stack.log("agent-worker")
        assert '"job.died"' in stack.log("agent-worker")
