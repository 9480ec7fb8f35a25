"""What the agent listens to in its room, and what it takes: real SFU and record, no speech."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from structlog.testing import capture_logs

from agent_worker.call_limits import LIMITS
from agent_worker.refusals import MALFORMED, TOO_MANY
from agent_worker.settings import WorkerSettings
from agent_worker.tools.confirmations import REFUSED_MAX
from call_record.record import Record
from devstack.caller import CHAT_TOPIC
from service_base.settings import load
from service_base.tasks import TaskSet
from tests.support.calls import requested, the_call
from tests.support.local_stack import LocalStack, until
from tests.support.room_call import SPEECHLESS, RoomCall, enter, running_call
from tests.unit.agent_worker.small_agent import PHRASES, load_templates, small_agent
from voice_contract.journal import ConfirmationRefused, UserTurn
from voice_contract.messages import (
    AGENT_MESSAGE,
    TEXT_MAX_CHARS,
    AgentMessage,
    CallEnded,
    Notice,
)
from voice_contract.names import (
    ACTION_OUTCOME_METHOD,
    CALLER_STATE_METHOD,
    CONFIRM_METHOD,
    CONFIRMATIONS_METHOD,
    HANG_UP_METHOD,
    MESSAGE_TOPIC,
)

WARNED_S = 0.5
"""As long as the page may take to stop; five seconds in a call."""
HANDLERS = {
    f"text {CHAT_TOPIC}",
    f"rpc {CALLER_STATE_METHOD}",
    f"rpc {HANG_UP_METHOD}",
    f"rpc {CONFIRMATIONS_METHOD}",
    f"rpc {CONFIRM_METHOD}",
    f"rpc {ACTION_OUTCOME_METHOD}",
    # A key of a telephone counts as a sign of life, the linked caller's alone.
    "event sip_dtmf_received",
}
"""All by which somebody in the room can reach code in the agent's process."""
DATA_EVENTS = (
    "data_received",
    "sip_dtmf_received",
    "transcription_received",
    "data_track_published",
)


# The room is the same, whatever the record is kept in.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@asynccontextmanager
async def greeted_call(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path, **changes: Any
) -> AsyncIterator[RoomCall]:
    """A call whose caller was greeted, with *changes* of the worker's settings."""
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
        **SPEECHLESS,
        **changes,
    )
    agent = small_agent(load_templates(tmp_path))
    call_id = await requested(record, "caller-1")
    async with running_call(sfu, record, settings, agent, call_id) as call:
        await until(lambda: bool(call.caller.remote_participants))
        yield call


@pytest.fixture
async def scene(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> AsyncIterator[RoomCall]:
    """A call whose caller was greeted."""
    async with greeted_call(sfu, record, database_url, tmp_path) as call:
        yield call


@contextmanager
def plain_logs() -> Iterator[list[str]]:
    """What libraries log meanwhile."""
    lines: list[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def handlers(room: rtc.Room) -> set[str]:
    """By what others in *room* can reach us. The SDK does not list it."""
    listeners: dict[Any, Any] = room._events
    return {
        *(f"text {topic}" for topic in room._text_stream_handlers),
        *(f"bytes {topic}" for topic in room._byte_stream_handlers),
        *(f"rpc {method}" for method in room.local_participant._rpc_handlers),
        *(f"event {event}" for event in DATA_EVENTS if listeners.get(event)),
    }


async def test_all_that_the_agent_listens_to_is_known(scene: RoomCall) -> None:
    """What the framework adds on its own, by an upgrade or a default, is named here."""
    assert handlers(scene.job.room) - HANDLERS == set()
    assert HANDLERS - handlers(scene.job.room) == set()


async def test_text_is_cut_and_one_that_nobody_types_is_refused(scene: RoomCall) -> None:
    """Also one that is small on the way and large when it is unpacked."""
    await scene.write("a" * (TEXT_MAX_CHARS + 100))
    await scene.write("b" * 5_000_000)
    await scene.write("look at room 5")
    typed = await scene.heard("look at room 5")
    assert typed == ["a" * TEXT_MAX_CHARS, "look at room 5"]


async def test_texts_that_never_end_keep_no_reader_and_stop_no_answer(
    scene: RoomCall,
) -> None:
    """A few may be under way at a time: the next one pushes out the oldest."""
    writers = [
        await scene.caller.local_participant.stream_text(topic=CHAT_TOPIC) for _ in range(30)
    ]
    for writer in writers:
        await writer.write("c" * 100)
    await asyncio.sleep(1)
    assert len(scene.job.room._text_stream_readers) <= 4
    await scene.write("look at room 5")
    assert await scene.heard("look at room 5") == ["look at room 5"]
    for writer in writers:
        await writer.aclose()


async def test_text_of_a_stranger_is_not_kept(sfu: LocalStack, scene: RoomCall) -> None:
    """Nor answered."""
    stranger = rtc.Room()
    await enter(sfu, stranger, scene.call_id, "stranger")
    try:
        writer = await stranger.local_participant.stream_text(topic=CHAT_TOPIC)
        await writer.write("look at room 6")
        await asyncio.sleep(0.5)
        assert scene.job.room._text_stream_readers == {}
        await writer.aclose()
        await scene.write("look at room 5")
        assert await scene.heard("look at room 5") == ["look at room 5"]
    finally:
        await stranger.disconnect()


def messages(scene: RoomCall) -> list[AgentMessage]:
    """What the agent sends to the page from now on."""
    said: list[AgentMessage] = []
    tasks = TaskSet()

    async def keep(reader: rtc.TextStreamReader) -> None:
        said.append(AGENT_MESSAGE.validate_json(await reader.read_all()))

    def arrived(reader: rtc.TextStreamReader, _: str) -> None:
        tasks.start(keep(reader), name="keep")

    scene.caller.register_text_stream_handler(MESSAGE_TOPIC, arrived)
    return said


async def test_call_whose_turns_are_used_up_ends_with_a_goodbye(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> None:
    """The last turn is answered, the agent says why it goes, and no turn comes after it."""
    async with greeted_call(sfu, record, database_url, tmp_path, call_turns_max=3) as scene:
        said = messages(scene)
        for number in range(1, 4):
            await scene.write(f"look at room {number}")
            await scene.heard(f"look at room {number}")
        async with asyncio.timeout(15):
            while (await the_call(record, scene.call_id)).end_reason is None:
                await asyncio.sleep(0.05)
        entries = await scene.entries()
    assert (await the_call(record, scene.call_id)).end_reason == "agent"
    assert len([one for one in entries if isinstance(one, UserTurn)]) == 3
    # What can not be spoken is shown.
    assert PHRASES.too_long_end in [one.text for one in said if isinstance(one, Notice)]
    assert [one.reason for one in said if isinstance(one, CallEnded)] == ["agent"]


async def answered(scene: RoomCall, method: str, payload: str = "") -> str | int:
    """What the agent answers to the caller's RPC, or the code of its error."""
    [agent] = scene.caller.remote_participants
    try:
        return await scene.caller.local_participant.perform_rpc(
            destination_identity=agent, method=method, payload=payload
        )
    except rtc.RpcError as error:
        return error.code


def refused(logs: list[Any]) -> dict[tuple[str, str], int]:
    """How many were refused, by kind and reason, as far as that is logged."""
    sums: dict[tuple[str, str], int] = {}
    for log in logs:
        if log["event"] == "call.input_refused":
            one = (log["kind"], log["reason"])
            sums[one] = sums.get(one, 0) + log["count"]
    return sums


async def test_text_that_says_it_is_large_is_refused_before_it_is_read(scene: RoomCall) -> None:
    """No reader is made for it, and what follows is answered."""
    made: list[object] = []
    reader = rtc.TextStreamReader.__init__

    def counted(self: rtc.TextStreamReader, *arguments: Any, **options: Any) -> None:
        if arguments[0].info.topic == CHAT_TOPIC:
            made.append(arguments[0].info.total_length)
        reader(self, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
        patch.setattr(rtc.TextStreamReader, "__init__", counted)
        for _ in range(3):
            await scene.write("b" * 8_000_000)
        await scene.write("look at room 5")
        assert await scene.heard("look at room 5") == ["look at room 5"]
    assert made == [len("look at room 5")]
    assert refused(logs) == {("text", "too-large"): 1}


async def test_streams_that_nobody_reads_leave_nothing(scene: RoomCall) -> None:
    """Of neither kind, finished or not; the SDK would log a line for each."""
    me = scene.caller.local_participant
    unfinished: list[rtc.TextStreamWriter | rtc.ByteStreamWriter] = []
    with capture_logs() as logs, plain_logs() as plain:
        for number in range(8):
            text = await me.stream_text(topic=f"topic {number}")
            data = await me.stream_bytes("file", topic=CHAT_TOPIC)
            await text.write("b" * 1_000)
            await data.write(b"b" * 1_000)
            unfinished += [text, data]
        await scene.write("look at room 5")
        assert await scene.heard("look at room 5") == ["look at room 5"]
    room = scene.job.room
    assert (room._text_stream_readers, room._byte_stream_readers) == ({}, {})
    assert refused(logs) == {("stream", "nobody-reads"): 1}
    # The caller's room is in this process too.
    assert [line for line in plain if "topic" in line and MESSAGE_TOPIC not in line] == []
    for writer in unfinished:
        await writer.aclose()


async def test_rpcs_of_strangers_and_broken_ones_are_counted_together(
    sfu: LocalStack, scene: RoomCall
) -> None:
    """One line for the first of a kind, one sum for all others."""
    stranger = rtc.Room()
    await enter(sfu, stranger, scene.call_id, "stranger")
    [agent] = [one for one in stranger.remote_participants if one.startswith("agent-")]
    try:
        with capture_logs() as logs:
            for _ in range(40):
                with pytest.raises(rtc.RpcError):
                    await stranger.local_participant.perform_rpc(
                        destination_identity=agent, method=HANG_UP_METHOD, payload=""
                    )
                assert await answered(scene, CONFIRM_METHOD, "{}") == MALFORMED
            assert refused(logs) == {("rpc", "stranger"): 1, ("rpc", "malformed"): 1}
            assert len(logs) < 10
    finally:
        await stranger.disconnect()


async def test_flood_of_rpcs_is_warned_and_ends_the_call(
    sfu: LocalStack,
    record: Record,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page reads both; log and journal stay short; hanging up would have been possible."""
    monkeypatch.setattr("agent_worker.call.LIMITS", replace(LIMITS, warned_s=WARNED_S))
    async with greeted_call(sfu, record, database_url, tmp_path) as scene:
        await flooded(scene)


async def flooded(scene: RoomCall) -> None:
    """The caller's page sends far too much, is warned, and goes on."""
    said = messages(scene)

    async def flood(times: int) -> set[str | int]:
        return set(
            await asyncio.gather(*(answered(scene, CONFIRMATIONS_METHOD) for _ in range(times)))
        )

    before = len(await scene.entries())
    with capture_logs() as logs:
        first = await flood(LIMITS.rpcs.burst + LIMITS.flood.burst + 50)
        assert TOO_MANY in first
        await until(lambda: any(isinstance(one, Notice) for one in said))
        assert not any(isinstance(one, CallEnded) for one in said)
        await asyncio.sleep(WARNED_S)
        while not any(isinstance(one, CallEnded) for one in said):
            await flood(50)
    notices = [one.code for one in said if isinstance(one, Notice) and one.code == "flood"]
    assert notices == ["flood"]
    assert [one.reason for one in said if isinstance(one, CallEnded)] == ["flood"]
    events = [log["event"] for log in logs]
    assert events.count("call.flood_warned") == 1
    assert events.count("call.input_refused") <= 3
    assert len(await scene.entries()) < before + 20


async def test_flood_of_a_stranger_ends_nothing(sfu: LocalStack, scene: RoomCall) -> None:
    """Its texts, streams and RPCs, far beyond what the caller may send."""
    stranger = rtc.Room()
    await enter(sfu, stranger, scene.call_id, "stranger")
    [agent] = [one for one in stranger.remote_participants if one.startswith("agent-")]
    me = stranger.local_participant

    async def vote() -> None:
        with suppress(rtc.RpcError):
            await me.perform_rpc(destination_identity=agent, method=CONFIRM_METHOD, payload="{}")

    try:
        with capture_logs() as logs:
            for _ in range(6):
                await asyncio.gather(*(vote() for _ in range(50)))
                for _ in range(50):
                    await me.send_text("look at room 6", topic=CHAT_TOPIC)
            await scene.write("look at room 5")
            assert await scene.heard("look at room 5") == ["look at room 5"]
        assert refused(logs) == {("rpc", "stranger"): 1, ("text", "stranger"): 1}
        votes = [one for one in await scene.entries() if isinstance(one, ConfirmationRefused)]
        assert 0 < len(votes) <= REFUSED_MAX
    finally:
        await stranger.disconnect()
