"""
`python -m voice_contract` prints the JSON Schema from which the page's types are generated.

`python -m voice_contract MODULE` prints that of the client actions that MODULE declares.
"""

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from voice_contract.actions import Action, ActionReport
from voice_contract.caller_state import CallerState
from voice_contract.confirmations import CardsShown, ConfirmationResult, ConfirmationVote
from voice_contract.follow_up import FollowUp
from voice_contract.messages import AGENT_MESSAGE, MESSAGE_MAX_BYTES, TEXT_MAX_CHARS
from voice_contract.names import (
    ACTION_OUTCOME_METHOD,
    AGENT_IDENTITY_PREFIX,
    CALLER_STATE_METHOD,
    CONFIRM_METHOD,
    CONFIRMATIONS_METHOD,
    HANG_UP_METHOD,
    MESSAGE_TOPIC,
)
from voice_contract.page_words import PageWords
from voice_contract.room import RoomState
from voice_contract.tokens import CallView, Problem, QueueProblem, VoiceToken, VoiceTokenRequest


def schema() -> dict[str, object]:
    """
    One schema whose `$defs` are all models that reach the browser; `x-names` holds the names of
    topics and methods, and limits.
    """
    adapters: dict[str, TypeAdapter[Any]] = {
        "VoiceTokenRequest": TypeAdapter(VoiceTokenRequest),
        "VoiceToken": TypeAdapter(VoiceToken),
        "CallView": TypeAdapter(CallView),
        "FollowUp": TypeAdapter(FollowUp),
        "PageWords": TypeAdapter(PageWords),
        "Problem": TypeAdapter(Problem),
        "QueueProblem": TypeAdapter(QueueProblem),
        "RoomState": TypeAdapter(RoomState),
        "CardsShown": TypeAdapter(CardsShown),
        "ConfirmationVote": TypeAdapter(ConfirmationVote),
        "CallerState": TypeAdapter(CallerState),
        "ConfirmationResult": TypeAdapter(ConfirmationResult),
        "ActionReport": TypeAdapter(ActionReport),
        "AgentMessage": AGENT_MESSAGE,
    }
    roots, definitions = _definitions(adapters)
    definitions["AgentMessage"] = roots["AgentMessage", "serialization"]
    names = {
        "ACTION_OUTCOME_METHOD": ACTION_OUTCOME_METHOD,
        "AGENT_IDENTITY_PREFIX": AGENT_IDENTITY_PREFIX,
        "CALLER_STATE_METHOD": CALLER_STATE_METHOD,
        "CONFIRMATIONS_METHOD": CONFIRMATIONS_METHOD,
        "CONFIRM_METHOD": CONFIRM_METHOD,
        "HANG_UP_METHOD": HANG_UP_METHOD,
        "MESSAGE_MAX_BYTES": MESSAGE_MAX_BYTES,
        "MESSAGE_TOPIC": MESSAGE_TOPIC,
        "TEXT_MAX_CHARS": TEXT_MAX_CHARS,
    }
    return {"$defs": definitions, "x-names": names}


def actions_schema(module: str) -> dict[str, object]:
    """One schema whose `$defs` are the client actions of *module*, and `Action`: one of them."""
    declared = [
        found
        for found in vars(importlib.import_module(module)).values()
        if isinstance(found, type) and issubclass(found, Action) and found is not Action
    ]
    _, definitions = _definitions({model.__name__: TypeAdapter(model) for model in declared})
    names = [{"$ref": f"#/$defs/{model.__name__}"} for model in declared]
    return {"$defs": {**definitions, "Action": {"oneOf": names}}, "x-names": {}}


def _definitions(adapters: Mapping[str, TypeAdapter[Any]]) -> tuple[Any, dict[str, Any]]:
    """The adapters' own schemas, and the models that they refer to."""
    roots, document = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters.items()]
    )
    definitions: dict[str, Any] = document["$defs"]
    for definition in definitions.values():
        for field in definition["properties"].values():
            field.pop("title", None)
        definition["required"] = list(definition["properties"])
    return roots, definitions


if __name__ == "__main__":
    printed = actions_schema(sys.argv[1]) if sys.argv[1:] else schema()
    print(json.dumps(printed, indent=2, sort_keys=True))
