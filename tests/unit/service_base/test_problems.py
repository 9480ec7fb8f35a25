"""Errors over HTTP, from a small real app."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service_base.problems import EXCEPTION_HANDLERS, ServiceError, read_body

LIMIT_BYTES = 10
SECRET = "password=hunter2"


class TeapotHot(ServiceError):
    """The teapot is
    too hot.
    """

    status = 503
    code = "teapot-hot"
    retry_after_s = 7


async def hot(_: Request) -> Response:
    raise TeapotHot


async def boiling(_: Request) -> Response:
    raise TeapotHot("The teapot boils.")


async def broken(_: Request) -> Response:
    raise RuntimeError(SECRET)


async def echo(request: Request) -> Response:
    return PlainTextResponse(await read_body(request, limit_bytes=LIMIT_BYTES))


APP = Starlette(
    routes=[
        Route("/hot", hot),
        Route("/boiling", boiling),
        Route("/broken", broken),
        Route("/echo", echo, methods=["POST"]),
    ],
    exception_handlers=EXCEPTION_HANDLERS,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as opened:
        yield opened


def problem(status: int, code: str, detail: str) -> dict[str, object]:
    return {
        "type": "about:blank",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
    }


async def test_service_error_becomes_its_problem(client: httpx.AsyncClient) -> None:
    """Status, code, docstring as one sentence, and when to come back."""
    answer = await client.get("/hot")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "7"
    assert answer.json() == problem(503, "teapot-hot", "The teapot is too hot.")


async def test_service_error_detail_replaces_the_docstring(client: httpx.AsyncClient) -> None:
    """A detail that was given for this case is sent."""
    assert (await client.get("/boiling")).json()["detail"] == "The teapot boils."


async def test_unknown_error_is_a_constant_problem(client: httpx.AsyncClient) -> None:
    """What went wrong inside is in the log, not in the answer."""
    with structlog.testing.capture_logs() as lines:
        answer = await client.get("/broken")
    assert answer.json() == problem(500, "internal-error", "Something went wrong on our side.")
    assert SECRET not in answer.text
    (line,) = lines
    assert (line["event"], line["path"], str(line["exc_info"])) == (
        "request.failed",
        "/broken",
        SECRET,
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not-found"), ("DELETE", "/hot", 405, "method-not-allowed")],
)
async def test_http_exception_is_a_problem_too(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """What the framework itself refuses looks the same, with the framework's headers."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


async def test_read_body_within_the_limit_is_read(client: httpx.AsyncClient) -> None:
    """To the last byte, and nothing is as good as something."""
    for body in (b"", b"x" * LIMIT_BYTES):
        assert (await client.post("/echo", content=body)).content == body


async def test_read_body_announced_too_large_is_refused_unread(client: httpx.AsyncClient) -> None:
    """By the header, before anything is read."""
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x"

    headers = {"Content-Length": "100"}
    answer = await client.post("/echo", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert taken == 0


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "3"}, {"Content-Length": "-1"}])
async def test_read_body_sent_too_large_is_refused_midway(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """By what arrives, whatever was announced, and without taking in the rest."""
    taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"xxx"

    answer = await client.post("/echo", content=pieces(), headers=headers)
    assert answer.status_code == 413
    assert taken == 4
