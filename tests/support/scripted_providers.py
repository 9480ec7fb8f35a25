"""A recognizer and a model that do what a test tells them, behind OpenAI's HTTP API."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.canned_service import listening

Message = Mapping[str, Any]
"""As OpenAI's API has it."""


@dataclass(frozen=True)
class ToolCalls:
    """An answer of calls to one tool, all together; each is its arguments."""

    tool: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Streamed:
    """An answer in pieces: words, deltas as OpenAI's API has them, seconds to wait."""

    steps: Iterable[str | float | Mapping[str, Any]]
    breaks_off: bool = False
    """Whether the connection ends without the answer's end."""


@dataclass(frozen=True)
class Refused:
    """No answer but an HTTP status."""

    status: int
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = str | ToolCalls | Streamed | Refused


@dataclass
class Asked:
    """What the model was asked."""

    messages: list[Message]

    @property
    def said(self) -> str:
        """The caller's last words, without what the agent noted on them."""
        words = (str(one["content"]) for one in reversed(self.messages) if one["role"] == "user")
        return next(said for one in words if (said := one.split("(Note: ")[0].strip()))

    @property
    def results(self) -> list[str]:
        """What the tools have said since then, the last one last."""
        since = itertools.takewhile(
            lambda one: one["role"] != "user" or str(one["content"]).startswith("(Note: "),
            reversed(self.messages),
        )
        return [_words(str(one["content"])) for one in since if one["role"] == "tool"][::-1]


@dataclass
class ScriptedProviders:
    """It hears *words* in any sound; the model answers by *script*."""

    url: str
    words: str = ""
    script: Callable[[Asked], Answer] = lambda _: "Pardon?"
    asked: list[Asked] = field(default_factory=list)
    """All that the model was asked."""
    _ids: Iterator[int] = field(default_factory=itertools.count)

    def app(self) -> Starlette:
        """The routes."""
        return Starlette(
            routes=[
                Route("/v1/audio/transcriptions", self._transcribe, methods=["POST"]),
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
            ]
        )

    async def _transcribe(self, request: Request) -> Response:
        await request.body()
        return JSONResponse({"text": self.words})

    async def _complete(self, request: Request) -> Response:
        asked = Asked(json.loads(await request.body())["messages"])
        self.asked.append(asked)
        answer = self.script(asked)
        match answer:
            case str():
                return _stream([{"content": answer}], "stop")
            case Refused():
                return Response(
                    answer.body,
                    answer.status,
                    {"content-type": "application/json", **answer.headers},
                )
            case Streamed():
                return _stream(answer.steps, None if answer.breaks_off else "stop")
        calls = [
            {
                "index": index,
                "id": f"call_{next(self._ids)}",
                "type": "function",
                "function": {"name": answer.tool, "arguments": arguments},
            }
            for index, arguments in enumerate(answer.arguments)
        ]
        return _stream([{"tool_calls": calls}], "tool_calls")


@asynccontextmanager
async def scripted_providers(port: int) -> AsyncIterator[ScriptedProviders]:
    """They listen on that port of 127.0.0.1."""
    providers = ScriptedProviders(f"http://127.0.0.1:{port}/v1")
    async with listening(providers.app(), port):
        yield providers


def _stream(
    steps: Iterable[str | float | Mapping[str, Any]], finish_reason: str | None
) -> Response:
    async def events() -> AsyncIterator[str]:
        for step in steps:
            if isinstance(step, float):
                await asyncio.sleep(step)
            else:
                yield _event({"content": step} if isinstance(step, str) else step)
        if finish_reason is None:
            raise ConnectionError("as the script wants it")
        yield _event({}, finish_reason)
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _event(delta: Mapping[str, Any], finish_reason: str | None = None) -> str:
    choice = {
        "index": 0,
        "delta": {"role": "assistant", **delta},
        "finish_reason": finish_reason,
    }
    chunk = {
        "id": "scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [] if delta.get("choices") == [] else [choice],
    }
    return f"data: {json.dumps(chunk)}\n\n"


def _words(output: str) -> str:
    """A refusal is words already."""
    try:
        return str(json.loads(output)["say"])
    except (ValueError, TypeError, KeyError):
        return output
