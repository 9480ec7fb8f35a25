"""Who calls: an anonymous caller is known by a secret that its browser keeps in a cookie."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from call_record.admission import Applicant
from call_record.calls import Call

COOKIE = "parley-caller"
SECURE_PREFIX = "__Secure-"
"""Browsers let nothing that came over plain HTTP set a cookie of such a name."""
COOKIE_MAX_AGE_S = 86_400
SECRET_BYTES = 32
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Caller:
    """Whom the token service vouches for."""

    identity: str
    """In the room, in the record, in logs."""
    tenant: str | None = None
    display_name: str | None = None
    secret: str | None = field(default=None, repr=False)
    """Of an anonymous caller's cookie; None: the identity itself was proven."""

    @property
    def proof_hash(self) -> bytes | None:
        """What the record keeps of the secret."""
        return hashlib.sha256(self.secret.encode()).digest() if self.secret else None

    @property
    def applicant(self) -> Applicant:
        """As the record knows it."""
        return Applicant(self.identity, self.tenant, self.display_name, self.proof_hash)

    def owns(self, call: Call) -> bool:
        """Whether *call* is this caller's, by the proof that it began with."""
        proof = self.proof_hash
        if proof is not None:
            kept = call.return_proof_hash or b""
            return hmac.compare_digest(proof, kept)
        known = (call.caller, call.tenant) == (self.identity, self.tenant)
        return known and call.return_proof_hash is None


def anonymous(request: Request) -> Caller:
    """The caller of this browser; one that nobody has seen before without a cookie."""
    sent = request.cookies.get(_cookie_name(request), "")
    secret = sent if SECRET.fullmatch(sent) else secrets.token_urlsafe(SECRET_BYTES)
    # The room's other participants and our logs see the identity: it must not lead to the proof.
    name = hashlib.sha256(b"parley.caller:" + secret.encode()).hexdigest()[:24]
    return Caller(f"caller-{name}", secret=secret)


def remember(request: Request, response: Response, caller: Caller) -> None:
    """Have the browser keep an anonymous caller's secret, for our API and nothing else."""
    if caller.secret is not None:
        response.set_cookie(
            _cookie_name(request),
            caller.secret,
            max_age=COOKIE_MAX_AGE_S,
            path="/api",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )


def _cookie_name(request: Request) -> str:
    return SECURE_PREFIX + COOKIE if request.url.scheme == "https" else COOKIE
