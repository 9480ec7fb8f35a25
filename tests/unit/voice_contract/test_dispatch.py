"""What the token service tells the worker."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.names import AGENT_IDENTITY_PREFIX, agent_identity


def metadata(**changes: Any) -> str:
    """Dispatch metadata as it travels, with *changes*."""
    return json.dumps({"call_id": new_call_id(), "attempt": 1, "caller": "caller-1", **changes})


def test_metadata_survives_the_journey() -> None:
    """Out as JSON, in as the same."""
    sent = DispatchMetadata(call_id=new_call_id(), attempt=3, caller="caller-1")
    assert DispatchMetadata.model_validate_json(sent.model_dump_json()) == sent


def test_metadata_field_of_a_later_version_is_ignored() -> None:
    """A worker understands a token service that is newer."""
    assert DispatchMetadata.model_validate_json(metadata(tenant="x")).caller == "caller-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"call_id": "call-1"},
        {"call_id": ""},
        {"call_id": new_call_id().upper()},
        {"call_id": new_call_id() + "\n"},
        {"call_id": " " + new_call_id()},
        {"call_id": "0190a000-0000-4000-8000-000000000000"},
        {"call_id": "0190a000-0000-7000-c000-000000000000"},
        {"call_id": "../" + new_call_id()},
        {"call_id": None},
        {"attempt": 0},
        {"attempt": "one"},
        {"caller": ""},
        {"caller": "c" * 129},
    ],
)
def test_metadata_out_of_form_is_refused(changes: dict[str, Any]) -> None:
    """An id is a room's name and a log field: nothing but a UUIDv7 in lower case passes."""
    with pytest.raises(ValidationError):
        DispatchMetadata.model_validate_json(metadata(**changes))


@pytest.mark.parametrize("text", ["", "{}", "null", "[]", "{", '{"call_id": "x"}'])
def test_metadata_that_is_not_ours_is_refused(text: str) -> None:
    """The SFU hands over whatever a dispatch carries."""
    with pytest.raises(ValidationError):
        DispatchMetadata.model_validate_json(text)


def test_metadata_does_not_change_under_way() -> None:
    """It is frozen: a call keeps its identity."""
    read = DispatchMetadata.model_validate_json(metadata())
    with pytest.raises(ValidationError):
        read.attempt = 2  # type: ignore[misc]


def test_agent_identity_names_call_and_attempt() -> None:
    """Two attempts at one call never meet under one name."""
    assert agent_identity("c", 2) == "agent-c-2"
    assert agent_identity("c", 1) != agent_identity("c", 2)
    assert agent_identity("c", 1).startswith(AGENT_IDENTITY_PREFIX)
