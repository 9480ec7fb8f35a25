"""
Idempotency keys: what "once" means.

One effect has one key: for the same tool with the same arguments within one turn of the caller, or
for one approval. Keys are derived, not counted. So a change of the call's agent needs no table of
them, and a record that lost its latest entries gives no key to a second effect.
"""

import hmac

from agent_worker.tools.tool import IdempotencyKey
from call_record import hash_chain


class IdempotencyKeys:
    """
    The keys of one call: `call_id:` and 32 hexadecimal digits.

    Args: secret: The key of the call's journal: all agents of the call know it, and nobody else.
    """

    def __init__(self, call_id: str, secret: bytes) -> None:
        self._call_id = call_id
        self._secret = secret

    def key(self, cause: str, digest: str) -> IdempotencyKey:
        """The key of the effect with that digest; *cause* is the turn or the approval."""
        message = hash_chain.frame("parley.idempotency.1", self._call_id, cause, digest)
        return IdempotencyKey(
            f"{self._call_id}:{hmac.new(self._secret, message, 'sha256').hexdigest()[:32]}"
        )
