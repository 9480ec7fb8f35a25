"""Messages to the page, and the schema from which the page's types are made."""

import json
import subprocess
import sys
from typing import Any, Literal, get_args

import pytest
from pydantic import BaseModel, ValidationError, create_model

from voice_contract import (
    actions,
    caller_state,
    confirmations,
    follow_up,
    messages,
    names,
    page_words,
    room,
    tokens,
)
from voice_contract.__main__ import actions_schema, schema
from voice_contract.actions import ACTION_MAX_BYTES, Action, ClientAction
from voice_contract.confirmations import (
    PENDING_MAX,
    QUESTION_MAX_CHARS,
    ArgumentInWords,
    Confirmations,
    PendingConfirmation,
)
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


BIKE = "\U0001f6b2"


def question(characters: int) -> PendingConfirmation:
    """A question with so many characters of four bytes each."""
    words = ArgumentInWords(name="", value=BIKE * characters)
    return PendingConfirmation(
        id="c" * 64,
        title="",
        tool="t" * 64,
        arguments=[words],
        digest="0" * 64,
        expires_in_ms=30_000,
    )


@pytest.mark.parametrize(
    "longest",
    [
        Notice(code="no-voice", text=BIKE * 2000),
        Confirmations(pending=[question(QUESTION_MAX_CHARS)] * PENDING_MAX),
        ClientAction(id="a" * 64, action=Action(action="a", text="x" * (ACTION_MAX_BYTES - 24))),
    ],
    ids=lambda message: message.type,
)
def test_longest_message_fits_the_limit(longest: AgentMessage) -> None:
    """Even where each character takes four bytes."""
    assert len(AGENT_MESSAGE.dump_json(longest)) <= MESSAGE_MAX_BYTES


class OpenDoor(Action, extra="forbid"):
    """An action that an agent declares."""

    action: Literal["open_door"] = "open_door"
    door: int


class CloseDoor(Action, extra="forbid"):
    """Another one."""

    action: Literal["close_door"] = "close_door"


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (str, "open_door"),
        (Literal["open_door"], ...),
        (Literal["open_door"], "close_door"),
        (Literal["Open door"], "Open door"),
        (Literal[3], 3),
    ],
)
def test_action_without_a_name_of_its_own_is_refused(annotation: Any, default: Any) -> None:
    """When the class is made, not when it is first suggested to a caller."""
    with pytest.raises(TypeError, match="Nameless needs its name as a field, such as action: "):
        create_model("Nameless", __base__=Action, action=(annotation, default))
    with pytest.raises(TypeError, match="Nameless needs its name"):
        create_model("Nameless", __base__=Action)


def test_client_action_carries_what_its_agent_declared() -> None:
    """The envelope knows no action; it takes the fields of each."""
    sent = ClientAction(id="a", action=OpenDoor(door=3))
    wire = AGENT_MESSAGE.dump_json(sent)
    assert json.loads(wire)["action"] == {"action": "open_door", "door": 3}
    read = AGENT_MESSAGE.validate_json(wire)
    assert isinstance(read, ClientAction)
    assert OpenDoor.model_validate(read.action.model_dump()) == sent.action


@pytest.mark.parametrize(
    "action",
    [{}, {"action": ""}, {"action": "Open door"}, {"action": "a", "text": "x" * ACTION_MAX_BYTES}],
    ids=["none", "empty", "no name", "too large"],
)
def test_client_action_without_a_name_or_too_large_is_refused(action: dict[str, str]) -> None:
    """A name that could be one, and at most 32 KB: the message has a limit."""
    with pytest.raises(ValidationError):
        ClientAction.model_validate({"id": "a", "action": action})


def test_schema_of_actions_is_what_a_module_declares() -> None:
    """A page checks a suggestion against all actions of its agent, by `Action`."""
    definitions: dict[str, Any] = actions_schema(__name__)["$defs"]  # type: ignore[assignment]
    assert set(definitions) == {"Action", "OpenDoor", "CloseDoor"}
    assert definitions["Action"]["oneOf"] == [
        {"$ref": "#/$defs/OpenDoor"},
        {"$ref": "#/$defs/CloseDoor"},
    ]
    assert definitions["OpenDoor"]["required"] == ["action", "door"]
    assert definitions["OpenDoor"]["additionalProperties"] is False


def test_question_that_is_too_long_is_refused() -> None:
    """Arguments are shown whole or not at all."""
    with pytest.raises(ValidationError):
        question(QUESTION_MAX_CHARS + 1)


def test_schema_has_every_message_and_answer() -> None:
    """What reaches the browser is there under its own name; the union tells them apart."""
    definitions: dict[str, Any] = schema()["$defs"]  # type: ignore[assignment]
    wire = (actions, caller_state, confirmations, follow_up, messages, page_words, room, tokens)
    models = {
        name
        for module in wire
        for name, found in vars(module).items()
        if isinstance(found, type) and issubclass(found, BaseModel) and name[0] != "_"
    }
    assert set(definitions) == {*models - {"BaseModel"}, "AgentMessage"}
    kinds = get_args(get_args(messages.AgentMessage)[0])
    assert definitions["AgentMessage"]["discriminator"]["mapping"] == {
        kind.model_fields["type"].default: f"#/$defs/{kind.__name__}" for kind in kinds
    }


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
