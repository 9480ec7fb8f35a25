"""Listening, and serving in the background."""

import asyncio
import socket

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service_base.health import health_routes
from service_base.serve import background_server, bind
from tests.support.local_stack import free_ports, until
from tests.support.token_service import served


def test_bind_taken_port_exits_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """The commonest mistake has a plain sentence and an exit status."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as caught:
            bind("127.0.0.1", port)
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    )


def test_bind_unknown_name_exits_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """A host that does not resolve."""
    with pytest.raises(SystemExit) as caught:
        bind("no-such-host.invalid", 1)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("Cannot listen on no-such-host.invalid:1: ")


async def test_background_server_answers_until_it_is_told_to_stop() -> None:
    """A process that has signals of its own can serve beside its work."""
    (port,) = free_ports(1)
    server = background_server(Starlette(routes=[*health_routes({})]))
    serving = asyncio.create_task(server.serve(sockets=[bind("localhost", port)]))
    await until(lambda: server.started)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://localhost:{port}/healthz")
    assert answer.text == "ok"
    assert "server" not in answer.headers
    server.should_exit = True
    await asyncio.wait_for(serving, 5)


async def test_served_address_is_where_the_request_comes_from() -> None:
    """A process of this machine is no proxy because it says so."""

    async def whence(request: Request) -> Response:
        assert request.client is not None
        return PlainTextResponse(f"{request.url.scheme} {request.client.host}")

    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    async with served(Starlette(routes=[Route("/", whence)])) as port:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{port}/", headers=forwarded)
    assert answer.text == "http 127.0.0.1"
