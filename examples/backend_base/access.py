"""Who may ask a backend, during which call."""

import hmac
import re
import time
from collections.abc import Callable

import structlog
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_base.problems import problem

log = structlog.get_logger()

CALL_HEADER = "X-Call-Id"
CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Read = Callable[[str, int, Headers], None]
"""Told of each `GET` that was answered: its path, the status, its headers."""


def call_of(request: Request) -> str | None:
    """The id of the call during which the agent asks, checked by the middleware."""
    return request.headers.get(CALL_HEADER)


def warn_if_open(host: str, api_key: SecretStr | None) -> None:
    """Log it where anyone on the network may ask."""
    if api_key is None and host not in LOOPBACK:
        log.warning("backend.unprotected", host=host)


class AccessMiddleware:
    """Asks for the shared secret on `/v1/`, and logs each request."""

    def __init__(
        self, app: ASGIApp, *, api_key: SecretStr | None, read: Read = lambda *_: None
    ) -> None:
        self.app = app
        self.api_key = api_key.get_secret_value().encode() if api_key else None
        self.read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        call_id = headers.get(CALL_HEADER)
        if call_id is not None and not CALL_ID.fullmatch(call_id):
            refusal = problem(400, "bad-request", f"The {CALL_HEADER} header is not a call's id.")
            await refusal(scope, receive, send)
            return
        if not self._knows_secret(headers):
            refusal = problem(
                401,
                "unauthorized",
                "The bearer token is missing or wrong.",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(call_id=call_id):
            await self._observed(scope, receive, send, headers)

    def _knows_secret(self, headers: Headers) -> bool:
        if self.api_key is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self.api_key)

    async def _observed(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        started = time.perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                status, path = message["status"], scope["path"]
                route = getattr(scope.get("route"), "path", "unmatched")
                if scope["method"] == "GET":
                    self.read(path, status, headers)
                log.info(
                    "request.answered",
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                )
            await send(message)

        await self.app(scope, receive, observe)
