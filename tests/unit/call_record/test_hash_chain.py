"""The encoding under the chain."""

from hypothesis import given
from hypothesis import strategies as st

from call_record import hash_chain

FIELDS = st.lists(st.binary(max_size=8) | st.text(max_size=4), max_size=4)


@given(FIELDS, FIELDS)
def test_frame_of_different_fields_differs(
    one: list[bytes | str], other: list[bytes | str]
) -> None:
    """No text can be moved from one field into the next."""
    raw = [[x if isinstance(x, bytes) else x.encode() for x in fields] for fields in (one, other)]
    assert (hash_chain.frame(*one) == hash_chain.frame(*other)) == (raw[0] == raw[1])


def test_chain_is_what_it_was_in_the_first_version() -> None:
    """A changed encoding would break every journal that exists."""
    key, call_id = b"k" * 32, "01890000-0000-7000-8000-000000000000"
    start = hash_chain.genesis(key, call_id)
    digest = hash_chain.digest(b"s" * 16, '{"text":"hi"}')
    mac = hash_chain.mac(key, start, seq=1, at_ms=2, attempt=3, kind="turn.user", digest=digest)
    tomb = hash_chain.tombstone_mac(
        key, call_id=call_id, at_ms=1, why="asked", last_seq=1, last_mac=mac
    )
    assert (start.hex()[:16], digest.hex()[:16], mac.hex()[:16], tomb.hex()[:16]) == (
        "c2b99a285dd272b4",
        "221ebd2c6d2583d0",
        "cb133b7cba46699d",
        "5fe99f2f51962ad9",
    )
