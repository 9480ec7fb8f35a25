"""
What to do next in a conversation led by templates, as a pure function of what was said, and when.

Nothing is remembered between turns but the conversation itself. So a reply can be prepared early
and dropped, and an agent that takes over a call continues where the last one stopped.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent_worker.reasoning import choice, forms, leaving, yes_no
from agent_worker.reasoning.correction import corrected_within, meant_instead
from agent_worker.reasoning.match import LEFT_OUT, THE_SAME, Match, Unsure
from agent_worker.reasoning.reading import NEAR, Reading
from agent_worker.reasoning.template_file import LAST_ANSWER
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

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
    kept: Mapping[str, Any] = field(default_factory=dict)
    """The values that last for the call."""
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
    dialog = Dialog(kept=dict(templates.known))
    for turn in list(turns)[-50:]:
        dialog = _advance(templates, dialog, Turn(turn), model)
        if model and isinstance(dialog.move, NotUnderstood):
            dialog = Dialog(misses=dialog.misses, move=dialog.move, kept=dialog.kept)
    return dialog


def advance(templates: Templates, dialog: Dialog, turn: Turn) -> Dialog:
    """The state after one more *turn*, which no model answers."""
    return _advance(templates, dialog, turn, False)


def _advance(templates: Templates, dialog: Dialog, turn: Turn, model: bool) -> Dialog:
    after = _after(templates, dialog, turn, model)
    known = {**after.slots, **after.spoken_of}
    new = {slot: known[slot] for slot in templates.remember if slot in known}
    return replace(after, kept={**dialog.kept, **after.kept, **new})


def _after(templates: Templates, dialog: Dialog, turn: Turn, model: bool) -> Dialog:
    if (first := templates.goes_first(turn)) is not None:
        # Whatever was asked stays open.
        said = templates.rules[first].say
        assert said is not None
        return replace(dialog, misses=0, move=Say(said))
    if (left_out := _left_out(templates, dialog, turn)) is not None:
        return _act_on(templates, dialog, left_out, turn)
    if (agreed := _agreed(templates, dialog, turn)) is not None:
        return _act_on(templates, dialog, agreed, turn)
    leaves = leaving.leaves(turn)
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
            refused = _refused(templates, dialog, turn)
            return _left(dialog) if refused is None else _act_on(templates, dialog, refused, turn)
        answer = _answer(templates, dialog, turn)
        if match is not None and answer is not None and answer.free:
            # The same wish once more says nothing new: its words are the answer.
            match = None if _adds_nothing(dialog, match) else match
        if answer is not None and (match is None or _answers_better(answer, match)):
            match = answer
            filled = dialog.asked if dialog.asked and dialog.asked in answer.slots else ""
    if match is None and leaves and dialog.last_intent is not None:
        return _left(dialog)
    if match is None:
        match = _corrected(templates, dialog, turn, bare=not model)
    refers = match is None or THE_SAME in match.slots.values()
    if refers and dialog.intent is None and dialog.last_intent is not None and not model:
        subject = (templates, dialog.last_intent, dialog.spoken_of)
        if (once_more := forms.again(*subject, turn, more=match is None)) is not None:
            return _act_on(templates, dialog, once_more, turn, offer=True)
    if match is None and (parts := corrected_within(turn)) is not None:
        said, meant = (Turn(part, turn.said_at) for part in parts)
        if leaving.leaves(meant) and templates.match(said) is not None:
            return _left(dialog)
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
        if not near and match is not None:
            near = tuple(_swallowed(templates, match, reading))
            if not near and match is not answer and reading.is_other(match.intent):
                match = None
        if len(near) > 1:
            # Nobody means to thank.
            near = tuple(one for one in near if templates.can_ask_about(one.intent)) or near[:1]
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
    if match is None and dialog.intent and templates.wishes.says_no_to(dialog.intent, turn):
        return _left(dialog)
    if match is None and dialog.last_intent is not None and leaving.leaves_first(turn):
        return _left(dialog)
    if match is None:
        # What was said may have changed the subject: "it" must be named again.
        dialog = replace(dialog, spoken_of={}, last_intent=None)
        # A model can make more of it than the same question in other words.
        return _missed(templates, dialog, rewords=not model)
    return _act_on(templates, dialog, match, turn, filled=filled)


def _swallowed(templates: Templates, free: Match, reading: Reading) -> Iterator[Match]:
    """What the values mean that *free* took as mere words: "I need a visit on Friday at three"."""
    best = next(iter(reading.candidates), None)
    if best is None or best.score < NEAR or best.refused or best.nothing >= best.score:
        return
    typed = [
        {slot for slot in match.slots if templates.kind_of(match.intent, slot) is not None}
        for match in (free, best.match)
    ]
    if typed[1] and not typed[0]:
        yield best.match


def _left(dialog: Dialog) -> Dialog:
    """The open wish is taken back."""
    return Dialog(spoken_of=dialog.spoken_of, last_intent=dialog.last_intent, move=Say(_LEFT))


def _refused(templates: Templates, dialog: Dialog, turn: Turn) -> Match | None:
    """The wish with what was just said back left open, where *turn* is no more than a no to it."""
    slot, intent = dialog.filled, dialog.intent
    kind = templates.kind_of(intent, slot) if intent and slot in dialog.slots else None
    if intent is None or kind is None or kind.name not in forms.READ_BACK:
        return None
    if not yes_no.is_no_alone(turn):
        return None
    slots = {name: value for name, value in dialog.slots.items() if name != slot}
    value = kind.from_json(dialog.slots[slot])
    question = templates.rules[intent].ask[slot][0]
    return Match(intent, slots, unsure={slot: Unsure("", question, value)})


def _left_out(templates: Templates, dialog: Dialog, turn: Turn) -> Match | None:
    """The wish without what was asked for, where the caller has none to say and may."""
    if dialog.intent is None or dialog.asked not in templates.rules[dialog.intent].optional:
        return None
    if not forms.leaves_out(templates, dialog.intent, dialog.asked, turn):
        return None
    return Match(dialog.intent, {**dialog.slots, dialog.asked: LEFT_OUT})


def _agreed(templates: Templates, dialog: Dialog, turn: Turn) -> Match | None:
    """What the caller says yes to, where the last tool may have offered it."""
    if dialog.intent is not None or dialog.last_intent is None:
        return None
    offered = templates.rules[dialog.last_intent].offers
    if offered is None or yes_no.read(turn, templates.about(offered)) is not yes_no.Said.YES:
        return None
    return Match(offered, {})


def _answer(templates: Templates, dialog: Dialog, turn: Turn) -> Match | None:
    """What *turn* answers to the agent's question, or adds to the answer before."""
    assert dialog.intent is not None
    wish = (templates, dialog.intent, dialog.slots)
    corrects = meant_instead(turn) is not None or forms.exchanges(*wish, turn)
    if corrects and (found := forms.corrected(*wish, turn, bare=True)):
        return found
    found = forms.answer(*wish, dialog.unsure, turn)
    if found is None or not found.slots:
        # As it was said back wrong.
        found = forms.once_more(*wish, dialog.filled, turn) or found
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
    if not answer.slots and not said and not match.unsure:
        # Half an address, which any word may be, beside a whole sentence.
        return False
    return not answer.free and len(answer.slots) + len(answer.unsure) >= len(said)


def _adds_nothing(dialog: Dialog, match: Match) -> bool:
    said = {slot: value for slot, value in match.slots.items() if value != THE_SAME}
    return (
        match.intent == dialog.intent and not match.unsure and said.items() <= dialog.slots.items()
    )


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
    before = dialog.kept
    if dialog.last_intent and templates.rules[dialog.last_intent].offers == match.intent:
        # What is taken is what was offered: the day whose free hours were told.
        before = {**before, **dialog.spoken_of}
    known = {**{slot: before[slot] for slot in rule.ask if slot in before}, **known}
    if match.several:
        return _for_each(templates, dialog, rule.tool, match.several, known)
    # Only the subject of the last tool: "cancel it" must not reach back to an older one.
    spoken_of = dialog.spoken_of if rule.tool is None else known
    if missing := forms.missing_slots(rule.ask, known, match.unsure):
        slot = missing[0]
        asking = Dialog(match.intent, known, match.unsure, asked=slot, spoken_of=spoken_of)
        question = _wordings(templates, asking, match.intent, slot)[0]
        heard = _read_back(templates, dialog, match.intent, known, turn)
        words = f"{heard}. {question}" if heard else question
        return replace(asking, question=question, filled=filled, move=Say(words))
    if rule.tool is not None:
        given = {slot: value for slot, value in known.items() if value != LEFT_OUT}
        call = CallTool(rule.tool, given, _offer(templates, match.intent, known, turn, offer))
        return Dialog(spoken_of=spoken_of, last_intent=match.intent, filled=filled, move=call)
    assert rule.say is not None
    return Dialog(spoken_of=spoken_of, last_intent=dialog.last_intent, move=Say(rule.say))


def _read_back(
    templates: Templates, dialog: Dialog, intent: str, known: Mapping[str, Any], turn: Turn
) -> str:
    """What is new in *known* and easily misheard, as it is said back before the next question."""
    before = {**dialog.kept, **dialog.slots}
    new = {slot: value for slot, value in known.items() if before.get(slot) != value}
    return forms.in_words(templates, intent, new, turn, only=forms.READ_BACK)


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
