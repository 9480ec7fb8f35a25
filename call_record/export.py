"""A call as JSON lines, to be kept or checked elsewhere."""

import json
from collections.abc import Iterator

from call_record.verification import Evidence, Link


def lines(call_id: str, evidence: Evidence) -> Iterator[str]:
    """
    Each entry as stored, in order, then one line of `"kind": "parley.export"` with the last MAC.

    `body` is the stored text, the very bytes that the chain covers; MACs, salts and digests are
    hexadecimal.
    """
    for link in evidence.links:
        yield json.dumps({**vars(link), **_hex(link)}, ensure_ascii=False)
    tail, tomb = evidence.tail, evidence.tombstone
    last = {
        "kind": "parley.export",
        "call_id": call_id,
        "state": tail.state if tail else "removed",
        "key_id": tail.key_id if tail else tomb.key_id if tomb else None,
        "last_seq": tail.head_seq if tail else tomb.last_seq if tomb else None,
        "last_mac": (tail.head_mac if tail else tomb.last_mac if tomb else b"").hex(),
        "erased_at_ms": tomb.at_ms if tomb else None,
        "erased_why": tomb.why if tomb else None,
    }
    yield json.dumps(last, ensure_ascii=False)


def _hex(link: Link) -> dict[str, str | None]:
    fields = {"salt": link.salt, "digest": link.digest, "mac": link.mac}
    return {name: None if value is None else value.hex() for name, value in fields.items()}
