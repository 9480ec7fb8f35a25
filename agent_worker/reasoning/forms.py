"""Answers to the agent's own questions: which slots of an open wish they fill, and with what."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from agent_worker.reasoning.correction import meant_instead
from agent_worker.reasoning.listening import is_backchannel
from agent_worker.reasoning.match import Match, Unsure
from agent_worker.reasoning.mentions import NUMBER, journalled
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn
from agent_worker.values.value import Found, ValueKind

READ_BACK = frozenset({"phone_number", "email", "name", "identifier"})
"""Kinds of which one wrong letter is another value: they are said back before a write."""
AS_SAID = frozenset({"text"})
"""Kinds that any words are a value of."""
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
    "a about actually afternoon also am an and are around at be best better bit but by can "
    "could course day do does evening fine for from get go going good great guess have hello "
    "hey hi how i i'd i'll i'm in is it it'll it's its just let let's like make may maybe me "
    "mine morning my no number of oh ok okay on one only or order perfect please pm prefer "
    "probably rather right say should so suit suits sure take thank thanks that that'll that's "
    "the then there think this time to uh um want we well what what's will with works would "
    "yeah yep yes you".split()
)
"""Words around a value that leave it the answer."""
_CLAUSE = re.compile(r"[^,;.!?]+")
_SAYS_NO = re.compile(r"\b(?:not|never|cannot)\b|n['\u2019]t\b", re.IGNORECASE)
_TAKES_BACK = re.compile(
    r"^\W*(?:no|nope|nah|not|sorry|oops|wait|actually|i (?:meant|said))\b", re.I
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
    if not taken or not _nothing_else(turn, [one for _, one in taken.values()], rule.ask[asked]):
        return None
    return _filled(intent, taken, turn)


def missing_slots(
    ask: Collection[str], slots: Mapping[str, Any], unsure: Mapping[str, Unsure]
) -> list[str]:
    """What is still to be asked, in order; first of all the values that were left open."""
    return [*unsure, *(slot for slot in ask if slot not in slots and slot not in unsure)]


def may_go_on(templates: Templates, intent: str, slots: Mapping[str, Any], slot: str) -> bool:
    """Whether a caller who said the value of *slot* and paused may not be finished with it."""
    kind = templates.kind_of(intent, slot) if slot in slots else None
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


def corrected(
    templates: Templates, intent: str, slots: Mapping[str, Any], turn: Turn, *, bare: bool
) -> Match | None:
    """*slots* as *turn* corrects one of them: "no, B as in boat", "no, I meant nine"."""
    meant = meant_instead(turn, bare=bare)
    if meant is None and not _TAKES_BACK.match(turn):
        return None
    # Rather what was said last, where another could be meant, too.
    for slot, value in reversed(list(slots.items())):
        kind = templates.kind_of(intent, slot)
        if kind is None:
            continue
        new = kind.correct(kind.from_json(value), str(turn), turn.said_at)
        if new is not None and _is_whole(kind, new):
            return Match(intent, {**slots, slot: journalled(kind, new)})
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
