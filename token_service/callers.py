"""Who calls."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from call_record.admission import Applicant
from call_record.calls import Call
from token_service.errors import NotAllowed
from voice_contract.names import AGENT_IDENTITY_PREFIX

ANONYMOUS_PREFIX = "caller-"
NAME = re.compile(r"[!-\"$-~]{1,128}")
"""Visible ASCII but `#`: the SFU lets the holder of `sam`'s token join as `sam#2` too."""
DISPLAY_NAME_MAX_CHARS = 100


@dataclass(frozen=True)
class Caller:
    """Whom the token service vouches for."""

    identity: str
    """In the room and in the record."""
    tenant: str | None = None
    """Identities are told apart within it."""
    display_name: str | None = None
    secret: str | None = field(default=None, repr=False)
    """Of an anonymous caller's cookie; None: the identity itself was proven."""
    is_new: bool = False
    """An anonymous caller that nobody has seen before."""

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
            return hmac.compare_digest(proof, call.return_proof_hash or b"")
        known = (call.caller, call.tenant) == (self.identity, self.tenant)
        return known and call.return_proof_hash is None


def proven(identity: object, tenant: object = None, display_name: object = None) -> Caller:
    """
    The caller that a signed token or a trusted server names.

    Raises: NotAllowed: a name is of a shape that cannot be one, or one that is ours to give.
    """
    for name in (identity, tenant):
        if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
            raise NotAllowed("The name that you are signed in with cannot be used here.")
    assert isinstance(identity, str) and (tenant is None or isinstance(tenant, str))
    if identity.startswith((AGENT_IDENTITY_PREFIX, ANONYMOUS_PREFIX)):
        raise NotAllowed("The name that you are signed in with cannot be used here.")
    shown = _shown(display_name) if isinstance(display_name, str) else ""
    return Caller(identity, tenant, shown or None)


def _shown(name: str) -> str:
    """On one line, without what steers a terminal or a page."""
    plain = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(plain.split())[:DISPLAY_NAME_MAX_CHARS]
