"""The cookie by which a browser stays the same anonymous caller, and comes back to its call."""

import hashlib
import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from token_service.callers import ANONYMOUS_PREFIX, Caller

COOKIE = "parley-caller"
SECURE_PREFIX = "__Secure-"
"""Browsers let nothing that came over plain HTTP set a cookie of such a name."""
MAX_AGE_S = 86_400
SECRET_BYTES = 32
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


async def anonymous(request: Request) -> Caller:
    """The caller of this browser; without a cookie one that nobody has seen before."""
    sent = request.cookies.get(_name(request), "")
    is_new = not SECRET.fullmatch(sent)
    secret = secrets.token_urlsafe(SECRET_BYTES) if is_new else sent
    # Who is in the room sees the identity: it must not lead to the secret.
    name = hashlib.sha256(b"parley.caller:" + secret.encode()).hexdigest()[:24]
    return Caller(f"{ANONYMOUS_PREFIX}{name}", secret=secret, is_new=is_new)


def remember(request: Request, response: Response, caller: Caller) -> None:
    """Have the browser keep an anonymous caller's secret, for our API and nothing else."""
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
