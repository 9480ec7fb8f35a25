"""Which web pages may use the API: the service's own, and those on a list."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service_base.problems import EXCEPTION_HANDLERS, ServiceError
from token_service.captcha import CAPTCHA_HEADER
from token_service.errors import NotAllowed
from token_service.settings import LOOPBACK, TokenSettings

READABLE = ["Retry-After", "RateLimit", "RateLimit-Policy"]
"""Headers that another page's script may read."""


def middleware(settings: TokenSettings) -> list[Middleware]:
    """Middleware that allows the pages in *settings*."""
    hosts = {*LOOPBACK, settings.token_host} if settings.is_for_loopback else None
    origins = settings.origins
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", CAPTCHA_HEADER],
        allow_credentials=True,
        expose_headers=READABLE,
    )
    return [*([cors] if origins else []), Middleware(OriginCheck, origins=origins, hosts=hosts)]


class OriginCheck:
    """
    Refuses requests that a browser sends for a foreign page.

    Args:
        origins: Of the pages that may use the API besides our own.
        hosts: Host names that requests may use; None: any. When loopback is the only protection,
            a foreign page must not reach us by a host name of its own that resolves to loopback.
    """

    def __init__(
        self, app: ASGIApp, origins: Collection[str], hosts: Collection[str] | None
    ) -> None:
        self.app = app
        self.origins = frozenset(origins)
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._may(scope):
            await self.app(scope, receive, send)
            return
        answer = await EXCEPTION_HANDLERS[ServiceError](Request(scope), NotAllowed())
        await answer(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        if not scope["path"].startswith("/api/"):
            return True
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return False
        origin = headers.get("origin")
        if origin is None:
            # Browsers leave it out for the page's own origin, and when a link is followed.
            return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        # Without the scheme, which a proxy in front may have changed.
        return origin in self.origins or (bool(host) and origin.partition("://")[2] == host)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
