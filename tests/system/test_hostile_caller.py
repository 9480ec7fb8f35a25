"""A caller who sends what no page sends: the agent's process keeps its size, and answers."""

import asyncio
import base64
import json
import os
from collections import Counter
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import psutil
import pytest
from livekit import rtc
from livekit.rtc.participant import PublishDataError

from agent_worker.agent import Phrases
from call_record import journal
from devstack.caller import CHAT_TOPIC, Caller, joined
from tests.support.call_steps import greeted
from tests.support.local_stack import LocalStack, running_stack
from tests.support.log_lines import every_line, process_exited
from voice_contract.messages import CallEnded, Notice
from voice_contract.names import CONFIRM_METHOD, CONFIRMATIONS_METHOD

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
METHODS = (CONFIRMATIONS_METHOD, CONFIRM_METHOD, "unknown")
LARGE = base64.b64encode(os.urandom(6_000_000)).decode()
"""8 MB that cannot be packed."""
PACKED = "a" * 8_000_000
"""8 MB that are a few KB on the way."""
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


@pytest.mark.long
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


async def flood(caller: Caller, agent: rtc.RemoteParticipant, topic: str) -> None:
    """
    Send on *topic*, as fast as can be: large texts, some of them large only when unpacked, small
    texts, streams that never end, RPCs.
    """
    me = caller.room.local_participant

    async def rpc(method: str) -> None:
        with suppress(rtc.RpcError):
            await me.perform_rpc(
                destination_identity=agent.identity, method=method, payload="x" * 5_000
            )

    for text in (LARGE, PACKED):
        await me.send_text(text, topic=topic)
    for _ in range(200):
        await me.send_text("Where is order eight?", topic=topic)
    for _ in range(20):
        # A writer that is dropped unclosed never ends its stream.
        await (await me.stream_text(topic=topic)).write("b" * 100)
        await (await me.stream_bytes("file", topic=topic)).write(b"b" * 100)
    for method in METHODS:
        for _ in range(3):
            await asyncio.gather(*(rpc(method) for _ in range(20)))


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_caller_who_floods_the_agent_is_warned_and_put_out_and_no_other_caller_notices(
    stack: LocalStack,
) -> None:
    """Memory, log and journal hold what a normal call's do: nothing of the thousands is kept."""
    async with joined(stack.page_url) as hostile:
        await greeted(hostile)
        await answers(hostile)
        call_id, job = hostile.room.name, job_of(stack)
        before, lines_before = own_bytes(job), Counter(every_line(stack))
        grown_bytes: list[int] = []
        async with joined(stack.page_url) as other:
            await greeted(other)
            for topic in cycle(TOPICS):
                if (agent := hostile.agent) is None:
                    break
                # Sending fails when it is put out in the middle of it.
                with suppress(ConnectionError, PublishDataError):
                    await flood(hostile, agent, topic)
                with suppress(psutil.NoSuchProcess):
                    grown_bytes.append(own_bytes(job) - before)
                await answers(other)
            await answers(other)
            await process_exited(stack, call_id)
            # The logs of all processes, one after the other: what is new stands in each.
            lines = list((Counter(every_line(stack)) - lines_before).elements())
        assert max(grown_bytes) < KEPT_MAX_BYTES
        notices = [one for one in hostile.messages if one.type in ("notice", "call-ended")]
        assert notices == [Notice(code="flood", text=Phrases().flood), CallEnded(reason="flood")]
        assert not any(one.type == "notice" for one in other.messages)
        refused = [line for line in lines if "call.input_refused" in line]
        counted = sum(json.loads(line)["count"] for line in refused)
        assert counted > 300 and all(call_id in line for line in refused)
        assert len(lines) < 400
        async with stack.record() as record:
            assert len(await journal.read(record, call_id)) < 150


@pytest.mark.long
async def test_call_whose_process_takes_too_much_memory_goes_on_with_another(
    tmp_path: Path,
) -> None:
    """The process is killed, no other call with it, and the caller is told and answered."""
    settings = {
        "PARLEY_AGENT": "tests.support.hoarding_agent",
        "PARLEY_START_EXAMPLE": "storefront",
        "PARLEY_WORKER_CALL_MEMORY_MB": "400",
    }
    with running_stack(tmp_path, **settings) as stack:
        async with joined(stack.page_url) as caller:
            await caller.agent_line(containing="Sorry, I was gone for a moment", timeout_s=40)
            await answers(caller)
        assert "process exceeded memory limit" in stack.log("agent-worker")
        assert '"job.died"' in stack.log("agent-worker")
