"""
Tags on chat messages, by which the gate tells the session's model what a message is.

A tag is in `extra`, which providers do not get, or in words that a remote model reads too.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeGuard

from livekit.agents.llm import ChatItem, ChatMessage, FunctionCallOutput

EXTRA = "parley"
_IDS = re.compile(r"^New results \(call_ids: ([^)]*)\)")


def results_arrived(function_call_ids: Iterable[str]) -> str:
    """What the model is told when tools have answered that ran in the background."""
    return (
        f"New results (call_ids: {', '.join(function_call_ids)}). "
        "Tell the caller in one or two short sentences. Leave out what you have told already; if "
        "nothing is left, answer with nothing. Do not call the same tool again."
    )


def arrived(items: Sequence[ChatItem]) -> list[FunctionCallOutput]:
    """The results of background tools that the reply to *items* must tell; else none."""
    last = items[-1] if items else None
    if not isinstance(last, ChatMessage) or last.role != "system":
        return []
    found = _IDS.match(last.text_content or "")
    if found is None:
        return []
    ids = set(found[1].split(", "))
    return _as_called(items, [item for item in items if _is_untold(item) and item.call_id in ids])


def unanswered(items: Sequence[ChatItem]) -> list[FunctionCallOutput]:
    """Results of tools that the agent has not put into words yet, in the order of their calls."""
    found: list[FunctionCallOutput] = []
    for item in reversed(items):
        if _is_untold(item):
            found.append(item)
        elif isinstance(item, ChatMessage) and item.role in ("user", "assistant"):
            break
    return _as_called(items, found[::-1])


def _as_called(
    items: Sequence[ChatItem], outputs: list[FunctionCallOutput]
) -> list[FunctionCallOutput]:
    """*outputs*, which stand as they arrived, as they were asked for: "rooms 7 and 9"."""
    asked_at = {item.call_id: item.created_at for item in items if item.type == "function_call"}
    return sorted(outputs, key=lambda one: asked_at.get(one.call_id, one.created_at))


def last_user(items: Iterable[ChatItem]) -> ChatMessage | None:
    """The caller's last turn."""
    said = [item for item in items if isinstance(item, ChatMessage) and item.role == "user"]
    return said[-1] if said else None


def set_reply(message: ChatMessage, words: str) -> None:
    """This turn of the caller answered a question of the gate: *words* are the reply to it."""
    _set(message, reply=words)


def set_reply_without_model(message: ChatMessage, words: str) -> None:
    """This turn answers something that a model asked: *words* are the reply where none answers."""
    _set(message, reply=words, **{"to-model": True})


def set_last_resort(message: ChatMessage, words: str) -> None:
    """While a question of the gate is open: *words* are the reply if nothing else answers."""
    _set(message, **{"last-resort": words})


def set_said_at(message: ChatMessage, unix_s: float) -> None:
    """When that turn was said, where `created_at` is another time."""
    _set(message, **{"said-at": unix_s})


def said_at(message: ChatMessage, zone: tzinfo | None) -> datetime:
    """When that turn was said, in the time of *zone*; None: where the machine is."""
    unix_s = _tag(message).get("said-at", message.created_at)
    return datetime.fromtimestamp(unix_s, UTC).astimezone(zone)


def _set(message: ChatMessage, **tags: Any) -> None:
    message.extra[EXTRA] = {**_tag(message), **tags}


def reply_to(message: ChatMessage | None) -> str | None:
    """The gate's reply to that turn of the caller, if it has one."""
    return _tag(message).get("reply")


def is_to_model(message: ChatMessage | None) -> bool:
    """Whether that turn answers what a model asked, where there is one."""
    return _tag(message).get("to-model") is True


def last_resort(message: ChatMessage | None) -> str | None:
    """The reply to that turn if nothing else answers, if there is one."""
    return _tag(message).get("last-resort")


def _tag(message: ChatMessage | None) -> dict[str, Any]:
    tag = message.extra.get(EXTRA) if message is not None else None
    return tag if isinstance(tag, dict) else {}


def question(words: str) -> str:
    """The output of a tool that asks the caller first: the agent says *words* as they are."""
    note = "The caller is being asked. Do not call it again; wait for the answer."
    return json.dumps({"say": words, "ask": True, "note": note})


def asks(output: FunctionCallOutput) -> bool:
    """Whether that output is a question of the gate."""
    return _parsed(output).get("ask") is True


def told(words: str) -> str:
    """The output of a tool of which the caller has heard enough: no reply is due to it."""
    return json.dumps({"say": words, "told": True})


def _is_untold(item: ChatItem) -> TypeGuard[FunctionCallOutput]:
    return isinstance(item, FunctionCallOutput) and _parsed(item).get("told") is not True


def spoken(output: FunctionCallOutput) -> str:
    """The words in a tool's result; a refusal's reason is words already."""
    return output.output if output.is_error else str(_parsed(output).get("say", output.output))


def _parsed(output: FunctionCallOutput) -> dict[str, Any]:
    try:
        parsed = json.loads(output.output)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
