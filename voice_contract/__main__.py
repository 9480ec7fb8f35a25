"""`python -m voice_contract` prints the JSON Schema from which the page's types are generated."""

import json
from typing import Any

from pydantic import TypeAdapter

from voice_contract.actions import ActionReport
from voice_contract.confirmations import ConfirmationResult, ConfirmationVote
from voice_contract.follow_up import FollowUp
from voice_contract.messages import AGENT_MESSAGE, MESSAGE_MAX_BYTES, TEXT_MAX_CHARS
from voice_contract.names import (
    ACTION_OUTCOME_METHOD,
    AGENT_IDENTITY_PREFIX,
    CONFIRM_METHOD,
    CONFIRMATIONS_METHOD,
    HANG_UP_METHOD,
    MESSAGE_TOPIC,
)
from voice_contract.room import RoomState
from voice_contract.tokens import CallView, Problem, VoiceToken, VoiceTokenRequest


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
        "Problem": TypeAdapter(Problem),
        "RoomState": TypeAdapter(RoomState),
        "ConfirmationVote": TypeAdapter(ConfirmationVote),
        "ConfirmationResult": TypeAdapter(ConfirmationResult),
        "ActionReport": TypeAdapter(ActionReport),
        "AgentMessage": AGENT_MESSAGE,
    }
    roots, document = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters.items()]
    )
    for definition in document["$defs"].values():
        for field in definition["properties"].values():
            field.pop("title", None)
        definition["required"] = list(definition["properties"])
    document["$defs"]["AgentMessage"] = roots["AgentMessage", "serialization"]
    names = {
        "ACTION_OUTCOME_METHOD": ACTION_OUTCOME_METHOD,
        "AGENT_IDENTITY_PREFIX": AGENT_IDENTITY_PREFIX,
        "CONFIRMATIONS_METHOD": CONFIRMATIONS_METHOD,
        "CONFIRM_METHOD": CONFIRM_METHOD,
        "HANG_UP_METHOD": HANG_UP_METHOD,
        "MESSAGE_MAX_BYTES": MESSAGE_MAX_BYTES,
        "MESSAGE_TOPIC": MESSAGE_TOPIC,
        "TEXT_MAX_CHARS": TEXT_MAX_CHARS,
    }
    return {**document, "x-names": names}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, sort_keys=True))
