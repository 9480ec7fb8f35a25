"""The cookie that keeps a browser the same anonymous caller, so that it can return to its call."""

import hashlib
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from token_service.callers import Caller
from voice_contract.tokens import ANONYMOUS_PREFIX

COOKIE = "parley-caller"
SECURE_PREFIX = "__Secure-"
"""Browsers let no answer over plain HTTP set a cookie with this prefix."""
MAX_AGE_S = 86_400
SECRET_BYTES = 32
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


async def anonymous(request: Request) -> Caller:
    """The caller of this browser; without a cookie, a new one."""
    sent = request.cookies.get(_name(request), "")
    is_new = not SECRET.fullmatch(sent)
    secret = secrets.token_urlsafe(SECRET_BYTES) if is_new else sent
    # Everyone in the room sees the identity: it must not reveal the secret.
    name = hashlib.sha256(b"parley.caller:" + secret.encode()).hexdigest()[:24]
    return Caller(f"{ANONYMOUS_PREFIX}{name}", secret=secret, is_new=is_new)


def remember(request: Request, response: Response, caller: Caller) -> None:
    """Have the browser keep an anonymous caller's secret, and send it to our API only."""
    if caller.secret is not None:
        response.set_cookie(
            _name(request),
            caller.secret,
            max_age=MAX_AGE_S,
            path="/api",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


def _name(request: Request) -> str:
    return SECURE_PREFIX + COOKIE if request.url.scheme == "https" else COOKIE
