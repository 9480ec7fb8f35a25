"""
What to do next in a conversation led by templates, as a pure function of what was said.

Nothing is remembered between turns but the conversation itself. So a reply can be prepared early
and dropped, and an agent that takes over a call continues where the last one stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent_worker.reasoning.correction import corrected_within, meant_instead
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.template_file import LAST_ANSWER
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
    """No template fits, or no answer came to the agent's question; the *times*-th time in a row."""

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
    last_intent: str | None = None
    """The intent whose tool was, or will be, called with that."""
    misses: int = 0
    """How many turns in a row were not understood, or did not answer the agent's question."""
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
        dialog = _advance(templates, dialog, turn, model)
        if model and isinstance(dialog.move, NotUnderstood):
            dialog = Dialog(misses=dialog.misses, move=dialog.move)
    return dialog


def _advance(templates: Templates, dialog: Dialog, turn: str, model: bool) -> Dialog:
    match = templates.match(turn)
    if dialog.intent is not None:
        if normalize(turn) in _LEAVE_IT:
            return replace(
                dialog, intent=None, slots={}, misses=0, move=Say("All right. What else?")
            )
        answer = templates.match_answer(turn, templates.rules[dialog.intent].ask)
        if answer is not None and (match is None or _answers_better(answer, match)):
            match = Match(dialog.intent, answer.slots)
    if match is None and (meant := meant_instead(turn)) is not None:
        match = _corrected(templates, dialog, meant)
    if match is None and (parts := corrected_within(turn)) is not None:
        said = _advance(templates, dialog, parts[0], model)
        meant_now = _advance(templates, said, parts[1], model)
        if not any(isinstance(one.move, NotUnderstood) for one in (said, meant_now)):
            return meant_now
    if match is not None and match.intent == dialog.intent:
        match = Match(dialog.intent, {**dialog.slots, **match.slots})
        if match.slots == dialog.slots:
            return _missed(templates, dialog, rewords=True)
    if match is None:
        # What was said may have changed the subject: "it" must be named again.
        dialog = replace(dialog, spoken_of={}, last_intent=None)
        # A model can make more of it than the same question in other words.
        return _missed(templates, dialog, rewords=not model)
    return _act_on(templates, dialog, match)


def _corrected(templates: Templates, dialog: Dialog, meant: str) -> Match | None:
    """What the caller *meant* instead of what was understood: another slot, or another wish."""
    if (intent := dialog.intent or dialog.last_intent) is not None:
        answer = templates.match_answer(meant, templates.rules[intent].ask)
        if answer is not None and not answer.free:
            known = {} if dialog.intent else dialog.spoken_of
            return Match(intent, {**known, **answer.slots})
    return templates.match(meant)


def _missed(templates: Templates, dialog: Dialog, *, rewords: bool) -> Dialog:
    """The turn was not understood, or did not answer the question that the agent has asked."""
    misses = dialog.misses + 1
    if rewords and dialog.intent is not None:
        ask = templates.rules[dialog.intent].ask
        wordings = next((ask[slot] for slot in ask if slot not in dialog.slots), [])
        if misses < len(wordings):
            return replace(dialog, misses=misses, move=Say(wordings[misses]))
    return replace(dialog, misses=misses, move=NotUnderstood(misses))


def _answers_better(answer: Match, match: Match) -> bool:
    # Free text fits everything, also a caller who changes the subject.
    said = [value for value in match.slots.values() if value != THE_SAME]
    return not answer.free and len(answer.slots) >= len(said)


def _act_on(templates: Templates, dialog: Dialog, match: Match) -> Dialog:
    rule = templates.rules[match.intent]
    if rule.say is not None and LAST_ANSWER in rule.say and dialog.intent is not None:
        # The question that is asked once more still waits for its answer.
        return replace(dialog, move=Say(rule.say))
    slots = {
        name: dialog.spoken_of.get(name) if value == THE_SAME else value
        for name, value in match.slots.items()
    }
    known = {name: value for name, value in slots.items() if value is not None}
    # Only the subject of the last tool: "cancel it" must not reach back to an older one.
    spoken_of = dialog.spoken_of if rule.tool is None else known
    for slot, wordings in rule.ask.items():
        if slot not in known:
            return Dialog(match.intent, known, spoken_of, move=Say(wordings[0]))
    if rule.tool is not None:
        call = CallTool(rule.tool, known)
        return Dialog(spoken_of=spoken_of, last_intent=match.intent, move=call)
    assert rule.say is not None
    return Dialog(spoken_of=spoken_of, last_intent=dialog.last_intent, move=Say(rule.say))
