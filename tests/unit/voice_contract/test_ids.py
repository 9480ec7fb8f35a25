"""Call ids."""

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from voice_contract.dispatch import CallId
from voice_contract.ids import new_call_id


def test_new_call_id_is_a_uuid_of_version_7() -> None:
    """Version, variant, and the form that the contract asks for."""
    made = uuid.UUID(new_call_id())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert TypeAdapter(CallId).validate_python(str(made)) == str(made)


def test_new_call_id_holds_the_time_in_milliseconds() -> None:
    """The first 48 bits say when the call began."""
    before = time.time_ns() // 1_000_000
    made_ms = uuid.UUID(new_call_id()).int >> 80
    assert before <= made_ms <= time.time_ns() // 1_000_000


def test_new_call_ids_sort_by_time() -> None:
    """As text, too: that is how logs and databases sort them."""
    ids = []
    for _ in range(5):
        ids.append(new_call_id())
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_new_call_ids_differ() -> None:
    """Within one millisecond as well."""
    assert len({new_call_id() for _ in range(20_000)}) == 20_000


@given(st.uuids(version=4) | st.uuids(version=1))
def test_ids_of_other_versions_are_no_call_ids(other: uuid.UUID) -> None:
    """Only version 7 passes."""
    assert not TypeAdapter(CallId).validator.isinstance_python(str(other))
