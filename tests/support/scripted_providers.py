"""A recognizer and a model that do what a test tells them, behind OpenAI's HTTP API."""

import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
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


@dataclass
class Asked:
    """What the model was asked."""

    messages: list[Message]

    @property
    def said(self) -> str:
        """The caller's last words."""
        return next(str(one["content"]) for one in reversed(self.messages) if one["role"] == "user")

    @property
    def results(self) -> list[str]:
        """What the tools have said since then, the last one last."""
        since = itertools.takewhile(lambda one: one["role"] != "user", reversed(self.messages))
        return [_words(str(one["content"])) for one in since if one["role"] == "tool"][::-1]


@dataclass
class ScriptedProviders:
    """It hears *words* in any sound; the model answers by *script*."""

    url: str
    words: str = ""
    script: Callable[[Asked], str | ToolCalls] = lambda _: "Pardon?"
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
        if isinstance(answer, str):
            return _stream({"content": answer}, "stop")
        calls = [
            {
                "index": index,
                "id": f"call_{next(self._ids)}",
                "type": "function",
                "function": {"name": answer.tool, "arguments": arguments},
            }
            for index, arguments in enumerate(answer.arguments)
        ]
        return _stream({"tool_calls": calls}, "tool_calls")


@asynccontextmanager
async def scripted_providers(port: int) -> AsyncIterator[ScriptedProviders]:
    """They listen on that port of 127.0.0.1."""
    providers = ScriptedProviders(f"http://127.0.0.1:{port}/v1")
    async with listening(providers.app(), port):
        yield providers


def _stream(delta: dict[str, Any], finish_reason: str) -> Response:
    async def events() -> AsyncIterator[str]:
        for one, reason in (({"role": "assistant", **delta}, None), ({}, finish_reason)):
            chunk = {
                "id": "scripted",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": "scripted",
                "choices": [{"index": 0, "delta": one, "finish_reason": reason}],
            }
            yield f"data: {json.dumps(chunk)}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _words(output: str) -> str:
    """A refusal is words already."""
    try:
        return str(json.loads(output)["say"])
    except (ValueError, TypeError, KeyError):
        return output
