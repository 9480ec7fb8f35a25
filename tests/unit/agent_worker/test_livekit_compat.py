"""
Each private part of LiveKit that `livekit_compat` uses still exists, and nothing else uses one.

Imports nothing of the worker's, so that it can name what an upgrade took away although
`livekit_compat` itself can no longer be imported.
"""

import ast
import importlib
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
COMPAT = ROOT / "agent_worker" / "livekit_compat.py"

WORKER = "livekit.agents.worker"
POOL = "livekit.agents.ipc.proc_pool"
PROCESS = "livekit.agents.ipc.job_proc_executor"
ACTIVITY = "livekit.agents.voice.agent_activity"
EXECUTOR = "livekit.agents.voice.tool_executor"
MONITOR = "livekit.agents.telemetry.loop_monitor"


def find(path: str) -> Any:
    """What stands at `module:attribute.attribute`."""
    module, _, attributes = path.partition(":")
    found: Any = importlib.import_module(module)
    for name in attributes.split("."):
        found = getattr(found, name)
    return found


def sets(path: str, name: str) -> None:
    """The class at *path*, or one of its bases, sets the attribute *name* of its instances."""
    found: set[str] = set()
    for base in find(path).__mro__:
        if base.__module__.startswith("livekit."):
            found |= set(own_attributes(ast.parse(textwrap.dedent(inspect.getsource(base)))))
    assert name in found


def own_attributes(tree: ast.AST) -> Iterator[str]:
    """The attributes of `self` that *tree* sets."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node):
            yield node.attr


def is_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def literals(module: str) -> set[str]:
    """All strings in the source of *module*."""
    source = Path(inspect.getfile(importlib.import_module(module))).read_text()
    constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def says(module: str, *parts: str) -> None:
    """One string in the source of *module* contains all of *parts*."""
    assert any(all(part in text for part in parts) for text in literals(module))


def native_says(text: bytes) -> None:
    """The SDK's native library contains *text*."""
    folder = Path(inspect.getfile(importlib.import_module("livekit.rtc"))).parent / "resources"
    assert any(text in library.read_bytes() for library in folder.glob("*livekit_ffi*"))


def has_field(path: str, name: str) -> None:
    assert name in typing.get_type_hints(find(path))


def takes(path: str, argument: str) -> None:
    assert argument in inspect.signature(find(path)).parameters


def stream_says(event: str) -> None:
    """What the SDK gets of a stream that begins has the fields that we read."""
    opened = find(f"livekit.rtc._proto.room_pb2:{event}").DESCRIPTOR.fields_by_name
    reader = opened["reader"].message_type.fields_by_name
    info = reader["info"].message_type.fields_by_name
    assert "participant_identity" in opened and "id" in reader["handle"].message_type.fields_by_name
    assert {"topic", "total_length"} <= set(info)


def emits(module: str, event: str) -> None:
    assert event in typing.get_args(find(f"{module}:EventTypes"))
    assert event in literals(module)


POINTS: dict[str, Callable[[], object]] = {
    "AgentServer._closed": lambda: sets(f"{WORKER}:AgentServer", "_closed"),
    "AgentServer._connecting": lambda: sets(f"{WORKER}:AgentServer", "_connecting"),
    "AgentServer._deployment": lambda: sets(f"{WORKER}:AgentServer", "_deployment"),
    "AgentServer._proc_pool": lambda: sets(f"{WORKER}:AgentServer", "_proc_pool"),
    "AgentServer worker_started": lambda: emits(WORKER, "worker_started"),
    "ProcPool process_closed": lambda: emits(POOL, "process_closed"),
    "ProcPool.processes": lambda: find(f"{POOL}:ProcPool.processes"),
    "ProcJobExecutor.running_job": lambda: find(f"{PROCESS}:ProcJobExecutor.running_job"),
    "ProcJobExecutor.pid": lambda: find(f"{PROCESS}:ProcJobExecutor.pid"),
    "ProcJobExecutor.join": lambda: find(f"{PROCESS}:ProcJobExecutor.join"),
    "RunningJobInfo.job": lambda: has_field("livekit.agents.job:RunningJobInfo", "job"),
    "http_context._create_ssl_context": lambda: find(
        "livekit.agents.utils.http_context:_create_ssl_context"
    ),
    "agent_activity._SpeechHandleContextVar": lambda: find(f"{ACTIVITY}:_SpeechHandleContextVar"),
    "agent_activity.ActivityClosedError": lambda: find(f"{ACTIVITY}:ActivityClosedError"),
    "transcription.filters": lambda: [
        find(f"livekit.agents.voice.transcription.filters:{name}")
        for name in ("FULL_LINE_PATTERNS", "LINE_PATTERNS", "INLINE_PATTERNS", "EMOJI_PATTERN")
    ],
    "agent_session.SessionConnectOptions": lambda: find(
        "livekit.agents.voice.agent_session:SessionConnectOptions"
    ),
    "LocalParticipant.stream_text": lambda: takes(
        "livekit.rtc:LocalParticipant.stream_text", "destination_identities"
    ),
    "LocalParticipant.publish_transcription": lambda: find(
        "livekit.rtc:LocalParticipant.publish_transcription"
    ),
    "Room.connect": lambda: takes("livekit.rtc:Room.connect", "options"),
    "RoomOptions.data_stream": lambda: has_field("livekit.rtc:RoomOptions", "data_stream"),
    "DataStreamOptions.max_payload_byte_length": lambda: has_field(
        "livekit.rtc:DataStreamOptions", "max_payload_byte_length"
    ),
    "Room._handle_text_stream_opened": lambda: takes(
        "livekit.rtc:Room._handle_text_stream_opened", "opened"
    ),
    "Room._handle_byte_stream_opened": lambda: takes(
        "livekit.rtc:Room._handle_byte_stream_opened", "opened"
    ),
    "_ffi_client.FfiHandle": lambda: takes("livekit.rtc._ffi_client:FfiHandle", "handle"),
    "FfiHandle.dispose": lambda: find("livekit.rtc._ffi_client:FfiHandle.dispose"),
    "TextStreamOpened.reader.info": lambda: stream_says("TextStreamOpened"),
    "ByteStreamOpened.reader.info": lambda: stream_says("ByteStreamOpened"),
    "VADStream.push_frame": lambda: takes("livekit.agents.vad:VADStream.push_frame", "frame"),
    "async_toolset.AsyncToolset": lambda: find("livekit.agents.llm.async_toolset:AsyncToolset"),
    "reply_at_tail_template": lambda: has_field(
        f"{EXECUTOR}:AsyncToolOptions", "reply_at_tail_template"
    ),
    "reply_maybe_covered_template": lambda: has_field(
        f"{EXECUTOR}:AsyncToolOptions", "reply_maybe_covered_template"
    ),
    "ReplyPromptArgs.call_ids": lambda: has_field(f"{EXECUTOR}:ReplyPromptArgs", "call_ids"),
    "_final": lambda: says(EXECUTOR, "_final"),
    "STT._recognize_impl": lambda: find("livekit.agents.stt:STT._recognize_impl"),
    "RecognizeStream._run": lambda: find("livekit.agents.stt:RecognizeStream._run"),
    "RecognizeStream._input_ch": lambda: sets("livekit.agents.stt:RecognizeStream", "_input_ch"),
    "RecognizeStream._event_ch": lambda: sets("livekit.agents.stt:RecognizeStream", "_event_ch"),
    "LLMStream._run": lambda: find("livekit.agents.llm:LLMStream._run"),
    "LLMStream._event_ch": lambda: sets("livekit.agents.llm:LLMStream", "_event_ch"),
    "LLMStream._emit_error": lambda: find("livekit.agents.llm:LLMStream._emit_error"),
    "lk.pii.": lambda: says(ACTIVITY, "lk.pii."),
    "log: preemptive generation": lambda: says(
        ACTIVITY, "preemptive generation invalidated after `on_user_turn_completed` because "
    ),
    "log: no warmed process": lambda: says(
        POOL, "no warmed process available for job, waiting for one to be created"
    ),
    "log: unknown FFI handle": lambda: native_says(b"Attempted to drop unknown FFI handle: "),
    "log: native lines": lambda: says("livekit.rtc._ffi_client", "%s:%s:%s - %s"),
    "log: event loop blocked": lambda: says(MONITOR, "event loop blocked for %.0fms%s; "),
}
"""By the name that an upgrade's report should show."""


@pytest.mark.parametrize("point", POINTS)
def test_private_part_of_livekit_is_still_there(point: str) -> None:
    """An upgrade that takes one away turns exactly its own case red."""
    POINTS[point]()


def test_every_private_name_in_livekit_compat_is_among_the_points() -> None:
    """A part that is added without a case would break in a call."""
    used: set[str] = set()
    for node in ast.walk(ast.parse(COMPAT.read_text())):
        if isinstance(node, ast.Attribute):
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("livekit"):
            used |= {alias.name for alias in node.names if node.module not in PUBLIC}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            used.add(node.name)
    ours = {"_is_normal"}
    private = {name for name in used if is_private(name)} - ours
    assert {name for name in private if not any(name in point for point in POINTS)} == set()
    assert len(private) > 5


PUBLIC = {
    "livekit",
    "livekit.agents",
    "livekit.agents.llm",
    "livekit.agents.tokenize",
    "livekit.agents.utils",
    "livekit.agents.voice",
    "livekit.plugins",
    "livekit.protocol.agent",
}
"""Modules whose names LiveKit documents."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def modules() -> list[Path]:
    return sorted(set((ROOT / "agent_worker").rglob("*.py")) - {COMPAT})


def test_no_other_module_of_the_worker_imports_a_private_part() -> None:
    """LiveKit comes from documented modules, by public names, or through `livekit_compat`."""
    found: list[str] = []
    for file in modules():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("livekit"):
                found += [
                    f"{file.name}:{node.lineno} {node.module} {alias.name}"
                    for alias in node.names
                    if node.module not in PUBLIC or is_private(alias.name)
                ]
            elif isinstance(node, ast.Import):
                found += [
                    f"{file.name}:{node.lineno} {alias.name}"
                    for alias in node.names
                    if alias.name.startswith("livekit") and alias.name not in PUBLIC
                ]
    assert found == []


def test_no_other_module_of_the_worker_reads_a_private_attribute() -> None:
    """A private name is its module's own: of `self` or a class, and bound in the same file."""
    found: list[str] = []
    for file in modules():
        tree = ast.parse(file.read_text())
        bound = {*own_attributes(tree), *declared(tree)}
        classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                ours = is_self(node) or ast.unparse(node.value) in classes
                if not ours or node.attr not in bound:
                    found.append(f"{file.name}:{node.lineno} {ast.unparse(node)}")
    assert found == []
    assert not any("ignore[method-assign]" in file.read_text() for file in modules())


def declared(tree: ast.AST) -> Iterator[str]:
    """The methods, fields and class attributes that *tree* defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
