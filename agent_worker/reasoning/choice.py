"""The answer to "Do you mean this, or that?"."""

import re
from collections.abc import Sequence
from dataclasses import replace

from agent_worker.reasoning.classifier import tokens
from agent_worker.reasoning.match import THE_SAME, Match
from agent_worker.reasoning.mood import negated, stem
from agent_worker.reasoning.templates import Templates
from agent_worker.reasoning.turn import Turn

AHEAD = 0.1
"""How far one of them must be ahead of the other by its examples."""
_FIRST = re.compile(r"\b(?:first|former)\b", re.IGNORECASE)
_SECOND = re.compile(r"\b(?:second|latter|last|other)\b", re.IGNORECASE)


def chosen(templates: Templates, choice: Sequence[Match], turn: Turn) -> Match | None:
    """The one of *choice* that *turn* means, with the values that were said for it before."""
    if next(negated(turn), None) is not None:
        return None
    first, second = choice
    match = templates.match(turn)
    if match is not None:
        meant = next((one for one in choice if one.intent == match.intent), None)
        return None if meant is None else _with(meant, match)
    if _FIRST.search(turn) or _SECOND.search(turn):
        both = _FIRST.search(turn) and _SECOND.search(turn)
        return None if both else first if _FIRST.search(turn) else second
    said = {stem(word) for word in tokens(turn)}
    named = [{stem(word) for word in tokens(templates.about(one.intent))} for one in choice]
    hits = [len(said & (own - other)) for own, other in (named, named[::-1])]
    if hits[0] != hits[1]:
        return first if hits[0] > hits[1] else second
    scores = {one.match.intent: one.score for one in templates.read(turn).candidates}
    ahead = scores.get(first.intent, 0.0) - scores.get(second.intent, 0.0)
    if abs(ahead) < AHEAD:
        return None
    return first if ahead > 0 else second


def _with(meant: Match, said: Match) -> Match:
    new = {slot: value for slot, value in said.slots.items() if value != THE_SAME}
    return replace(meant, slots={**meant.slots, **new})
