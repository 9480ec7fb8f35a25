"""Values that are mentioned in a turn, by the kinds that the templates' lists have."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from pydantic import JsonValue

from agent_worker.reasoning.turn import Turn
from agent_worker.values.number import NumberKind
from agent_worker.values.tokens import before
from agent_worker.values.value import Found, ValueKind

Kinds = Mapping[str, ValueKind]
"""By the name of a list in the templates' file."""
DAY, NUMBER, ONE_OF, TEXT, TIME = "day", "number", "one_of", "text", "time"
_HOUR = NumberKind(1, 24)
"""Finds bare numbers for an agent that has no list of them."""
_SEVERAL = re.compile(r"(\{[a-z_]+\})(?:[\s,]+(?:and|or|and also)?\s*\1)+")
"""Values in a row, which are asked about as one is."""

_REFUSED = re.compile(
    r"(?:^|(?: (?:and|but))? )(?:not|instead of|rather than)(?: (?!th)\w+)? (\d+)(?!\S)"
)


@dataclass(frozen=True)
class Mention:
    """A part of a turn that a list's kind reads as a value."""

    list_name: str
    found: Found

    @property
    def length(self) -> int:
        return self.found.end - self.found.start


def mentions(turn: Turn, kinds: Kinds) -> list[Mention]:
    """Every reading of a part of *turn*; they may overlap."""
    found = [Mention(name, one) for name, kind in kinds.items() for one in _readings(kind, turn)]
    found = [_before_the_day(turn, one, found, kinds) for one in found]
    named = [one for one in found if _is_named(turn, one, kinds[one.list_name])]
    return [
        one
        for one in found
        if kinds[one.list_name].name != TIME
        or not any(one.found.overlaps(other.found) for other in named)
    ]


def _before_the_day(turn: Turn, one: Mention, found: Sequence[Mention], kinds: Kinds) -> Mention:
    """A time of which a day stands in the middle, "nine on Friday morning", as far as the day."""
    if kinds[one.list_name].name != TIME:
        return one
    start, end = one.found.start, one.found.end
    inside = [
        other.found.start
        for other in found
        if kinds[other.list_name].name == DAY and start < other.found.start < other.found.end < end
    ]
    if not inside:
        return one
    said = re.sub(r"[\s,]+(?:(?:on|the|this|next)\s+)*$", "", str(turn)[start : min(inside)])
    return replace(one, found=replace(one.found, end=start + len(said)))


def _is_named(turn: Turn, one: Mention, kind: ValueKind) -> bool:
    """Whether *one* is a number after its noun: no time is meant by the nine of "room nine"."""
    if not isinstance(kind, NumberKind) or not kind.after:
        return False
    nouns = "|".join(map(re.escape, kind.after))
    said = before(str(turn), one.found.start)
    return re.search(rf"\b(?:{nouns})s?\s+(?:(?:number|no\.?)\s+)?#?$", said, re.I) is not None


def _readings(kind: ValueKind, turn: Turn) -> Sequence[Found]:
    """Of several, the one that is surely meant alone: "room eight, I found one cheaper"."""
    found = kind.find(str(turn), turn.said_at)
    if len(found) < 2:
        return found
    meant = kind.answer(str(turn), turn.said_at)
    if meant is None or meant.question:
        return found
    return [one for one in found if one.overlaps(meant)]


def apart(found: Sequence[Mention], preferred: Collection[str]) -> list[Mention]:
    """
    Those of *found* that do not overlap, in their order in the turn: of two that do, the longer;
    of equals the one whose list is *preferred*, then the one that is listed first.
    """
    chosen: list[Mention] = []
    order = sorted(found, key=lambda one: (-one.length, one.list_name not in preferred))
    for one in order:
        if not any(one.found.overlaps(other.found) for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.found.start)


def journalled(kind: ValueKind, value: Any) -> JsonValue:
    """*value* as tools get it, and as it is journalled; amounts as numbers."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return kind.to_json(value)


def hours(turn: Turn, found: Sequence[Mention], kinds: Kinds) -> list[Mention]:
    """The bare numbers in *turn* as hours, where a template may have one: "I'll take three"."""
    numbers = [one.found for one in found if kinds[one.list_name].name == NUMBER]
    if not any(kind.name == NUMBER for kind in kinds.values()):
        numbers += _HOUR.find(str(turn), turn.said_at)
    bare = {(one.start, one.end) for one in numbers}
    return [
        Mention(name, replace(hour, start=start, end=end))
        for name, kind in kinds.items()
        if kind.name == TIME
        for start, end in sorted(bare)
        if (hour := kind.answer(str(turn)[start:end], turn.said_at)) is not None
    ]


def without_refused(text: str, meant: Collection[str]) -> str:
    """
    *text*, which is normalized, without the numbers that it says no to: "instead of room 10".

    Args: meant: the values that were found in it; those stay.
    """
    return _REFUSED.sub(lambda found: found[0] if found[1] in meant else "", text).strip()


def mask(text: str, found: Sequence[Mention], kinds: Kinds) -> str:
    """*text* with the names of kinds instead of values: "{number} on {day}"."""
    for one in reversed(found):
        token = mask_of(one.list_name, kinds)
        text = f"{text[: one.found.start]} {token} {text[one.found.end :]}"
    return _SEVERAL.sub(r"\1", text)


def mask_of(list_name: str, kinds: Kinds) -> str:
    """
    What stands for a value of that list: its kind, as two lists of numbers hear the same numbers.
    Choices differ from list to list.
    """
    kind = kinds[list_name].name
    return f"{{{list_name if kind == ONE_OF else kind}}}"
