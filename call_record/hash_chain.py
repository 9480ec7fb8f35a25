"""The chain that makes a journal tamper-evident: pure functions over HMAC-SHA256."""

import hashlib
import hmac
import struct

SALT_BYTES = 16


def genesis(key: bytes, call_id: str) -> bytes:
    """What the first entry of a call follows."""
    return _hmac(key, "parley.journal.1", call_id)


def digest(salt: bytes, body: str) -> bytes:
    """What stands for a body in the chain; without the salt it says nothing about the body."""
    return hashlib.sha256(frame(salt, body)).digest()


def mac(
    key: bytes, previous: bytes, *, seq: int, at_ms: int, attempt: int, kind: str, digest: bytes
) -> bytes:
    """The MAC of an entry: of all of it, its position, and everything before it."""
    return _hmac(key, "entry", previous, seq, at_ms, attempt, kind, digest)


def tombstone_mac(
    key: bytes, *, call_id: str, at_ms: int, why: str, last_seq: int, last_mac: bytes
) -> bytes:
    """The MAC of a tombstone: nobody without the key can pass off a deletion as an erasure."""
    return _hmac(key, "tombstone", call_id, at_ms, why, last_seq, last_mac)


def frame(*fields: bytes | str | int) -> bytes:
    """The fields as bytes, each after its length: no two lists of fields give the same."""
    parts = []
    for field in fields:
        raw = field if isinstance(field, bytes) else str(field).encode(errors="replace")
        parts += [struct.pack(">I", len(raw)), raw]
    return b"".join(parts)


def _hmac(key: bytes, *fields: bytes | str | int) -> bytes:
    return hmac.digest(key, frame(*fields), "sha256")
