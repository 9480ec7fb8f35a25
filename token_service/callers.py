"""The caller that a request comes from."""

import hashlib
import hmac
from dataclasses import dataclass, field

from call_record.admission import Applicant
from call_record.calls import Call
from token_service.errors import NotAllowed
from voice_contract.names import AGENT_IDENTITY_PREFIX
from voice_contract.tokens import ANONYMOUS_PREFIX, CALLER_NAME

DISPLAY_NAME_MAX_CHARS = 100


@dataclass(frozen=True)
class Caller:
    """A caller whose identity the token service has checked."""

    identity: str
    """In the room and in the record."""
    tenant: str | None = None
    """Identities are unique within a tenant."""
    display_name: str | None = None
    secret: str | None = field(default=None, repr=False)
    """From an anonymous caller's cookie; None: the identity itself was proven."""
    is_new: bool = False
    """An anonymous caller on its first request."""
    networks: tuple[str, ...] = field(default=(), repr=False)
    """As in `Applicant`."""

    @property
    def proof_hash(self) -> bytes | None:
        """What the record keeps of the secret."""
        return hashlib.sha256(self.secret.encode()).digest() if self.secret else None

    @property
    def applicant(self) -> Applicant:
        """The caller as the record knows it."""
        return Applicant(
            self.identity, self.tenant, self.display_name, self.proof_hash, self.networks
        )

    @property
    def is_anonymous(self) -> bool:
        """Whether the caller proves nothing but that it is the same as before."""
        return self.secret is not None

    def owns(self, call: Call) -> bool:
        """Whether *call* belongs to this caller, by the proof that it was started with."""
        proof = self.proof_hash
        if proof is not None:
            return hmac.compare_digest(proof, call.return_proof_hash or b"")
        known = (call.caller, call.tenant) == (self.identity, self.tenant)
        return known and call.return_proof_hash is None


def proven(identity: object, tenant: object = None, display_name: object = None) -> Caller:
    """
    The caller that a signed token or a trusted server names.

    Raises: NotAllowed: a name has characters that are not allowed, or a prefix that is reserved.
    """
    for name in (identity, tenant):
        if name is not None and not (isinstance(name, str) and CALLER_NAME.fullmatch(name)):
            raise NotAllowed("You are signed in with a name that cannot be used here.")
    assert isinstance(identity, str) and (tenant is None or isinstance(tenant, str))
    if identity.startswith((AGENT_IDENTITY_PREFIX, ANONYMOUS_PREFIX)):
        raise NotAllowed("You are signed in with a name that cannot be used here.")
    shown = _shown(display_name) if isinstance(display_name, str) else ""
    return Caller(identity, tenant, shown or None)


def _shown(name: str) -> str:
    """*name* on one line, without control characters."""
    plain = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(plain.split())[:DISPLAY_NAME_MAX_CHARS]
