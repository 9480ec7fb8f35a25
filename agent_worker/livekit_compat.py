"""
All of LiveKit's private parts that the worker relies on; nothing else of ours touches one.

Written against livekit-agents 1.8.9 and livekit (rtc) 1.1.21. Any release may rename or change
them, some without an error. After an upgrade, in tests/unit/agent_worker, test_livekit_compat.py
names each part that is gone, and test_livekit_compat_behaviour.py each that behaves differently.
"""

import logging
import re
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    AgentServer,
    APIConnectOptions,
    NotGivenOr,
    stt,
    vad,
)
from livekit.agents.ipc import job_proc_executor
from livekit.agents.llm import ChatChunk, LLMStream, Tool
from livekit.agents.llm.async_toolset import AsyncToolset
from livekit.agents.utils import AudioBuffer, http_context
from livekit.agents.voice import agent_activity, agent_session
from livekit.agents.voice.transcription import filters
from livekit.protocol.agent import Job
from livekit.rtc._ffi_client import FfiHandle

from agent_worker.token_bucket import Rate, TokenBucket

# -- the worker's server and its job processes


@dataclass(frozen=True)
class JobProcess:
    """A process that runs a job: its process id, the job's room, and how to wait for its end."""

    pid: int
    room: str
    join: Callable[[], Awaitable[object]]


def has_closed(server: AgentServer) -> bool:
    """
    Whether *server* has closed, after which it has no pool of processes to ask for jobs.

    Reads `AgentServer._closed`: the server does not say it. Without it, counting calls fails when
    the worker stops.
    """
    return server._closed


def is_connecting(server: AgentServer) -> bool:
    """
    Whether *server* is connecting to the SFU, for the first time or again.

    Reads `AgentServer._connecting`: no event tells that the connection is lost. Without it, a
    worker that gets no jobs shows itself as ready.
    """
    return server._connecting


def registers_as(server: AgentServer, deployment: str) -> None:
    """
    Name *server* `deployment` at its next registration with the SFU, at most 64 characters without
    "_". Jobs that name the same deployment are offered to it, and to no other worker.

    Sets `AgentServer._deployment`, which the framework reads from the environment once, and sends
    each time that it connects. Without it, the SFU would choose the worker, by a load that it heard
    of seconds ago, and go on to offer calls to a host that has vanished.
    """
    server._deployment = deployment


def when_job_process_ends(server: AgentServer, act: Callable[[Job], None]) -> None:
    """
    Call *act* with the job of each process of *server* that ends, however it ends.

    Uses `AgentServer._proc_pool`, which exists from `worker_started` on, its event
    `process_closed`, and the executor's `running_job`: the server tells only the SFU. Without it,
    a call whose process died waits seconds longer for another agent.
    """

    def closed(process: Any) -> None:
        if process.running_job is not None:
            act(process.running_job.job)

    server.on("worker_started", lambda: server._proc_pool.on("process_closed", closed))


def processes_with_jobs(server: AgentServer) -> list[JobProcess]:
    """
    The processes of *server* that run a job now.

    Uses `AgentServer._proc_pool.processes` and `ProcJobExecutor`'s `running_job`, `pid` and
    `join`: `active_jobs` knows no processes. Without it, no call can be moved to another worker.
    """
    return [
        JobProcess(process.pid, process.running_job.job.room.name, process.join)
        for process in server._proc_pool.processes
        if isinstance(process, job_proc_executor.ProcJobExecutor)
        and process.running_job is not None
        and process.pid is not None
    ]


def prepare_tls() -> None:
    """
    Read the machine's certificates now, for the HTTP sessions of all jobs.

    Calls `http_context._create_ssl_context`, whose result the framework caches: reading them in a
    job blocks its event loop for up to 0.1 s, at the end of each call, and logs a warning.
    """
    http_context._create_ssl_context()


# -- what is said, and to whom


def connect_options(
    *, stt: APIConnectOptions, llm: APIConnectOptions, tts: APIConnectOptions, errors_max: int
) -> Any:
    """
    Timeouts and retries of a session's providers, and how many errors end the session.

    `AgentSession` takes `SessionConnectOptions`, which no documented module has. Without it, the
    framework's defaults would let a caller wait for minutes, and end a session in silence.
    """
    return agent_session.SessionConnectOptions(
        stt_conn_options=stt,
        llm_conn_options=llm,
        tts_conn_options=tts,
        max_unrecoverable_errors=errors_max,
    )


def current_speech_id() -> str:
    """
    The id of the speech that the current task prepares or plays; empty outside of one.

    Reads `agent_activity._SpeechHandleContextVar`: the framework's nodes do not get the speech
    that they work for. Without it, the planned words of a turn are missing in the journal.
    """
    speech = agent_activity._SpeechHandleContextVar.get(None)
    return speech.id if speech else ""


def closing_errors() -> tuple[type[Exception], ...]:
    """
    What a session that is closing raises when it is asked to speak or to become idle.

    `ActivityClosedError` is in the undocumented module `agent_activity`. Without it, telling a
    result again fails when a call ends.
    """
    return (agent_activity.ActivityClosedError, RuntimeError)


def keep_text_private(participant: rtc.LocalParticipant, listener: str) -> None:
    """
    Send every text of *participant* to *listener* alone: transcripts, messages, whatever comes.

    Replaces `LocalParticipant.stream_text`, by which the framework sends transcripts, and
    `publish_transcription`, its older way, which can address nobody: the framework has no setting
    for it. Were transcripts sent by another method, everyone in the room could read them.
    """
    stream_text = participant.stream_text

    async def to_listener(*arguments: Any, **options: Any) -> rtc.TextStreamWriter:
        options["destination_identities"] = [listener]
        return await stream_text(*arguments, **options)

    async def to_nobody(transcription: rtc.Transcription) -> None:
        return None

    participant.stream_text = to_listener  # type: ignore[method-assign]
    participant.publish_transcription = to_nobody  # type: ignore[method-assign]


def bound_streams(room: rtc.Room, max_bytes: int) -> None:
    """
    Take no data stream into *room* that is larger than *max_bytes*, unpacked. Call before joining.

    Replaces `Room.connect`, because `JobContext.connect` passes no `DataStreamOptions` on. Without
    it, a packet of 64 KB from anyone in the room could unpack to 5 GB in this process.
    """
    connect = room.connect

    async def bounded(url: str, token: str, options: rtc.RoomOptions | None = None) -> None:
        limit = rtc.DataStreamOptions(max_payload_byte_length=max_bytes)
        await connect(url, token, replace(options or rtc.RoomOptions(), data_stream=limit))

    room.connect = bounded  # type: ignore[method-assign]


def without_markdown(line: str, *, begins_line: bool = True) -> str:
    """
    *line*, or the rest of one, without markdown and emoji.

    Uses the patterns of `voice.transcription.filters`, an undocumented module, by which the
    framework cleans what is spoken and not what is shown. Without it, the page shows asterisks.
    """
    of_lines = (*filters.FULL_LINE_PATTERNS, *filters.LINE_PATTERNS) if begins_line else ()
    for form, instead in (*of_lines, *filters.INLINE_PATTERNS):
        line = form.sub(instead, line)
    return filters.EMOJI_PATTERN.sub("", line)


@dataclass(frozen=True)
class IncomingStream:
    """A data stream that somebody in the room has begun to send."""

    sender: str
    topic: str
    is_text: bool
    announced_bytes: int
    """Its length, unpacked; 0: it does not say."""


def guard_streams(room: rtc.Room, admits: Callable[[IncomingStream], bool]) -> None:
    """
    Open those data streams in *room* that *admits*, and drop the others with all that they hold.

    Replaces `Room._handle_text_stream_opened` and `Room._handle_byte_stream_opened`: the SDK has no
    hook for a topic that nobody reads, logs a line for each, and reads what has a handler before
    the handler knows of it. `FfiHandle.dispose` drops a stream, as the SDK does. Without it,
    nothing counts or stops a flood of streams.
    """

    def guard(name: str, is_text: bool) -> None:
        open_stream = getattr(room, name)

        def opened(event: Any) -> None:
            info = event.reader.info
            stream = IncomingStream(
                event.participant_identity, info.topic, is_text, info.total_length
            )
            if admits(stream):
                open_stream(event)
            else:
                FfiHandle(event.reader.handle.id).dispose()

        setattr(room, name, opened)

    guard("_handle_text_stream_opened", True)
    guard("_handle_byte_stream_opened", False)


def change_frames(
    stream: vad.VADStream, change: Callable[[rtc.AudioFrame], rtc.AudioFrame]
) -> vad.VADStream:
    """
    *stream*, which hears each frame as *change* makes it.

    Replaces `VADStream.push_frame`: the detector's own stream is private, and has more to it than
    `VADStream` declares. Without it, a radio behind the caller counts as the caller.
    """
    push = stream.push_frame
    stream.push_frame = lambda frame: push(change(frame))  # type: ignore[method-assign]
    return stream


# -- results that come after the conversation has gone on


class LateResultToolset(AsyncToolset):
    """
    A toolset of the session, whose tools may answer after the conversation has gone on.

    `AsyncToolset` is in an undocumented module; both its templates get the `call_ids` of the late
    results. Without them, the model gets the framework's words instead of ours and tells late
    results in its own way.

    Args: announce: makes what the model is told of results, from the ids of their function calls.
    """

    def __init__(
        self, *, id: str, tools: Sequence[Tool], announce: Callable[[list[str]], str]
    ) -> None:
        def render(arguments: Any) -> str:
            return announce(arguments["call_ids"])

        super().__init__(
            id=id,
            tools=tools,
            tool_handling={
                "async_options": {
                    "reply_at_tail_template": render,
                    "reply_maybe_covered_template": render,
                }
            },
        )


_LATE = "_final"


def split_late(call_id: str) -> tuple[str, bool]:
    """
    The id of the function call that a result belongs to, and whether the result came late.

    The framework adds `_final` to the id of a result that comes after the conversation has gone
    on. Were it another word, late results would count as never told and be told twice.
    """
    return call_id.removesuffix(_LATE), call_id.endswith(_LATE)


# -- what a plugin's author overrides: documented by examples only, and underscored


class Recognizer(stt.STT[Any]):
    """
    A recognizer of ours; `transcribe` is what the framework calls `STT._recognize_impl`.

    Without it, the recognizer cannot be made.
    """

    @abstractmethod
    async def transcribe(
        self, sound: AudioBuffer, language: NotGivenOr[str], conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        """The words in *sound*."""

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.SpeechEvent:
        return await self.transcribe(buffer, language, conn_options)


class RecognizerStream(stt.RecognizeStream):
    """
    A recognizer's stream of ours; `listen` is what the framework calls `RecognizeStream._run`.

    `sound` is its `_input_ch`, and `send` puts into its `_event_ch`. Without them, nobody is heard.
    """

    @abstractmethod
    async def listen(self) -> None:
        """Read `sound` to its end, and `send` what is heard in it."""

    @property
    def sound(self) -> Any:
        """Frames of sound, and marks between them."""
        return self._input_ch

    def send(self, event: stt.SpeechEvent) -> None:
        """Tell the session *event*."""
        self._event_ch.send_nowait(event)

    async def _run(self) -> None:
        await self.listen()


class ReplyStream(LLMStream):
    """
    A reply of ours; `respond` is what the framework calls `LLMStream._run`.

    `send` puts into its `_event_ch`; `report` is its `_emit_error`. Without them, the agent is
    silent.
    """

    @abstractmethod
    async def respond(self) -> None:
        """`send` the reply to `chat_ctx`."""

    def send(self, chunk: ChatChunk) -> None:
        """Give *chunk* to the session."""
        self._event_ch.send_nowait(chunk)

    def report(self, error: Exception) -> None:
        """Tell the session of *error*, after which the reply goes on."""
        self._emit_error(error, recoverable=True)

    async def _run(self) -> None:
        await self.respond()


# -- what LiveKit logs

PERSONAL = "pii"
"""The part between dots that marks a field of a log record as personal, as in `lk.pii.text`."""

NORMAL = (
    # `GuardedAgent` changes the context on purpose, when words are corrected or answer a question.
    re.compile(r"^preemptive generation invalidated after `on_user_turn_completed` because "),
    # More calls came together than processes wait for one.
    re.compile(r"^no warmed process available for job, waiting for one to be created$"),
    # Leaving a room, the SDK also drops the handles of tracks that were dropped when they ended.
    re.compile(r"^livekit_ffi::server:.* - Attempted to drop unknown FFI handle: \d+$"),
    # The loop was idle in `select`: the machine was busy, and nothing blocked the loop.
    re.compile(r"^event loop blocked for \d+ms at \S*selectors\.py\", line \d+, in select; "),
)
"""Messages above INFO about what is part of a normal call."""


class LogFilter(logging.Filter):
    """
    Takes what people said out of LiveKit's log records, and logs at INFO what is normal.

    Relies on the framework's mark for personal fields and on the words of its messages. If the
    mark changes, what people say is logged; if the words do, normal calls log warnings again.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log *record*, which is changed in place."""
        for name in [name for name in vars(record) if PERSONAL in name.split(".")]:
            delattr(record, name)
        if record.levelno > logging.INFO and _is_normal(record):
            record.levelno, record.levelname = logging.INFO, "INFO"
            return logging.getLogger().isEnabledFor(logging.INFO)
        return True


NATIVE_RATE = Rate(burst=20, per_s=0.1)


def native_log_filter(
    now_s: Callable[[], float] = time.monotonic,
) -> Callable[[logging.LogRecord], bool]:
    """
    A filter for so many lines of each place in the SDK's native library as `NATIVE_RATE` allows.

    Whoever is in a room can have it log a line for each packet that they send. The next line of a
    place says in `dropped` how many were dropped before it. Relies on the template by which the SDK
    passes these lines on; if it changes, such a sender can fill the log.

    Args: now_s: a clock that never goes back, in seconds.
    """
    buckets: dict[tuple[object, object], TokenBucket] = {}
    dropped: Counter[tuple[object, object]] = Counter()

    def admits(record: logging.LogRecord) -> bool:
        if record.msg != "%s:%s:%s - %s" or not isinstance(record.args, tuple):
            return True
        file, line, *_ = record.args
        place = (file, line)
        if place not in buckets:
            buckets[place] = TokenBucket(NATIVE_RATE, now_s)
        if not buckets[place].take():
            dropped[place] += 1
            return False
        if place in dropped:
            record.dropped = dropped.pop(place)
        return True

    return admits


def bound_native_logs() -> None:
    """Put a `native_log_filter` before what the SDK logs in this process; call once."""
    logging.getLogger("livekit").addFilter(native_log_filter())


def _is_normal(record: logging.LogRecord) -> bool:
    if record.name.split(".")[0] != "livekit":
        return False
    try:
        message = record.getMessage()
    except Exception:
        # The handler reports it; from a filter it would reach the code that logs.
        return False
    return any(normal.match(message) for normal in NORMAL)
