"""
What to do next in a conversation led by templates, as a pure function of what was said, and when.

Nothing is remembered between turns but the conversation itself. So a reply can be prepared early
and dropped, and an agent that takes over a call continues where the last one stopped.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent_worker.reasoning import choice, forms
from agent_worker.reasoning.correction import corrected_within, meant_instead
from agent_worker.reasoning.match import THE_SAME, Match, Unsure
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.template_file import LAST_ANSWER
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

_LEAVE_IT = frozenset(
    {"never mind", "forget it", "no", "no thanks", "no thank you", "cancel that", "neither"}
)
_LEFT = "All right. What else?"
ONE_AT_A_TIME = "One at a time, please. Which one first?"
SURE = 0.5
"""The score from which examples may fill slots of a wish that is open already."""
DO_YOU_MEAN = "Do you mean {what}?"
IS_THAT_RIGHT = "I have {values}. Is that right?"


@dataclass(frozen=True)
class CallTool:
    """Call tool *name*."""

    name: str
    arguments: Mapping[str, Any]
    offer: str = ""
    """The question before it runs: the caller did not ask for it in so many words, or may have been
    misheard. Empty: it runs, or asks by itself."""


@dataclass(frozen=True)
class CallEach:
    """Call tool *name*, which changes nothing, once with each of *arguments*."""

    name: str
    arguments: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Say:
    """Say *text*."""

    text: str


@dataclass(frozen=True)
class NotUnderstood:
    """Nothing is meant, or no answer came to the agent's question; the *times*-th time in a row."""

    times: int


Move = CallTool | CallEach | Say | NotUnderstood


@dataclass(frozen=True)
class Dialog:
    """The state of a conversation after some turns of the caller."""

    intent: str | None = None
    """The intent for which the agent waits for an answer."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """The values that are known, as they are journalled."""
    unsure: Mapping[str, Unsure] = field(default_factory=dict)
    """The values of which something must be asked."""
    asked: str | None = None
    """The slot that the agent has asked for."""
    question: str = ""
    """How it has asked for it, or which intent is meant, first."""
    filled: str = ""
    """The slot that the last turn filled, as an answer: the caller may go on with its value."""
    choice: tuple[Match, ...] = ()
    """The two of which the agent has asked which one is meant."""
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

    Args:
        turns: Of the class `Turn`, where it matters when they were said.
        model: Whether a model answers what no template accepts. Such a turn closes our own open
            question: the number that comes next may answer the model's.
    """
    dialog = Dialog()
    for turn in list(turns)[-50:]:
        dialog = _advance(templates, dialog, Turn(turn), model)
        if model and isinstance(dialog.move, NotUnderstood):
            dialog = Dialog(misses=dialog.misses, move=dialog.move)
    return dialog


def _advance(templates: Templates, dialog: Dialog, turn: Turn, model: bool) -> Dialog:
    leaves = normalize(turn) in _LEAVE_IT
    if dialog.choice:
        if leaves:
            return replace(dialog, choice=(), question="", misses=0, move=Say(_LEFT))
        chosen = choice.chosen(templates, dialog.choice, turn)
        dialog = replace(dialog, choice=(), question="")
        if chosen is not None:
            return _act_on(templates, dialog, chosen, turn)
    match = templates.match(turn)
    answer: Match | None = None
    filled = ""
    if dialog.intent is not None:
        if leaves:
            return Dialog(
                spoken_of=dialog.spoken_of, last_intent=dialog.last_intent, move=Say(_LEFT)
            )
        answer = _answer(templates, dialog, turn)
        if answer is not None and (match is None or _answers_better(answer, match)):
            match = answer
            filled = dialog.asked if dialog.asked and dialog.asked in answer.slots else ""
    if match is None:
        match = _corrected(templates, dialog, turn, bare=not model)
    if match is None and (parts := corrected_within(turn)) is not None:
        said, meant = (Turn(part, turn.said_at) for part in parts)
        before = _advance(templates, dialog, said, model)
        after = _advance(templates, before, meant, model)
        if not any(isinstance(one.move, NotUnderstood) for one in (before, after)):
            return after
    # Free text fits everything, so examples that fit better go before it.
    if (match is None or (match.free and match is not answer)) and not model:
        reading = templates.read(turn, can_ask=dialog.intent is None)
        near = reading.matches
        if near and near[0].intent == dialog.intent and reading.candidates[0].score < SURE:
            # Words that only touch the subject are no answer to the question.
            near = ()
        if len(near) == 1 and (match is None or match.intent != near[0].intent):
            return _understood(templates, dialog, near[0], turn)
        if (
            len(near) > 1
            and dialog.intent is None
            and (match is None or match.intent not in {one.intent for one in near})
        ):
            return _ask_which(templates, dialog, near)
    if match is not None and match.intent == dialog.intent:
        unsure = {**dialog.unsure, **match.unsure}
        slots = {**dialog.slots, **match.slots}
        for slot in match.slots:
            unsure.pop(slot, None)
        match = replace(match, slots=slots, unsure=unsure)
        if slots == dialog.slots and unsure == dialog.unsure:
            return _missed(templates, dialog, rewords=True)
    if match is None:
        # What was said may have changed the subject: "it" must be named again.
        dialog = replace(dialog, spoken_of={}, last_intent=None)
        # A model can make more of it than the same question in other words.
        return _missed(templates, dialog, rewords=not model)
    return _act_on(templates, dialog, match, turn, filled=filled)


def _answer(templates: Templates, dialog: Dialog, turn: Turn) -> Match | None:
    """What *turn* answers to the agent's question, or adds to the answer before."""
    assert dialog.intent is not None
    wish = (templates, dialog.intent, dialog.slots)
    if meant_instead(turn) is not None and (found := forms.corrected(*wish, turn, bare=True)):
        return found
    found = forms.answer(*wish, dialog.unsure, turn)
    if (found is None or found.free) and dialog.filled:
        return forms.more(*wish, dialog.filled, turn) or found
    return found


def _understood(templates: Templates, dialog: Dialog, match: Match, turn: Turn) -> Dialog:
    """The next state where no template, but the examples say what is meant."""
    if match.intent != dialog.intent:
        return _act_on(templates, dialog, match, turn, offer=True)
    # What is known changes only by a correction.
    new = {slot: value for slot, value in match.slots.items() if slot not in dialog.slots}
    unsure = {slot: one for slot, one in match.unsure.items() if slot not in dialog.slots}
    if match.several or not (new or unsure):
        return _missed(templates, dialog, rewords=True)
    known = {**dialog.slots, **new}
    left = {slot: one for slot, one in {**dialog.unsure, **unsure}.items() if slot not in known}
    return _act_on(templates, dialog, Match(match.intent, known, unsure=left), turn)


def _corrected(templates: Templates, dialog: Dialog, turn: Turn, *, bare: bool) -> Match | None:
    """What the caller meant instead of what was understood: another slot, or another wish."""
    if (intent := dialog.intent or dialog.last_intent) is not None:
        known = dialog.slots if dialog.intent else dialog.spoken_of
        wish = (templates, intent, known)
        if (found := forms.corrected(*wish, turn, bare=bare)) is not None:
            return found
        if dialog.intent is None and dialog.filled:
            return forms.more(*wish, dialog.filled, turn)
    meant = meant_instead(turn)
    return None if meant is None else templates.match(Turn(meant, turn.said_at))


def _missed(templates: Templates, dialog: Dialog, *, rewords: bool) -> Dialog:
    """The turn was not understood, or did not answer the question that the agent has asked."""
    misses = dialog.misses + 1
    if rewords and dialog.intent is not None and dialog.asked is not None:
        wordings = _wordings(templates, dialog, dialog.intent, dialog.asked)
        if misses < len(wordings):
            return replace(dialog, misses=misses, move=Say(wordings[misses]))
    return replace(dialog, misses=misses, move=NotUnderstood(misses))


def _wordings(templates: Templates, dialog: Dialog, intent: str, slot: str) -> list[str]:
    """The question about *slot* in all its wordings; the last one says how else it can be given."""
    kind = templates.kind_of(intent, slot)
    written = templates.rules[intent].ask.get(slot, [])
    if slot in dialog.unsure:
        written = [dialog.unsure[slot].question]
    how_else = forms.HOW_ELSE.get(kind.name) if kind else None
    return [*written, how_else] if how_else else written


def _answers_better(answer: Match, match: Match) -> bool:
    # Free text fits everything, also a caller who changes the subject.
    said = [value for value in match.slots.values() if value != THE_SAME]
    return not answer.free and len(answer.slots) + len(answer.unsure) >= len(said)


def _ask_which(templates: Templates, dialog: Dialog, near: tuple[Match, ...]) -> Dialog:
    """Two intents may be meant: what one would be called with, "it" in the answer stands for."""
    about = [templates.about(match.intent) for match in near]
    question = DO_YOU_MEAN.format(what=", or ".join(about))
    return Dialog(choice=near, question=question, misses=dialog.misses, move=Say(question))


def _act_on(
    templates: Templates,
    dialog: Dialog,
    match: Match,
    turn: Turn,
    *,
    filled: str = "",
    offer: bool = False,
) -> Dialog:
    rule = templates.rules[match.intent]
    if rule.say is not None and LAST_ANSWER in rule.say and dialog.intent is not None:
        # The question that is asked once more still waits for its answer.
        return replace(dialog, move=Say(rule.say))
    slots = {
        name: dialog.spoken_of.get(name) if value == THE_SAME else value
        for name, value in match.slots.items()
    }
    known = {name: value for name, value in slots.items() if value is not None}
    if match.several:
        return _for_each(templates, dialog, rule.tool, match.several, known)
    # Only the subject of the last tool: "cancel it" must not reach back to an older one.
    spoken_of = dialog.spoken_of if rule.tool is None else known
    if missing := forms.missing_slots(rule.ask, known, match.unsure):
        slot = missing[0]
        asking = Dialog(match.intent, known, match.unsure, asked=slot, spoken_of=spoken_of)
        question = _wordings(templates, asking, match.intent, slot)[0]
        return replace(asking, question=question, filled=filled, move=Say(question))
    if rule.tool is not None:
        call = CallTool(rule.tool, known, _offer(templates, match.intent, known, turn, offer))
        return Dialog(spoken_of=spoken_of, last_intent=match.intent, filled=filled, move=call)
    assert rule.say is not None
    return Dialog(spoken_of=spoken_of, last_intent=dialog.last_intent, move=Say(rule.say))


def _for_each(
    templates: Templates, dialog: Dialog, tool: str | None, slot: str, known: Mapping[str, Any]
) -> Dialog:
    """Several values were said for *slot*: each is looked up; what changes something goes alone."""
    if tool is None or templates.changes(tool):
        return Dialog(misses=dialog.misses, move=Say(ONE_AT_A_TIME))
    each = tuple({**known, slot: value} for value in known[slot])
    return Dialog(move=CallEach(tool, each))


def _offer(
    templates: Templates, intent: str, slots: Mapping[str, Any], turn: Turn, understood: bool
) -> str:
    """The question before the tool of *intent* runs, if it needs one and has none of its own."""
    tool = templates.rules[intent].tool
    assert tool is not None
    if not templates.changes(tool) or tool in templates.asking:
        return ""
    if understood:
        values = forms.in_words(templates, intent, slots, turn)
        about = templates.about(intent)
        return DO_YOU_MEAN.format(what=f"{about}: {values}" if values else about)
    values = forms.in_words(templates, intent, slots, turn, only=forms.READ_BACK)
    return IS_THAT_RIGHT.format(values=values) if values else ""
