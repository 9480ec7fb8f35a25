"""Numbers with letters that name something: "B 7 2", "B as in boat, seventy-two"."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.corrections import correct_character, without_lead
from agent_worker.values.kind import Kind
from agent_worker.values.letters import spell, spelled_runs
from agent_worker.values.value import Found


@dataclass(frozen=True)
class IdentifierKind(Kind[str]):
    """
    An id of letters and digits.

    Args: pattern: A regular expression of the whole id, with capitals: `[A-Z]{2}\\d{4}`. length:
        How many characters it has, if always as many: then a caller who has said fewer may go on.
    """

    pattern: str = r"(?=.*\d)[A-Z0-9]{2,20}"
    length: int | None = None
    name: str = "identifier"
    type: ClassVar[type] = str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    @cached_property
    def _typed(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w@.-])(?:{self.pattern})(?![\w@-])", re.I)

    def readings(self, text: str, now: datetime) -> list[Found]:
        found = [
            Found(*one.span(), one[0].upper())
            for one in self._typed.finditer(text)
            if any(map(str.isdigit, one[0]))
        ]
        for run in spelled_runs(text, digits=True):
            said = run.text.upper()
            apart = all(run.end <= one.start or run.start >= one.end for one in found)
            if apart and self._pattern.fullmatch(said):
                found.append(Found(run.start, run.end, said))
        return sorted(found, key=lambda one: one.start)

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := super().answer(text, now):
            return found
        runs = spelled_runs(text, digits=True)
        if self.length is None or len(runs) != 1 or len(runs[0].text) >= self.length:
            return None
        part = runs[0].text.upper()
        return Found(runs[0].start, runs[0].end, part, f"{spell(part)}, and then?")

    def go_on(self, value: str, text: str, now: datetime) -> str | None:
        if not self.may_go_on(value):
            return None
        more = "".join(_characters(text)).upper()
        assert self.length is not None
        return value + more if more and len(value + more) <= self.length else None

    def correct(self, value: str, text: str, now: datetime) -> str | None:
        corrected = correct_character(value, text)
        if corrected is None:
            found = super().answer(without_lead(text), now)
            corrected = None if found is None or found.question else found.value
        return corrected.upper() if corrected and corrected.upper() != value else None

    def may_go_on(self, value: str) -> bool:
        return self.length is not None and len(value) < self.length

    def say(self, value: str, now: datetime) -> str:
        return spell(value)

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or not self._pattern.fullmatch(written):
            raise ValueError("not such an id")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$"}


def _characters(text: str) -> list[str]:
    runs = spelled_runs(f"x x {text}", digits=True)
    return [run.text[2:] for run in runs if run.start == 0]


Identifier = Annotated[str, IdentifierKind()]
"""An id of letters and digits, at least one of them a digit."""
