"""Messages to the page, and the schema from which the page's types are made."""

import json
import subprocess
import sys
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from voice_contract import messages, names
from voice_contract.__main__ import schema
from voice_contract.messages import (
    AGENT_MESSAGE,
    MESSAGE_MAX_BYTES,
    TEXT_MAX_CHARS,
    AgentMessage,
    CallEnded,
    EndReason,
    Notice,
    NoticeCode,
)


@pytest.mark.parametrize(
    "message",
    [
        *[Notice(code=code, text="Pardon?") for code in get_args(NoticeCode)],
        *[CallEnded(reason=reason) for reason in get_args(EndReason)],
    ],
)
def test_message_survives_the_journey(message: AgentMessage) -> None:
    """Each code and reason comes back as the same message of the same kind."""
    wire = AGENT_MESSAGE.dump_json(message)
    assert json.loads(wire)["type"] in ("notice", "call-ended")
    assert AGENT_MESSAGE.validate_json(wire) == message


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"type": "dance"},
        {"code": "not-heard", "text": "a"},
        {"type": "notice", "code": "boredom", "text": "a"},
        {"type": "notice", "code": "not-heard"},
        {"type": "notice", "code": "not-heard", "text": "a" * 2001},
        {"type": "notice", "code": "not-heard", "text": "a", "html": "b"},
        {"type": "call-ended"},
        {"type": "call-ended", "reason": "weather"},
        {"type": "call-ended", "reason": "agent", "code": "not-heard"},
    ],
)
def test_message_out_of_form_is_refused(wire: dict[str, str]) -> None:
    """Unknown kinds and codes, missing and unknown fields, and too much text."""
    with pytest.raises(ValidationError):
        AGENT_MESSAGE.validate_python(wire)


def test_longest_message_fits_the_limit() -> None:
    """Even where each character takes four bytes."""
    longest = Notice(code="no-voice", text="\U0001f6b2" * 2000)
    assert len(AGENT_MESSAGE.dump_json(longest)) <= MESSAGE_MAX_BYTES


def test_schema_has_every_message_and_answer() -> None:
    """What reaches the browser is there under its own name; the union tells them apart."""
    definitions: dict[str, Any] = schema()["$defs"]  # type: ignore[assignment]
    assert set(definitions) == {"AgentMessage", "CallEnded", "Notice", "Problem", "VoiceToken"}
    union = definitions["AgentMessage"]
    assert union["discriminator"]["mapping"] == {
        "notice": "#/$defs/Notice",
        "call-ended": "#/$defs/CallEnded",
    }
    kinds = {kind.__name__ for kind in get_args(get_args(messages.AgentMessage)[0])}
    assert kinds == {"CallEnded", "Notice"}


def test_schema_fields_are_required_and_without_titles() -> None:
    """The generated types have no optional fields and no types made of titles."""
    definitions: dict[str, Any] = schema()["$defs"]  # type: ignore[assignment]
    for name, definition in definitions.items():
        if name == "AgentMessage":
            continue
        assert definition["required"] == list(definition["properties"])
        assert not [field for field in definition["properties"].values() if "title" in field]


def test_schema_has_every_name_and_limit() -> None:
    """Each constant of the wire reaches the page with its value."""
    constants = {key: value for key, value in vars(names).items() if key.isupper()} | {
        "MESSAGE_MAX_BYTES": MESSAGE_MAX_BYTES,
        "TEXT_MAX_CHARS": TEXT_MAX_CHARS,
    }
    assert schema()["x-names"] == constants


def test_module_prints_the_schema() -> None:
    """`python -m voice_contract` is what the page's build reads."""
    printed = subprocess.run(
        [sys.executable, "-m", "voice_contract"], capture_output=True, text=True, check=True
    )
    assert json.loads(printed.stdout) == schema()
