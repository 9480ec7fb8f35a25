"""Connections that hold a place and send nothing, or a little at a time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service_base import http_protocol, problems
from service_base.problems import EXCEPTION_HANDLERS, read_body
from tests.support.token_service import served

SHORT_S = 0.3


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A service that waits a short time for a request, and takes longer for its answer."""
    monkeypatch.setattr(http_protocol, "HEAD_WITHIN_S", SHORT_S)
    monkeypatch.setattr(problems, "BODY_WITHIN_S", SHORT_S)

    async def endpoint(request: Request) -> Response:
        body = await read_body(request, limit_bytes=100)
        await asyncio.sleep(2 * SHORT_S)
        return PlainTextResponse(body)

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])], exception_handlers=EXCEPTION_HANDLERS
    )
    async with served(app) as number:
        yield number


async def sent(port: int, *parts: bytes) -> tuple[bytes, float]:
    """What is answered, within 5 s, to parts that are sent one after the other; and when."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = time.monotonic()
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0.01)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer, time.monotonic() - started


@pytest.mark.parametrize("parts", [[], [b"POST / HT"], [b"POST / HTTP/1.1\r\n", b"a: b\r\n"]])
async def test_connection_without_a_whole_head_is_closed(port: int, parts: list[bytes]) -> None:
    """No sooner than it may wait, and then, whatever dribbles in."""
    answer, elapsed_s = await sent(port, *parts)
    assert answer == b""
    assert elapsed_s >= SHORT_S * 0.9


async def test_request_whose_body_does_not_come_is_answered(port: int) -> None:
    """A problem like any other."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
    answer, _ = await sent(port, head, b"1")
    assert answer.startswith(b"HTTP/1.1 408 ") and b"request-timeout" in answer


async def test_request_that_is_there_may_take_its_time(port: int) -> None:
    """Also the second one on the same connection, whose head comes in two parts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for body in (b"one", b"two"):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n")
        await asyncio.sleep(0.01)
        writer.write(b"Content-Length: 3\r\n\r\n" + body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        assert (await reader.readuntil(body)).endswith(body)
    writer.close()
