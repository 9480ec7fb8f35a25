"""One reply of a remote model, bounded by what the caller hears of it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from livekit.agents import APIStatusError, APITimeoutError
from livekit.agents.llm import ChatChunk, FunctionTool, FunctionToolCall, RawFunctionTool, Tool
from livekit.agents.utils import shortuuid

from agent_worker.model.speakable import Speakable
from agent_worker.model.written_call import Tools, WrittenCall

PAUSE_S = 0.5
"""After such a pause, a sentence that came last is whole."""
HURRY_S = 2.5
"""So long after its last clause, a slow model's half clause is said as far as it goes,"""
ALIVE_S = 1.5
"""if the model sent words so lately: one that has stalled may not be heard to its half sentence."""
CALLS_MAX = 16
"""More tool calls in one reply are dropped."""
WORDS_PER_S = 3.0
"""How fast words are heard, roughly."""
HARD_END = 1.5
"""A reply that has no end of a sentence ends at so many times `Bounds.words_max`."""
_ENDS = ".!?\u2026\"'\u2019\u201d)\u3002\uff01\uff1f\u0964"

Outcome = Literal[
    "whole",
    "late",
    "stalled",
    "cut",
    "failed",
    "rate-limited",
    "refused",
    "empty",
    "unspeakable",
    "long",
]
"""
How a reply ended: whole; without words in time; without further words in time; broken off by the
server after its first words; by an error before them; by HTTP 429; by another 4xx; with nothing;
with something that cannot be said; stopped here because it was long.
"""
DOWN: frozenset[Outcome] = frozenset({"late", "failed", "rate-limited"})
"""What another request would meet, too."""
FAILURES: frozenset[Outcome] = DOWN | {"refused", "stalled", "cut", "empty", "unspeakable"}


class ModelFailure(Exception):
    """A model's reply failed. Its text says how, and nothing of what was said."""

    def __init__(self, model: str, end: "End") -> None:
        super().__init__(f"{model}: {end.outcome}{f' ({end.why})' if end.why else ''}")
        self.cause = end.outcome


@dataclass(frozen=True)
class Bounds:
    """How long the caller waits for a model's words, and how many they hear."""

    first_s: float
    """Until the first words, or a tool call. Nothing else counts: no reasoning, no white space."""
    silence_s: float
    """The same, from when the last words were heard."""
    bridge_s: float
    """Until the caller is told that it takes a moment."""
    words_max: int
    """A longer reply ends after the sentence in which it has so many."""


@dataclass(frozen=True)
class Bridge:
    """The caller has waited for a while: time to say so."""


@dataclass(frozen=True)
class End:
    """The last of a reply's parts."""

    outcome: Outcome
    why: str = ""
    """What went wrong, for the log: no words of the model, of the caller or of the server."""


Deadline = Literal["pause", "hurry", "bridge", "silence"]
Part = str | FunctionToolCall | Bridge | End
"""A clause, a call of a tool, or a sign."""


def functions(tools: Iterable[Tool]) -> Tools:
    """The functions in *tools*, with what their arguments are where that is told."""
    found: dict[str, Mapping[str, Any]] = {}
    for tool in tools:
        if isinstance(tool, RawFunctionTool):
            schema = tool.info.raw_schema.get("parameters", {})
            found[tool.info.name] = schema.get("properties", {})
        elif isinstance(tool, FunctionTool):
            found[tool.info.name] = {}
    return found


async def parts(
    stream: AsyncIterator[ChatChunk],
    bounds: Bounds,
    tools: Tools,
    *,
    may_call: bool = True,
) -> AsyncGenerator[Part]:
    """
    What the caller hears of *stream*, as soon as it is whole; an `End` comes last.

    Never raises what the stream does: that is an end, too. The stream is to be closed by who
    opened it.

    Args:
        tools: those that may be called.
        may_call: Whether a call counts. LiveKit ends a chain of calls by a request that allows
            none, and some models call all the same.
    """
    reader = _Reader(bounds, Speakable(tools), may_call)
    waiting: asyncio.Task[ChatChunk] | None = None
    try:
        while reader.end is None:
            waiting = waiting or asyncio.ensure_future(anext(stream))
            await asyncio.wait({waiting}, timeout=reader.wait_s())
            found: list[Part]
            if waiting.done():
                done, waiting = waiting, None
                found = reader.read(done)
            else:
                found = reader.wait_is_over()
            for part in found:
                yield part
        yield reader.end
    finally:
        if waiting is not None:
            waiting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await waiting


class _Reader:
    def __init__(self, bounds: Bounds, speakable: Speakable, may_call: bool) -> None:
        self.end: End | None = None
        self._bounds = bounds
        self._speakable = speakable
        self._may_call = may_call
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._heard_until = now
        """About when the caller will have heard what was said so far."""
        self._last_word = now
        self._last_said: float | None = None
        self._bridged = False
        self._paused = True
        """Whether what was whole after a pause was said."""
        self._words = 0
        self._calls = 0
        self._is_long = False

    @property
    def _has_answered(self) -> bool:
        return self._last_said is not None or self._calls > 0

    def wait_s(self) -> float:
        """How long to wait for the next chunk."""
        return max(0.0, min(at for at, _ in self._deadlines()) - self._loop.time())

    def _deadlines(self) -> list[tuple[float, Deadline]]:
        bounds = self._bounds
        silence_s = bounds.silence_s if self._has_answered else bounds.first_s
        found: list[tuple[float, Deadline]] = [(self._heard_until + silence_s, "silence")]
        if not self._bridged:
            found.append((self._heard_until + bounds.bridge_s, "bridge"))
        if not self._paused:
            found.append((self._last_word + PAUSE_S, "pause"))
        if self._last_said is not None:
            found.append((self._last_said + HURRY_S, "hurry"))
        return found

    def read(self, done: "asyncio.Task[ChatChunk]") -> list[Part]:
        """What came."""
        try:
            chunk = done.result()
        except StopAsyncIteration:
            return self._stop()
        except Exception as error:
            return self._fail(error)
        found: list[Part] = []
        # Its usage is told by the model's own metrics.
        delta = chunk.delta
        if delta is None:
            return found
        for call in delta.tool_calls:
            found += self._call(call)
        if delta.content:
            if delta.content.strip():
                self._last_word = self._loop.time()
                self._paused = False
            found += self._take(self._speakable.push(delta.content))
            if self._speakable.is_lost:
                self.end = self.end or End("unspeakable")
        return found

    def wait_is_over(self) -> list[Part]:
        """What is to be done now that nothing came."""
        now = self._loop.time()
        at, what = min(self._deadlines())
        if at > now:
            return []
        match what:
            case "pause":
                self._paused = True
                return self._take(self._speakable.pause())
            case "hurry":
                self._last_said = now
                return self._hurried()
            case "bridge":
                self._bridged = True
                return self._hurried() or [Bridge()]
        found = self._take(self._speakable.end(is_cut=True))
        self.end = self.end or End("stalled" if self._has_answered else "late")
        return found

    def _hurried(self) -> list[Part]:
        is_alive = self._loop.time() - self._last_word < ALIVE_S
        return self._take(self._speakable.hurry()) if is_alive else []

    def _stop(self) -> list[Part]:
        found = self._take(self._speakable.end())
        if self._speakable.has_unspeakable and not self._calls:
            self.end = self.end or End("unspeakable")
        self.end = self.end or End("whole" if self._has_answered else "empty")
        return found

    def _fail(self, error: Exception) -> list[Part]:
        found = self._take(self._speakable.end(is_cut=True))
        self.end = self.end or End("cut" if self._has_answered else _outcome(error), _cause(error))
        return found

    def _take(self, whole: "list[str | WrittenCall] | list[str]") -> list[Part]:
        found: list[Part] = []
        for one in whole:
            if isinstance(one, WrittenCall):
                call = FunctionToolCall(
                    name=one.name, arguments=one.arguments, call_id=shortuuid("written_")
                )
                found += self._call(call)
            elif self._is_long:
                self.end = End("long")
                break
            else:
                found.append(one)
                self._said(one)
        return found

    def _said(self, clause: str) -> None:
        now = self._loop.time()
        words = max(len(clause.split()), len(clause) // 8)
        self._words += words
        self._last_said = now
        self._heard_until = max(now, self._heard_until) + words / WORDS_PER_S
        self._bridged = False
        most = self._bounds.words_max
        ends = clause[-1] in _ENDS
        # What follows is asked about, if anything does.
        self._is_long = self._words >= (most if ends else HARD_END * most)

    def _call(self, call: FunctionToolCall) -> list[Part]:
        if not self._may_call:
            return []
        self._calls += 1
        self._last_word = self._loop.time()
        self._heard_until = max(self._heard_until, self._last_word)
        return [call] if self._calls <= CALLS_MAX else []


def _outcome(error: Exception) -> Outcome:
    """How a reply ended that began with *error*."""
    if not isinstance(error, APIStatusError) or not 400 <= error.status_code < 500:
        return "failed"
    if error.status_code == 429:
        return "rate-limited"
    # Another request may well be answered.
    return "failed" if error.status_code == 408 else "refused"


def _cause(error: Exception) -> str:
    """What happened, without the body of the server's answer, which may repeat what was sent."""
    if isinstance(error, APIStatusError):
        return f"HTTP {error.status_code}"
    if isinstance(error, APITimeoutError):
        return "no answer in time"
    return type(error).__name__
