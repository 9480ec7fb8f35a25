"""The kinds of a journal's entries."""

import json
from typing import get_args

import pytest
from pydantic import JsonValue, ValidationError

from voice_contract.journal import (
    BODY_MAX_BYTES,
    JOURNAL_ENTRY,
    SAID_MAX_CHARACTERS,
    AgentTurnEnded,
    EntryTooLarge,
    Known,
    ToolFinished,
    ToolStarted,
    Unknown,
    UserTurn,
    decode,
    encode,
)


def test_every_kind_has_a_name_of_its_own() -> None:
    """A reader finds the model by it."""
    kinds = [model.model_fields["kind"].default for model in get_args(Known)]
    assert len(set(kinds)) == len(kinds) == 26
    assert JOURNAL_ENTRY.validate_python({"kind": "turn.user", "text": "hi"}) == UserTurn(text="hi")


def test_entry_encoded_and_decoded_is_the_same() -> None:
    """Its kind is not repeated in its body."""
    entry = ToolStarted(
        invocation_id="1", tool="refund", effect="write", arguments={"order": 7, "why": ["é", None]}
    )
    kind, body = encode(entry)
    assert kind == "tool.started"
    assert "kind" not in json.loads(body)
    assert decode(kind, body) == entry


@pytest.mark.parametrize(
    ("kind", "body"),
    [("mood.changed", '{"mood":1}'), ("turn.user", '{"words":"hi"}'), ("turn.user", "no JSON")],
)
def test_entry_that_this_version_cannot_read_is_kept_as_it_is(kind: str, body: str) -> None:
    """Another version wrote it, or somebody spoiled it: no reader stops there."""
    entry = decode(kind, body)
    assert entry == Unknown(kind=kind, body=body)
    assert encode(entry) == (kind, body)


def test_entry_with_fields_of_the_next_version_is_read() -> None:
    """Fields are added with a default."""
    assert decode("turn.user", '{"text":"hi","mood":"good"}') == UserTurn(text="hi")


def test_what_is_said_is_cut_and_never_refused() -> None:
    """No length of speech and no strange character breaks a call."""
    entry = AgentTurnEnded(turn_id="1", heard="x" * 10_000, interrupted=False)
    assert len(entry.heard) == SAID_MAX_CHARACTERS and entry.heard.endswith("…")
    assert UserTurn(text="a\ud800b").text == "a?b"
    worst = UserTurn(text="\x00" * SAID_MAX_CHARACTERS)
    assert decode(*encode(worst)) == worst


@pytest.mark.parametrize("levels", [150, 199, 210, 250])
def test_entry_that_could_not_be_read_again_is_refused(levels: int) -> None:
    """Passed over by every reader, an effect that was started would be forgotten."""
    nested: JsonValue = 1
    for _ in range(levels):
        nested = {"a": nested}
    entry = ToolStarted(invocation_id="1", tool="t", effect="write", arguments={"a": nested})
    try:
        kind, body = encode(entry)
    except EntryTooLarge:
        assert levels > 190
    else:
        assert decode(kind, body) == entry


def test_entry_with_a_number_too_long_to_read_is_refused() -> None:
    """Of a tool that answers with it, the rest is kept."""
    with pytest.raises(EntryTooLarge):
        encode(ToolFinished(invocation_id="1", say="Done.", data={"count": 10**5000}))


def test_entry_larger_than_its_bound_is_refused() -> None:
    """Arguments are exact or not there at all."""
    entry = ToolStarted(
        invocation_id="1", tool="t", effect="read", arguments={"x": "x" * BODY_MAX_BYTES}
    )
    with pytest.raises(EntryTooLarge, match=r"tool\.started"):
        encode(entry)
    with pytest.raises(ValidationError):
        ToolStarted(invocation_id="1" * 201, tool="t", effect="read", arguments={})
