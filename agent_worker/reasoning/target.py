"""What something is changed to, of the values in a turn: "from Friday at nine to Monday at ten"."""

import re
from collections.abc import Sequence
from datetime import time

from agent_worker.reasoning.mentions import Mention
from agent_worker.reasoning.turn import Turn
from agent_worker.values.tokens import before

_TO = re.compile(r"\bto (?:(?:on|at|the) )*$", re.IGNORECASE)
_LEAD = re.compile(r"\b(?:(?:from|on|at|the|for)\s+)+$", re.IGNORECASE)
_SWAPS = re.compile(r"\b(?:swap|trade|switch|exchange|change)\b", re.IGNORECASE)
_FOR = re.compile(r"\bfor (?:(?:on|at|the) )*$", re.IGNORECASE)
_RATHER = re.compile(r"\b(?:rather|sooner|prefer|better|works for me)\b(?! than)", re.IGNORECASE)
_INSTEAD = re.compile(r"\binstead\b(?! of)", re.IGNORECASE)
_PAUSE = re.compile(r"[,;.!?]|\b(?:but|so|and|then)\b", re.IGNORECASE)
_BESIDE = re.compile(r"[\s,]*(?:(?:on|at|around|about|in|the|for)\s+)*", re.IGNORECASE)


def target(turn: Turn, said: Sequence[Mention]) -> Sequence[Mention]:
    """Of "from Friday at nine to Monday at ten", what something is changed to."""
    ends = [at for at, one in enumerate(said) if _TO.search(before(str(turn), one.found.start))]
    if not ends and len(said) > 1:
        ends = _exchanged(str(turn), said) or _instead(str(turn), said)
    if len(ends) != 1:
        return said
    parts: list[list[Mention]] = []
    for at, one in enumerate(said):
        gap = str(turn)[said[at - 1].found.end : one.found.start] if at else ""
        if at not in (0, *ends) and _BESIDE.fullmatch(gap):
            parts[-1].append(one)
        else:
            parts.append([one])
    target = next(part for part in parts if said[ends[0]] in part)
    lists = {one.list_name for one in target}
    # "From nine to ten" is how long it takes.
    if len(target) == 1 and isinstance(target[0].found.value, time):
        return said
    return [
        one
        for part in parts
        if part is target or not any(other.list_name in lists for other in part)
        for one in part
    ]


def _exchanged(text: str, said: Sequence[Mention]) -> list[int]:
    """The value for which another one is given: "swap Friday for Monday"."""
    if not _SWAPS.search(text[: said[0].found.start]):
        return []
    return [at for at, one in enumerate(said) if at and _FOR.search(text[: one.found.start])]


def _instead(text: str, said: Sequence[Mention]) -> list[int]:
    """
    The first value of the last clause, where the caller would rather have that: "Friday is bad,
    Monday instead".
    """
    if not (_INSTEAD.search(text, said[-1].found.end) or _RATHER.search(text)):
        return []
    for at in range(len(said) - 1, 0, -1):
        if _PAUSE.search(text[said[at - 1].found.end : said[at].found.start]):
            return [at]
    return []


def without(turn: Turn, said: Sequence[Mention], meant: Sequence[Mention]) -> str:
    """*turn* with spaces for the values that are not *meant*, and for the "from" before them."""
    text = str(turn)
    for one in said:
        if one not in meant:
            lead = _LEAD.search(text[: one.found.start])
            start = lead.start() if lead else one.found.start
            text = f"{text[:start]}{' ' * (one.found.end - start)}{text[one.found.end :]}"
    return text
