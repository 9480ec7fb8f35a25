"""The token service for tests: the real application, called over ASGI or over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import jwt
from starlette.applications import Starlette
from starlette.types import ASGIApp

from service_base.serve import background_server, bind
from tests.support.local_stack import LocalStack, free_ports, until


@asynccontextmanager
async def client(app: Starlette, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of *app*, which is started and stopped around it."""
    async with app.router.lifespan_context(app):
        async with browser(app, **options) as http:
            yield http


def browser(app: Starlette, **options: Any) -> httpx.AsyncClient:
    """Another client of an *app* that runs, with cookies of its own."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(**{"transport": transport, "base_url": "http://parley", **options})


def claims(response: httpx.Response, sfu: LocalStack) -> dict[str, Any]:
    """What the token of an answer says; its signature is checked."""
    assert response.status_code == 200, response.text
    found: dict[str, Any] = jwt.decode(
        response.json()["token"], sfu.key.secret, algorithms=["HS256"]
    )
    return found


def room(response: httpx.Response, sfu: LocalStack) -> str:
    """The room of an answer's token, which is the call's id."""
    name: str = claims(response, sfu)["video"]["room"]
    return name


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """*app* over real HTTP, as a process of ours serves it. Yields: its port on 127.0.0.1."""
    [port] = free_ports(1)
    server = background_server(app)
    serving = asyncio.create_task(server.serve(sockets=[bind("127.0.0.1", port)]))
    await until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, 15)
