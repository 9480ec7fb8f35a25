"""
A second opinion on what sentences mean: by a sentence encoder, beside the classifier of examples.

It never refuses and never acts alone. It decides between what the classifier leaves open, and it
makes a question of what the two disagree on.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agent_worker.reasoning.classifier import ANY
from agent_worker.reasoning.reading import Candidate, Reading

ALIKE = 0.55
"""The least similarity to an example for an opinion to count."""
AHEAD = 0.06
"""How far the best intent must be ahead of the next one,"""
DOUBTS = 0.1
"""
and how far of the one that the classifier holds to be clear, to doubt it. Source: all three by
examples of the agent that comes with Parley, a part of them held out at a time, with
all-MiniLM-L6-v2 (`python -m bench encoder`).
"""
HEARD = 0.1
"""The least score of an intent that an opinion may choose: it must have words of its examples."""
SETTLED_MAX = 512
"""Sentences whose opinions are kept; a conversation's last 50 turns count."""
_MASK = re.compile(r"\{([a-z_]+)\}")

Vectors = NDArray[np.float32]
"""Shape (sentences, dimensions), each of length 1."""


@dataclass(frozen=True)
class Opinion:
    """How much a sentence is like the examples of each intent."""

    similarity: Mapping[str, float]
    """By label, the cosine to its nearest example; at least one label."""

    @classmethod
    def of(cls, vector: NDArray[np.float32], labels: Sequence[str], examples: Vectors) -> "Opinion":
        """Args: labels: of the *examples*, in their order."""
        nearest: dict[str, float] = {}
        for label, similarity in zip(labels, (examples @ vector).tolist(), strict=True):
            nearest[label] = max(similarity, nearest.get(label, -1.0))
        return cls(nearest)

    @property
    def best(self) -> str:
        """The label of the most similar example."""
        return max(self.similarity, key=self.similarity.__getitem__)

    def is_ahead(self, by: float, of: str | None = None) -> bool:
        """Whether the best label is alike enough, and so far ahead of *of*, or of all others."""
        best = self.best
        others = [self.similarity.get(of, -1.0)] if of is not None else self._others(best)
        alike = self.similarity[best]
        return alike >= ALIKE and all(alike - other >= by for other in others)

    def _others(self, best: str) -> Iterator[float]:
        return (value for label, value in self.similarity.items() if label != best)


class Opinions:
    """
    The opinions on the sentences of one call.

    What was settled stays: the state of a dialog follows from all turns, whenever it is asked for.
    """

    def __init__(self) -> None:
        self._settled: OrderedDict[str, Opinion | None] = OrderedDict()

    def __contains__(self, text: str) -> bool:
        return text in self._settled

    def settle(self, text: str, opinion: Opinion | None) -> None:
        """Keep *opinion* on *text*; None: there is none, and will be none."""
        self._settled.setdefault(text, opinion)
        if len(self._settled) > SETTLED_MAX:
            self._settled.popitem(last=False)

    def heed(self, reading: Reading, text: str, *, can_ask: bool) -> Reading:
        """
        *reading*, as the opinion on its *text* changes it.

        Args: can_ask: Whether the agent could ask which of two intents is meant.
        """
        opinion = self._settled.get(text)
        if opinion is None or not may_change(reading):
            return reading
        first, *rest = reading.candidates
        if reading.verdict == "clear":
            meant = _find(rest, opinion.best)
            if meant and can_ask and opinion.is_ahead(DOUBTS, of=first.match.intent):
                return _first(reading, [first, meant], "near", "the encoder prefers the second")
        elif opinion.is_ahead(AHEAD) and (meant := _find([first, *rest[:1]], opinion.best)):
            return _first(reading, [meant], "clear", "the encoder prefers it")
        return reading


def in_words(masked: str) -> str:
    """*masked* as an encoder reads it: "number" for "{number}", "something" for any words."""
    return _MASK.sub(lambda found: found[1].replace("_", " "), masked.replace(ANY, "something"))


def may_change(reading: Reading) -> bool:
    """Whether an opinion could change *reading*: a rule that refuses decides alone."""
    candidates = reading.candidates
    refused = any(one.refused for one in candidates[:2]) or any(one.negated for one in candidates)
    return bool(candidates) and not refused


def _find(candidates: Sequence[Candidate], label: str) -> Candidate | None:
    meant = next((one for one in candidates if one.match.intent == label), None)
    return meant if meant and meant.score >= HEARD and not meant.refused else None


def _first(
    reading: Reading, chosen: Sequence[Candidate], verdict: Literal["clear", "near"], why: str
) -> Reading:
    rest = [one for one in reading.candidates if one not in chosen]
    return replace(reading, verdict=verdict, candidates=(*chosen, *rest), why=why)
