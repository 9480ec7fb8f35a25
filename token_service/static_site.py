"""Serves the built web client, under a strict Content-Security-Policy."""

from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HSTS = (b"strict-transport-security", b"max-age=31536000")
NOT_BUILT = "The web client is not built. Run: make web\n"


class StaticSite(StaticFiles):
    """The files of *folder*. Assets have a hash in their names and may be cached forever."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)
        self.folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not (self.folder / "index.html").is_file():
            await PlainTextResponse(NOT_BUILT, 503)(scope, receive, send)
            return
        hashed = scope["path"].startswith("/assets/")

        async def with_caching(message: Message) -> None:
            if message["type"] == "http.response.start":
                fresh = message["status"] == 200
                MutableHeaders(scope=message)["Cache-Control"] = (
                    "public, max-age=31536000, immutable" if hashed and fresh else "no-cache"
                )
            await send(message)

        await super().__call__(scope, receive, with_caching)


class SecurityHeaders:
    """Adds the security headers to every response."""

    def __init__(self, app: ASGIApp, rtc_url: str) -> None:
        self.app = app
        self.headers = Headers(
            {
                "Content-Security-Policy": content_security_policy(rtc_url),
                "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.extend(self.headers.raw)
                if scope["scheme"] == "https":
                    headers.append(HSTS)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def content_security_policy(rtc_url: str) -> str:
    """
    The page's policy: everything from this origin, connections also to the SFU.

    The SFU is named twice: the client speaks WebSocket, and asks over HTTP why a join failed.
    """
    sfu = urlsplit(rtc_url)
    http = "https" if sfu.scheme == "wss" else "http"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "media-src 'self' blob:",
            f"connect-src 'self' {sfu.scheme}://{sfu.netloc} {http}://{sfu.netloc}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
