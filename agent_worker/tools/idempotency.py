"""
Idempotency keys: what "once" means.

One key is minted for the same tool with the same arguments within one turn of the caller, or for
one approval. It stays the same over retries, duplicate proposals, and a change of the call's agent.
"""

from agent_worker.tools.tool import IdempotencyKey


class IdempotencyKeys:
    """The keys of one call: `call_id:n`."""

    def __init__(self, call_id: str) -> None:
        self._call_id = call_id
        self._keys: dict[tuple[str, str], IdempotencyKey] = {}
        self._minted = 0

    def key(self, cause: str, digest: str) -> IdempotencyKey:
        """The key of the effect with that digest; *cause* is the turn or the approval."""
        if (cause, digest) not in self._keys:
            self._minted += 1
            self._keys[cause, digest] = IdempotencyKey(f"{self._call_id}:{self._minted}")
        return self._keys[cause, digest]

    def adopt(self, cause: str, digest: str, key: str) -> None:
        """Take over *key*, which an agent before this one gave to that effect."""
        self._keys[cause, digest] = IdempotencyKey(key)
        call_id, _, number = key.rpartition(":")
        if call_id == self._call_id and number.isdecimal():
            self._minted = max(self._minted, int(number))
