"""
Which words of the caller a model had seen when it made a function call.

The framework may prepare a reply before the caller's words are final, and keeps it when they differ
only in punctuation: "pay 15" would run for "pay 1.5".
"""

from dataclasses import dataclass

from livekit.agents.llm import ChatContext, FunctionCall, FunctionToolCall

from agent_worker.reasoning.message_tags import EXTRA, last_user
from agent_worker.tools.arguments import is_strict


@dataclass(frozen=True)
class Origin:
    """What a function call answers."""

    turn_id: str
    seen: str
    strict: bool
    """Whether its arguments are one JSON object, as the model sent it."""
    offer: str = ""
    """The question to a caller who did not ask for it; empty: the caller did."""


def stamp(function_call: FunctionToolCall, chat_ctx: ChatContext) -> None:
    """Note on *function_call* what the model had seen."""
    turn = last_user(chat_ctx.items)
    extra = function_call.extra or {}
    ours = extra.get(EXTRA)
    function_call.extra = {
        **extra,
        EXTRA: {
            "offer": ours.get("offer", "") if isinstance(ours, dict) else "",
            "turn": turn.id if turn else "",
            "seen": (turn.raw_text_content or "") if turn else "",
            "strict": is_strict(function_call.arguments),
        },
    }


def origin_of(function_call: FunctionCall) -> Origin | None:
    """What `stamp` noted on *function_call*; None: it was not stamped."""
    mark = function_call.extra.get(EXTRA)
    if not isinstance(mark, dict) or "turn" not in mark:
        return None
    return Origin(mark["turn"], mark["seen"], mark["strict"], mark["offer"])


def is_current(origin: Origin, history: ChatContext) -> bool:
    """Whether the caller's last words, as they are final, are those that the model had seen."""
    turn = last_user(history.items)
    if turn is None:
        return origin.turn_id == ""
    return (origin.turn_id, origin.seen) == (turn.id, turn.raw_text_content or "")
