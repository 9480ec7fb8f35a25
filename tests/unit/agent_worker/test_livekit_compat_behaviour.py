"""LiveKit's private parts still do what we rely on: those whose change would raise no error."""

import ctypes
import importlib
import inspect
import logging
import pkgutil
import re
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, ModelSettings, RunContext
from livekit.agents.llm import ChatContext, FunctionCallOutput, function_tool
from livekit.agents.utils import http_context
from livekit.rtc import _ffi_client
from livekit.rtc._proto import ffi_pb2

import agent_worker
from agent_worker.agent import AgentDefinition
from agent_worker.livekit_compat import (
    NATIVE_RATE,
    LateResultToolset,
    LogFilter,
    current_speech_id,
    native_log_filter,
    prepare_tls,
    split_late,
)
from agent_worker.reasoning import message_tags
from agent_worker.reasoning.llm import AgentLLM, call_tool, say
from tests.unit.agent_worker.scripted import Script, ScriptedLLM
from tests.unit.agent_worker.voice_call import VoiceCall


@function_tool
async def slow(context: RunContext[None]) -> str:
    """Answers after the conversation has gone on."""
    await context.update("Wait.", template="{message}")
    return "Done at last."


async def test_late_result_is_announced_in_our_words_and_marked_as_late() -> None:
    """The model sees our announcement last, with the id of the result, which ends in `_final`."""
    announced: list[FunctionCallOutput] = []

    def script(context: ChatContext) -> Script:
        announced.extend(message_tags.arrived(context.items))
        if announced:
            return [say("I have it.")]
        return [say("One moment.") if message_tags.unanswered(context.items) else call]

    call = call_tool("slow", {})
    tools = LateResultToolset(id="tools", tools=[slow], announce=message_tags.results_arrived)
    async with AgentSession[None](llm=ScriptedLLM(script), tools=[tools]) as session:
        await session.start(Agent(instructions=""), record=False)
        await session.run(user_input="Go.")
    assert [output.output for output in announced] == ["Done at last."]
    assert [split_late(output.call_id) for output in announced] == [
        (call.tool_calls[0].call_id, True)
    ]
    outputs = [item for item in session.history.items if isinstance(item, FunctionCallOutput)]
    assert sorted(split_late(output.call_id)[1] for output in outputs) == [False, True]


async def test_words_are_synthesized_in_the_context_of_their_speech(agent: AgentDefinition) -> None:
    """In the node that speaks, the current speech is the one that the session made."""
    async with VoiceCall(agent, AgentLLM(agent)) as call:
        ids: list[str] = []
        speak: Any = call.agent.tts_node

        async def noting(
            text: AsyncIterable[str], settings: ModelSettings
        ) -> AsyncIterator[rtc.AudioFrame]:
            ids.append(current_speech_id())
            async for frame in speak(text, settings):
                yield frame

        call.agent.tts_node = noting  # type: ignore[method-assign, assignment]
        first, second = call.session.say("Hello."), call.session.say("Goodbye.")
        await first
        await second
    assert ids == [first.id, second.id]
    assert current_speech_id() == ""


class Lines(logging.Handler):
    """Keeps all of each record: its message and its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.levels: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(repr({**vars(record), "message": record.getMessage()}))
        self.levels[record.getMessage()] = record.levelname


@contextmanager
def logged() -> Iterator[tuple[Lines, Lines]]:
    """What LiveKit logs, as it is, and behind our filter."""
    raw, filtered = Lines(), Lines()
    filtered.addFilter(LogFilter())
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    for handler in (raw, filtered):
        logger.addHandler(handler)
    try:
        yield raw, filtered
    finally:
        logger.setLevel(level)
        for handler in (raw, filtered):
            logger.removeHandler(handler)


async def test_what_people_say_is_taken_out_of_log_records(agent: AgentDefinition) -> None:
    """LiveKit logs words, tool arguments and results; behind our filter there are none."""
    with logged() as (raw, filtered):
        async with VoiceCall(agent, AgentLLM(agent)) as call:
            await call.speak("search for roses")
            await call.hears("Nothing about roses.")
    assert any("roses" in line for line in raw.lines)
    assert len(filtered.lines) == len(raw.lines)
    assert [line for line in filtered.lines if "roses" in line] == []


async def test_corrected_words_log_no_warning(agent: AgentDefinition) -> None:
    """A reply that was prepared for other words is dropped: that is normal, and logged so."""
    with logged() as (raw, filtered):
        async with VoiceCall(agent, AgentLLM(agent)) as call:
            await call.speak("look at room 7", first="look at room 8")
            await call.hears("Room 7 has 0 coats.")
    (text,) = (text for text in raw.levels if text.startswith("preemptive generation"))
    assert (raw.levels[text], filtered.levels[text]) == ("WARNING", "INFO")


HANDLE = "livekit_ffi::server:279:livekit_ffi::server - Attempted to drop unknown FFI handle: 7"
BLOCKED = 'event loop blocked for 103ms at "{}", line 468, in {}; synchronous work on the agent'


@pytest.mark.parametrize(
    ("logger", "text", "level"),
    [
        ("livekit.agents", BLOCKED.format("/lib/python3.11/selectors.py", "select"), "INFO"),
        ("livekit.agents", BLOCKED.format("/lib/python3.11/ssl.py", "select"), "WARNING"),
        ("livekit.agents", BLOCKED.format("/lib/python3.11/ssl.py", "load_verify"), "WARNING"),
        ("livekit", HANDLE, "INFO"),
        ("livekit.agents", "something else", "WARNING"),
        ("elsewhere", BLOCKED.format("/lib/python3.11/selectors.py", "select"), "WARNING"),
    ],
)
def test_only_what_is_normal_is_logged_at_info(logger: str, text: str, level: str) -> None:
    """Exact messages of one library, and only where nothing is wrong."""
    record = logging.LogRecord(logger, logging.WARNING, "", 1, text, None, None)
    assert LogFilter().filter(record) is (level == "WARNING" or logging.getLogger().level <= 20)
    assert (record.levelname, record.levelno) == (level, getattr(logging, level))


class Unprintable:
    """Something that a library logs and cannot be put into words."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("text", "values"), [("x %d", ("s",)), ("%s %s", (1,)), (Unprintable(), ())]
)
def test_record_that_cannot_be_worded_passes_the_filter(text: Any, values: tuple[Any, ...]) -> None:
    """An exception of a filter would reach the code that logged; one of a handler does not."""
    record = logging.LogRecord("livekit.agents", logging.WARNING, "", 1, text, values, None)
    assert LogFilter().filter(record)
    assert record.levelno == logging.WARNING


async def test_prepared_certificates_are_used_by_http_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No job reads them again."""

    def read_again(*_: object, **__: object) -> None:
        raise AssertionError("the certificates are read again")

    prepare_tls()
    monkeypatch.setattr(ssl, "create_default_context", read_again)
    async with http_context.open() as session:
        assert not session.closed


def test_no_class_of_the_worker_hides_a_private_attribute_of_livekit() -> None:
    """A name that both set would break the framework without an error."""
    hidden: list[str] = []
    for module in pkgutil.walk_packages(agent_worker.__path__, "agent_worker."):
        if module.name in ("agent_worker.__main__", "agent_worker.livekit_compat"):
            continue
        for name, found in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(found) and found.__module__ == module.name:
                both = private(found) & set().union(*map(private, livekit_bases(found)))
                hidden += [f"{module.name}.{name}.{attribute}" for attribute in sorted(both)]
    assert hidden == []


def livekit_bases(cls: type[Any]) -> list[type[Any]]:
    return [base for base in cls.__mro__ if base.__module__.startswith("livekit.")]


def private(cls: type[Any]) -> set[str]:
    """The private names of *cls*: of its own methods, and those it sets on itself."""
    methods = {name for name in vars(cls) if re.match(r"_[a-z]", name) and name != "_abc_impl"}
    return methods | set(re.findall(r"self\.(_[a-z]\w*)(?:: [^=\n]+)? = ", inspect.getsource(cls)))


def native(line: int) -> logging.LogRecord:
    """A line of the SDK's native library."""
    arguments = ("livekit_rpc::server", line, "livekit_rpc::server", "Failed to read: TooLarge")
    return logging.LogRecord(
        "livekit", logging.ERROR, "", 1, "%s:%s:%s - %s", arguments, None, None
    )


def test_lines_that_a_sender_can_have_logged_without_end_are_bounded() -> None:
    """Each place in the library on its own; what was dropped is told, other lines pass."""
    now_s = 0.0
    admits = native_log_filter(lambda: now_s)
    assert sum(admits(native(172)) for _ in range(100_000)) == NATIVE_RATE.burst
    assert admits(native(95))
    assert all(admits(logging.LogRecord("livekit", 30, "", 1, "x", (), None)) for _ in range(99))
    now_s = 1 / NATIVE_RATE.per_s
    again = native(172)
    assert admits(again) and not admits(native(172))
    assert vars(again)["dropped"] == 100_000 - NATIVE_RATE.burst


def test_native_lines_are_logged_by_the_template_that_the_filter_knows() -> None:
    """As the SDK passes them on, by the logger that is bounded."""
    passed: list[logging.LogRecord] = []

    def watch(record: logging.LogRecord) -> bool:
        passed.append(record)
        return False

    logger = logging.getLogger("livekit")
    event = ffi_pb2.FfiEvent()
    fields: dict[str, Any] = {"target": "a", "line": 1, "module_path": "b", "message": "c"}
    event.logs.records.add(level=ffi_pb2.LOG_ERROR, **fields)
    data = event.SerializeToString()
    held = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
    logger.addFilter(watch)
    try:
        pointer = ctypes.cast(held, ctypes.POINTER(ctypes.c_uint8))
        _ffi_client.ffi_event_callback(pointer, len(data))
    finally:
        logger.removeFilter(watch)
    assert [(one.msg, one.args) for one in passed] == [("%s:%s:%s - %s", ("a", 1, "b", "c"))]
