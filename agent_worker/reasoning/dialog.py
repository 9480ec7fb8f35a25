"""
What to do next in a conversation led by templates, as a pure function of what was said.

Nothing is remembered between turns but the conversation itself. So a reply can be prepared early
and dropped, and an agent that takes over a call continues where the last one stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.templates import Match, Templates

THE_SAME = "the-same"
"""A slot's value for "it" and "that one": the value that the last tool was called with."""

_LEAVE_IT = frozenset({"never mind", "forget it", "no", "no thanks", "no thank you", "cancel that"})


@dataclass(frozen=True)
class CallTool:
    """Call tool *name*."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Say:
    """Say *text*."""

    text: str


@dataclass(frozen=True)
class NotUnderstood:
    """No template fits; for the *times*-th time in a row."""

    times: int


Move = CallTool | Say | NotUnderstood


@dataclass(frozen=True)
class Dialog:
    """The state of a conversation after some turns of the caller."""

    intent: str | None = None
    """The intent for which the agent waits for an answer."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    spoken_of: Mapping[str, Any] = field(default_factory=dict)
    """What the last tool was, or will be, called with."""
    misses: int = 0
    move: Move | None = None
    """What the last turn asks for."""


def follow(templates: Templates, turns: Iterable[str], *, model: bool = False) -> Dialog:
    """
    The state after all *turns* of the caller, oldest first; at most the last 50 count.

    Args: model: Whether a model answers what is not understood here. Such a turn closes our own
        open question: the number that comes next may answer the model's.
    """
    dialog = Dialog()
    for turn in list(turns)[-50:]:
        dialog = _advance(templates, dialog, turn)
        if model and isinstance(dialog.move, NotUnderstood):
            dialog = Dialog(misses=dialog.misses, move=dialog.move)
    return dialog


def _advance(templates: Templates, dialog: Dialog, turn: str) -> Dialog:
    match = templates.match(turn)
    if dialog.intent is not None:
        if normalize(turn) in _LEAVE_IT:
            return replace(
                dialog, intent=None, slots={}, misses=0, move=Say("All right. What else?")
            )
        answer = templates.match_answer(turn, templates.rules[dialog.intent].ask)
        if answer is not None and (match is None or _answers_better(answer, match)):
            match = Match(dialog.intent, answer.slots)
        if match is not None and match.intent == dialog.intent:
            match = Match(dialog.intent, {**dialog.slots, **match.slots})
    if match is None:
        misses = dialog.misses + 1
        # What was said may have changed the subject: "it" must be named again.
        return replace(dialog, spoken_of={}, misses=misses, move=NotUnderstood(misses))
    return _act_on(templates, dialog, match)


def _answers_better(answer: Match, match: Match) -> bool:
    # Free text fits everything, also a caller who changes the subject.
    said = [value for value in match.slots.values() if value != THE_SAME]
    return not answer.free and len(answer.slots) >= len(said)


def _act_on(templates: Templates, dialog: Dialog, match: Match) -> Dialog:
    rule = templates.rules[match.intent]
    slots = {
        name: dialog.spoken_of.get(name) if value == THE_SAME else value
        for name, value in match.slots.items()
    }
    known = {name: value for name, value in slots.items() if value is not None}
    # Only the subject of the last tool: "cancel it" must not reach back to an older one.
    spoken_of = dialog.spoken_of if rule.tool is None else known
    for slot, question in rule.ask.items():
        if slot not in known:
            return Dialog(match.intent, known, spoken_of, 0, Say(question))
    if rule.tool is not None:
        return Dialog(None, {}, spoken_of, 0, CallTool(rule.tool, known))
    assert rule.say is not None
    return Dialog(None, {}, spoken_of, 0, Say(rule.say))
