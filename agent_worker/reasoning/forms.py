"""Answers to the agent's own questions: which slots of an open wish they fill, and with what."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_worker.reasoning.correction import meant_instead
from agent_worker.reasoning.listening import is_backchannel
from agent_worker.reasoning.match import LEFT_OUT, Match, Unsure
from agent_worker.reasoning.mentions import NUMBER, journalled
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from agent_worker.values.corrections import instead_of, without_lead
from agent_worker.values.value import Found, ValueKind

READ_BACK = frozenset({"phone_number", "email", "name", "identifier"})
"""Kinds of which one wrong letter is another value: they are said back before a write."""
AS_SAID = frozenset({"text"})
"""Kinds that any words are a value of."""
ANY_WORD = AS_SAID | {"name"}
"""Kinds that nearly any word may be a value of: "no, ten" corrects a time, if there is one."""
UNMISTAKABLE = frozenset({"phone_number", "email"})
"""Kinds of which a whole value is the answer, whatever is said around it."""
HOW_ELSE = {
    "phone_number": "Please say it digit by digit, or type it.",
    "email": "Please spell it letter by letter, or type it.",
    "name": "Please spell it letter by letter, or type it.",
    "identifier": "Please say it letter by letter, or type it.",
    "day": "Please say a date, like the third of May, or type it.",
    "time": "Please say a time, like half past ten, or type it.",
    "number": "Please say it digit by digit, or type it.",
}
"""How to ask for a value when other words have not helped."""
_FILLER = frozenset(
    "a about actually afternoon also am an and are around at be best better bit but by can come "
    "could course day do does evening fine for from get go going good great guess have hello "
    "hey hi how i i'd i'll i'm in is it it'll it's its just let let's like make may maybe me "
    "mine morning my no number of oh ok okay on one only or order perfect please pm prefer "
    "probably rather right say should so suit suits sure take thank thanks that that'll that's "
    "the then there think this time to uh um want we well what what's will with works would "
    "yeah yep yes you".split()
)
"""Words around a value that leave it the answer."""
_NOUN = r"(?:(?:a|an|any|the|my) )?(?:one|1|any|it|that|anything)(?: it)*"
_NONE = re.compile(
    r"(?:(?:no|nope|nah|sorry|um|uh|well|oh|thanks|thank you|please|actually|i think|i guess|just)"
    r"\b\s*)*(?:"
    rf"no|nope|nah|none|nothing|neither|pass|next|no (?:it ?)+|without(?: {_NOUN})?|"
    r"(?:i )?(?:don't|do not|haven't|have not|can't|cannot)(?: got)?(?: (?:have|use|need|want|do))?"
    rf"(?: {_NOUN})?|(?:i )?(?:have|have got|got|use) (?:none|no (?:it ?)+)|"
    r"(?:let's |i'd |i would |(?:you|can|we|i)? ?(?:can|we|you|i) )?(?:skip|leave)(?: it)*"
    r"(?: out| blank| empty)?|do without(?: it)*|"
    r"(?:i'd |i would )?(?:rather|prefer) not(?: to)?(?: say| tell| give)?(?: it)*|"
    r"(?:that's |that is |it's )?not (?:needed|necessary|today|now|really|at the moment)"
    r")(?: (?:please|thanks|thank you|sorry|at all|either|right now|then|for now|at the moment))*"
)
"""How a caller says that there is no value for an optional slot, with "it" for its name."""
_CLAUSE = re.compile(r"[^,;.!?]+")
_SAYS_NO = re.compile(r"\b(?:not|never|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
_TAKES_BACK = re.compile(
    r"^\W*(?:(?:oh|um|uh|well|hang on|hold on)\b\W*)*"
    r"(?:no|nope|nah|not|sorry|oops|wait|hang on|hold on|actually|i (?:meant|said))\b",
    re.I,
)


def answer(
    templates: Templates,
    intent: str,
    slots: Mapping[str, Any],
    unsure: Mapping[str, Unsure],
    turn: Turn,
) -> Match | None:
    """What *turn* fills of *intent*, of which *slots* are known; None: it answers nothing."""
    rule = templates.rules[intent]
    missing = missing_slots(rule.ask, slots, unsure)
    if not missing or is_backchannel(turn, over_agent=False):
        return None
    asked = missing[0]
    kind = templates.kind_of(intent, asked)
    if kind is None:
        found_by_template = templates.match_answer(turn, rule.ask)
        return None if found_by_template is None else replace(found_by_template, intent=intent)
    if (left_open := unsure.get(asked)) is not None:
        return _settled(intent, asked, kind, left_open, turn)
    if kind.name in AS_SAID:
        found = kind.answer(str(turn), turn.said_at)
        return None if found is None else _filled(intent, {asked: (kind, found)}, turn, free=True)
    turn = _without_refused(kind, turn)
    found = kind.answer(str(turn), turn.said_at)
    taken = {} if found is None else {asked: (kind, found)}
    for slot in (*missing[1:], *_optional(templates, intent, rule.ask)):
        other = templates.kind_of(intent, slot)
        if other is None or other.name in AS_SAID or slot in slots:
            continue
        for one in other.find(str(turn), turn.said_at):
            if not any(one.overlaps(known) for _, known in taken.values()):
                taken[slot] = (other, one)
                break
    if not taken:
        return None
    if not _nothing_else(turn, [one for _, one in taken.values()], rule.ask[asked]):
        if found is None or found.question or kind.name not in UNMISTAKABLE:
            return None
        taken = {asked: (kind, found)}
    return _filled(intent, taken, turn)


def leaves_out(templates: Templates, intent: str, slot: str, turn: Turn) -> bool:
    """Whether *turn* says that *slot* has no value: "no", "I don't have one", "skip it"."""
    asked = {word for text in templates.rules[intent].ask[slot] for word in normalize(text).split()}
    name = {*slot.split("_"), *asked} - _FILLER
    said = normalize(re.sub(r"\be[- ](?=mail)", "", turn, flags=re.I)).split()
    return _NONE.fullmatch(" ".join("it" if word in name else word for word in said)) is not None


def missing_slots(
    ask: Collection[str], slots: Mapping[str, Any], unsure: Mapping[str, Unsure]
) -> list[str]:
    """What is still to be asked, in order; first of all the values that were left open."""
    return [*unsure, *(slot for slot in ask if slot not in slots and slot not in unsure)]


def may_go_on(templates: Templates, intent: str, slots: Mapping[str, Any], slot: str) -> bool:
    """Whether a caller who said the value of *slot* and paused may not be finished with it."""
    kind = templates.kind_of(intent, slot) if slots.get(slot, LEFT_OUT) != LEFT_OUT else None
    # Which numbers there are says more than a kind: see `KnownNumbers`.
    if kind is None or kind.name == NUMBER:
        return False
    return kind.may_go_on(kind.from_json(slots[slot]))


def more(
    templates: Templates, intent: str, slots: Mapping[str, Any], slot: str, turn: Turn
) -> Match | None:
    """*turn* as a further breath of the value of *slot*, which may not have been all."""
    kind = templates.kind_of(intent, slot)
    if kind is None or not may_go_on(templates, intent, slots, slot):
        return None
    longer = kind.go_on(kind.from_json(slots[slot]), str(turn), turn.said_at)
    if longer is None or not _is_whole(kind, longer):
        return None
    return Match(intent, {**slots, slot: journalled(kind, longer)})


def once_more(
    templates: Templates, intent: str, slots: Mapping[str, Any], slot: str, turn: Turn
) -> Match | None:
    """*turn* as the whole value of *slot* said once more, where nothing else is like it."""
    kind = templates.kind_of(intent, slot)
    if kind is None or kind.name not in UNMISTAKABLE:
        return None
    found = kind.answer(str(turn), turn.said_at)
    if found is None or found.question or not _nothing_else(turn, [found], ()):
        return None
    return Match(intent, {**slots, slot: journalled(kind, found.value)})


def corrected(
    templates: Templates, intent: str, slots: Mapping[str, Any], turn: Turn, *, bare: bool
) -> Match | None:
    """*slots* as *turn* corrects one of them: "no, B as in boat", "no, I meant nine"."""
    meant = meant_instead(turn, bare=bare)
    swaps = exchanges(templates, intent, slots, turn)
    if meant is None and not _TAKES_BACK.match(turn) and not swaps:
        return None
    is_wish = meant is not None and templates.match(Turn(meant, turn.said_at)) is not None
    for slot, known in _narrow_first(templates, intent, slots):
        if is_wish and known.name in ANY_WORD:
            continue
        new = known.correct(known.from_json(slots[slot]), str(turn), turn.said_at)
        if new is None or not _is_whole(known, new):
            continue
        if known.name in READ_BACK or _is_about(known, Turn(meant or turn, turn.said_at), swaps):
            return Match(intent, {**slots, slot: journalled(known, new)})
    if is_wish or (meant is None and not _TAKES_BACK.match(turn)):
        return None
    if meant is None:
        meant = _TAKES_BACK.sub("", str(turn))
        if _SAYS_NO.search(turn):
            return None
    instead = Turn(meant, turn.said_at)
    ask = templates.rules[intent].ask
    for slot in dict.fromkeys((*slots, *ask, *_optional(templates, intent, ask))):
        kind = templates.kind_of(intent, slot)
        if kind is None or kind.name in AS_SAID:
            continue
        found = kind.answer(str(instead), turn.said_at)
        if found is not None and _nothing_else(instead, [found], ask.get(slot, ())):
            new_one = _filled(intent, {slot: (kind, found)}, instead)
            return Match(intent, {**slots, **new_one.slots}, unsure=new_one.unsure)
    found_by_template = templates.match_answer(meant, ask)
    if found_by_template is not None and not found_by_template.free:
        return Match(intent, {**slots, **found_by_template.slots})
    return None


def again(
    templates: Templates, intent: str, slots: Mapping[str, Any], turn: Turn, *, more: bool
) -> Match | None:
    """
    The wish once more with other values of it, which is all that *turn* says: "and Monday?".

    Args: more: Whether with a value, too, that it had none of before.
    """
    taken: dict[str, tuple[ValueKind, Found]] = {}
    for slot in dict.fromkeys((*slots, *(_optional(templates, intent, ()) if more else ()))):
        kind = templates.kind_of(intent, slot)
        if kind is None or kind.name in AS_SAID | READ_BACK:
            continue
        found = kind.answer(str(turn), turn.said_at)
        if found and not any(found.overlaps(known) for _, known in taken.values()):
            taken[slot] = (kind, found)
    if not taken or not _nothing_else(turn, [found for _, found in taken.values()], ()):
        return None
    new = _filled(intent, taken, turn)
    rest = {slot: value for slot, value in slots.items() if slot not in new.unsure}
    return Match(intent, {**rest, **new.slots}, unsure=new.unsure)


def _is_about(kind: ValueKind, turn: Turn, swaps: bool) -> bool:
    """Whether *turn* corrects a value of *kind*, not another that has a number in it, too."""
    found = kind.answer(str(turn), turn.said_at)
    return found is None or swaps or _nothing_else(turn, [found], ())


def exchanges(templates: Templates, intent: str, slots: Mapping[str, Any], turn: Turn) -> bool:
    """Whether *turn* says one value instead of another: "not Thursday, Friday"."""
    parts = instead_of(without_lead(turn))
    return parts is not None and any(
        all(
            (found := kind.answer(part, turn.said_at)) is not None
            and _nothing_else(Turn(part, turn.said_at), [found], ())
            for part in parts
        )
        for _, kind in _narrow_first(templates, intent, slots)
        if kind.name not in ANY_WORD
    )


def _narrow_first(
    templates: Templates, intent: str, slots: Mapping[str, Any]
) -> list[tuple[str, ValueKind]]:
    """The slots that have a value, the last one first; those that nearly any word fits, at last."""
    typed = [
        (slot, kind)
        for slot, value in reversed([*slots.items()])
        if value != LEFT_OUT and (kind := templates.kind_of(intent, slot)) is not None
    ]
    return sorted(typed, key=lambda one: one[1].name in ANY_WORD)


def in_words(
    templates: Templates,
    intent: str,
    slots: Mapping[str, Any],
    turn: Turn,
    *,
    only: Collection[str] = (),
) -> str:
    """The values in *slots* as they are said; *only*: those of these kinds, if it is not empty."""
    said = []
    for slot, value in slots.items():
        kind = templates.kind_of(intent, slot)
        if value == LEFT_OUT:
            continue
        if kind is None:
            words = str(value)
        else:
            words = kind.say(kind.from_json(value), turn.said_at)
        if not only or (kind is not None and kind.name in only):
            said.append(words)
    return "; ".join(said)


def _without_refused(kind: ValueKind, turn: Turn) -> Turn:
    """*turn* without the clauses that say no to a value: "not Friday, Monday"."""
    text = str(turn)
    for clause in _CLAUSE.finditer(text):
        without_no = _SAYS_NO.sub(" ", clause[0])
        if (
            without_no != clause[0]
            and kind.answer(clause[0], turn.said_at) is None
            and kind.answer(without_no, turn.said_at) is not None
        ):
            text = f"{text[: clause.start()]}{' ' * len(clause[0])}{text[clause.end() :]}"
    return Turn(text, turn.said_at)


def _settled(
    intent: str, slot: str, kind: ValueKind, left_open: Unsure, turn: Turn
) -> Match | None:
    """The value of *slot*, of which *turn* says what was left open: "nine" "in the evening"."""
    now = turn.said_at
    for new in (
        kind.correct(left_open.value, str(turn), now),
        _value(kind.answer(str(turn), now)),
        kind.go_on(left_open.value, str(turn), now),
    ):
        if new is not None and _is_whole(kind, new):
            return Match(intent, {slot: journalled(kind, new)})
    together = f"{left_open.said} {turn}"
    found = kind.answer(together, now)
    if found is None or found.value == left_open.value:
        return None
    return _filled(intent, {slot: (kind, found)}, Turn(together, now))


def _value(found: Found | None) -> Any:
    return None if found is None or found.question else found.value


def _is_whole(kind: ValueKind, value: Any) -> bool:
    try:
        kind.from_json(journalled(kind, value))
    except ValueError:
        return False
    return True


def _optional(templates: Templates, intent: str, ask: Collection[str]) -> Sequence[str]:
    return sorted(templates.slots.get(intent, frozenset()) - set(ask))


def _filled(
    intent: str, taken: Mapping[str, tuple[ValueKind, Found]], turn: Turn, *, free: bool = False
) -> Match:
    slots = {
        slot: journalled(kind, found.value)
        for slot, (kind, found) in taken.items()
        if not found.question
    }
    unsure = {
        slot: Unsure(str(turn)[found.start : found.end], found.question, found.value)
        for slot, (_, found) in taken.items()
        if found.question
    }
    return Match(intent, slots, free, unsure)


def _nothing_else(turn: Turn, found: Sequence[Found], wordings: Collection[str]) -> bool:
    """Whether *turn* says no more than the values *found*, but for words that belong to a value."""
    rest = str(turn)
    for one in sorted(found, key=lambda one: -one.start):
        rest = f"{rest[: one.start]} {rest[one.end :]}"
    asked = {word for text in wordings for word in normalize(text).split()}
    return all(word in _FILLER or word in asked for word in normalize(rest).split())
