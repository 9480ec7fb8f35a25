"""What a sentence may mean, and whether that is clear enough to act on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent_worker.reasoning.match import Match
from agent_worker.reasoning.mentions import Mention

NEAR = 0.28
"""A score from which a candidate may be meant."""
APART = 0.62
"""The best candidate is clear if the next one scores no more than this part of its score,"""
AHEAD = 0.12
STRONG = 0.40
AT_MOST = 0.75
"""or if it scores as much as this, is so far ahead, and the next one has no more than this part."""
NOTHING_APART = 0.85
"""How much of its score sentences that mean nothing may have."""
SAYS_NO = "it says no to"


@dataclass(frozen=True)
class Candidate:
    """An intent that a sentence may mean."""

    match: Match
    score: float
    why: tuple[str, ...] = ()
    """What lowered the score."""
    refused: str = ""
    """By which rule it is not meant, however high its score."""
    nothing: float = 0.0
    """The score of sentences that mean nothing."""

    @property
    def negated(self) -> bool:
        """Whether the caller says not to do it."""
        return self.refused.startswith(SAYS_NO)


@dataclass(frozen=True)
class Reading:
    """What a sentence may mean."""

    verdict: Literal["clear", "near", "unclear"]
    candidates: tuple[Candidate, ...]
    """The best first."""
    why: str
    found: tuple[Mention, ...] = ()

    @property
    def matches(self) -> tuple[Match, ...]:
        """What to act on, or which two to ask about; none when it is unclear."""
        count = {"clear": 1, "near": 2, "unclear": 0}[self.verdict]
        return tuple(one.match for one in self.candidates[:count])

    def is_other(self, intent: str) -> bool:
        """Whether it is like what means nothing, and has values that no slot takes."""
        meant = [one for one in self.candidates if one.match.intent == intent and one.why]
        return any(one.nothing >= max(STRONG, one.score) for one in meant)


def decide(candidates: Sequence[Candidate]) -> Reading:
    """How clear it is which of *candidates*, the best first, is meant."""
    best, *rest = candidates
    nothing = best.nothing
    shown = tuple(candidates[:5])
    if best.score < NEAR:
        return Reading("unclear", shown, f"nothing scores {NEAR}")
    if nothing >= best.score:
        return Reading("unclear", shown, f"it is more like nothing ({nothing:.2f})")
    if best.refused:
        return Reading("unclear", shown, f"{best.match.intent}: {best.refused}")
    second = rest[0] if rest else None
    if nothing > NOTHING_APART * best.score:
        return Reading("unclear", shown, f"it may be nothing ({nothing:.2f})")
    said_no_to = next((one for one in rest if one.score >= STRONG and one.negated), None)
    if said_no_to is not None:
        return Reading("unclear", shown, f"{said_no_to.match.intent}: {said_no_to.refused}")
    next_score = second.score if second else 0.0
    ahead = best.score - next_score >= AHEAD and next_score <= AT_MOST * best.score
    strong = best.score >= STRONG and ahead
    if strong or next_score <= APART * best.score:
        return Reading("clear", shown, "it is far ahead")
    if second is not None and second.score >= NEAR and not second.refused:
        return Reading("near", shown, "two are near")
    return Reading("unclear", shown, "it is not far enough ahead")
