"""One of an author's choices, each by any of its names: "a fitting", "bike fitting"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from pydantic import JsonValue
from rapidfuzz import fuzz, process, utils

from agent_worker.values.kind import Kind
from agent_worker.values.tokens import APOSTROPHE
from agent_worker.values.value import Found

MIN_SIMILARITY = 78.0
MARGIN = 10.0
"""How much less alike the next choice must be; else it is asked which is meant."""


@dataclass(frozen=True)
class OneOf(Kind[str]):
    """
    One of some choices.

    Args:
        choices: Each choice with the phrases that mean it beside itself.
        fuzzy: Whether an answer may also be nearly one of them, as a recognizer hears it.
    """

    choices: Mapping[str, Sequence[str]]
    fuzzy: bool = False
    name: str = "one_of"
    type: ClassVar[type] = str

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("choices: there is none")
        meant: dict[str, str] = {}
        for choice, phrases in self.choices.items():
            for phrase in (choice.replace("_", " "), *phrases):
                key = _plain(phrase)
                if not key:
                    raise ValueError(f"choices: {choice!r} has an empty phrase")
                if meant.setdefault(key, choice) != choice:
                    raise ValueError(
                        f"choices: {phrase!r} means both {meant[key]!r} and {choice!r}"
                    )
        object.__setattr__(
            self, "choices", {one: tuple(said) for one, said in self.choices.items()}
        )
        object.__setattr__(self, "_meant", meant)

    _meant: ClassVar[Mapping[str, str]]

    def __hash__(self) -> int:
        return hash((tuple(self.choices.items()), self.fuzzy, self.name))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        phrases = sorted(self._meant, key=len, reverse=True)
        every = "|".join(r"[\s-]+".join(map(_word, phrase.split())) for phrase in phrases)
        return re.compile(rf"(?<!\w)(?P<said>{every})(?P<plural>{APOSTROPHE}?e?s)?(?!\w)", re.I)

    def readings(self, text: str, now: datetime) -> list[Found]:
        return [
            Found(*one.span(), self._meant[_plain(one["said"])])
            for one in self._pattern.finditer(text)
        ]

    def answer(self, text: str, now: datetime) -> Found | None:
        found = super().answer(text, now)
        if found is not None or not self.fuzzy:
            return found
        alike = process.extract(
            text,
            list(self._meant),
            scorer=fuzz.ratio if len(text.split()) <= 2 else fuzz.partial_ratio,
            processor=utils.default_process,
            score_cutoff=MIN_SIMILARITY,
            limit=None,
        )
        if not alike:
            return None
        best = self._meant[alike[0][0]]
        for phrase, score, _ in alike[1:]:
            other = self._meant[phrase]
            if other != best and alike[0][1] - score < MARGIN:
                return Found(0, len(text), best, self.which(best, other, now))
        return Found(0, len(text), best)

    def correct(self, value: str, text: str, now: datetime) -> str | None:
        found = self.answer(text, now)
        return None if found is None or found.question or found.value == value else found.value

    def say(self, value: str, now: datetime) -> str:
        return value.replace("_", " ")

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or written not in self.choices:
            raise ValueError("none of the choices")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.choices)}


def _plain(phrase: str) -> str:
    return " ".join(re.findall(r"\w+", phrase.lower().replace("'", "").replace("\u2019", "")))


def _word(word: str) -> str:
    """With or without its apostrophes: "driver's" is "drivers"."""
    return f"{APOSTROPHE}?".join(map(re.escape, word))
