"""What a remote model is sent: the conversation in a form that every server takes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from livekit.agents.llm import (
    ChatContext,
    ChatItem,
    ChatMessage,
    FunctionCall,
    FunctionCallOutput,
)

OPENING = "(The caller is on the line.)"
"""In place of the caller's first words where the agent spoke first: the templates of many models
refuse a conversation that begins with the assistant."""
NOT_TOLD = "(The caller went on.)"
"""Of a result that the agent did not put into words: Mistral refuses a turn of the caller there,"""
GO_ON = "Go on."
"""and a conversation that ends with the agent's own words."""
ID_CHARS = 9
"""Mistral refuses ids of tool calls that are not nine letters and digits."""


def for_model(items: Sequence[ChatItem]) -> ChatContext:
    """
    The conversation *items*, which stay as they are, for a model.

    There is one system message and it leads: many models' templates refuse another, or read it
    wrongly. What was noted on the caller's last turn stands at its end, where it also leaves what
    the server has cached as it was. Messages of one speaker in a row are one, the caller speaks
    first, and no turn of the caller follows a tool's result, nor the agent's own words the last.
    """
    leading: list[str] = []
    noted: list[str] = []
    """What was noted on the last turn of the caller."""
    rest: list[ChatItem] = []
    ids: dict[str, str] = {}
    for item in items:
        if isinstance(item, ChatMessage) and item.role in ("system", "developer"):
            (noted if rest else leading).append(item.text_content or "")
        elif isinstance(item, ChatMessage):
            if not (item.text_content or "").strip():
                continue
            if item.role == "user":
                noted.clear()
                _go_on(rest, item)
            _append(rest, item)
        elif isinstance(item, FunctionCall | FunctionCallOutput):
            ids[item.call_id] = short = _short(item.call_id)
            rest.append(item.model_copy(update={"call_id": short}))
    if rest and not _is_of(rest[0], "user"):
        rest.insert(0, _words("user", OPENING, rest[0]))
    asks = items[-1] if items else None
    is_asked = bool(noted) and isinstance(asks, ChatMessage) and asks.role == "system"
    if is_asked and not _is_of(rest[-1], "user"):
        # Something is to be told now, such as results that have come.
        _go_on(rest, rest[-1])
        rest.append(_words("user", _note([noted.pop()], ids), rest[-1]))
    if noted:
        at = max(index for index, one in enumerate(rest) if _is_of(one, "user"))
        turn = rest[at]
        assert isinstance(turn, ChatMessage)
        rest[at] = _with(turn, _note(noted, ids))
    if rest and _is_of(rest[-1], "assistant"):
        rest.append(_words("user", _note([GO_ON], ids), rest[-1]))
    system = _paragraphs(leading)
    first = [ChatMessage(role="system", content=[system], created_at=0)] if system else []
    return ChatContext([*first, *rest])


def _go_on(rest: list[ChatItem], beside: ChatItem) -> None:
    """Let a turn of the caller follow."""
    if rest and isinstance(rest[-1], FunctionCallOutput):
        rest.append(_words("assistant", NOT_TOLD, beside))


def _is_of(item: ChatItem, role: str) -> bool:
    return isinstance(item, ChatMessage) and item.role == role


def _words(role: Literal["user", "assistant"], text: str, beside: ChatItem) -> ChatMessage:
    return ChatMessage(role=role, content=[text], created_at=beside.created_at)


def _with(message: ChatMessage, more: str) -> ChatMessage:
    words = _paragraphs([message.text_content or "", more])
    return message.model_copy(update={"content": [words]})


def _note(notes: Iterable[str], ids: Mapping[str, str]) -> str:
    text = " ".join(notes)
    # The longest first: "x" is a part of "x_final".
    for call_id in sorted(ids, key=len, reverse=True):
        text = text.replace(call_id, ids[call_id])
    return f"(Note: {text})"


def _append(items: list[ChatItem], message: ChatMessage) -> None:
    last = items[-1] if items else None
    if isinstance(last, ChatMessage) and last.role == message.role:
        items[-1] = _with(last, message.text_content or "")
    else:
        items.append(message)


def _paragraphs(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text)


def _short(call_id: str) -> str:
    return hashlib.sha256(call_id.encode()).hexdigest()[:ID_CHARS]
