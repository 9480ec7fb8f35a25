"""What the kinds of value have in common: alternatives, slips of the tongue, pydantic."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from agent_worker.values.tokens import before
from agent_worker.values.value import Found

V = TypeVar("V")
QUESTION = "value_question"
"""The type of the validation error whose message is a question to the caller."""

_SLIP = re.compile(
    r"\b(?:no|nope|sorry|i\s+mean|i\s+meant|or\s+rather|make\s+(?:that|it)|scratch\s+that"
    r"|correction|actually|wait)\b",
    re.I,
)
_SLIP_MAX_CHARS = 40
_LITTLE = r"(?:on\s+|at\s+|the\s+|for\s+)*"
_NOT = (
    r"(?:(?<!why\s)(?<!if\s)\bnot|\binstead\s+of|\b(?:rather|other)\s+than"
    r"|\bexcept(?:\s+for)?|\bapart\s+from|\b(?:any(?:\s?\w+)?|every\s?\w+|all(?:\s+(?:of\s+)?(?:my|the|your|our)(?:\s+\w+){1,2})?)"
    r"\s+but)\s+"
)
_FROM = re.compile(rf"\bfrom\s+{_LITTLE}$", re.I)
_TO = re.compile(rf"^\W*to\s+{_LITTLE}$", re.I)


class Kind(Generic[V]):
    """
    The base of the kinds of value. A frozen dataclass with its settings; an annotation of
    pydantic.
    """

    name: str
    type: ClassVar[type]
    """Of its values."""
    after: tuple[str, ...] = ()
    """Nouns that such a value follows."""

    # -- what each kind has of its own

    def readings(self, text: str, now: datetime) -> list[Found]:
        """Every reading of a part of *text*, the likelier first."""
        raise NotImplementedError

    def say(self, value: V, now: datetime) -> str:
        raise NotImplementedError

    def to_json(self, value: V) -> JsonValue:
        raise NotImplementedError

    def from_json(self, written: JsonValue) -> V:
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the canonical form, for models."""
        raise NotImplementedError

    # -- what most have in common

    def find(self, text: str, now: datetime) -> Sequence[Found]:
        return self.as_meant(text, self.readings(text, now))

    def answer(self, text: str, now: datetime) -> Found | None:
        return self.decide(self.find(text, now), now)

    def go_on(self, value: V, text: str, now: datetime) -> V | None:
        return None

    def correct(self, value: V, text: str, now: datetime) -> V | None:
        return None

    def may_go_on(self, value: V) -> bool:
        return False

    def decide(self, found: Sequence[Found], now: datetime) -> Found | None:
        """The one reading of an answer; where there are several, a question which is meant."""
        if not found:
            return None
        first = found[0]
        for other in found[1:]:
            if not other.overlaps(first) and other.value != first.value:
                start, end = min(first.start, other.start), max(first.end, other.end)
                return Found(start, end, first.value, self.which(first.value, other.value, now))
        return first

    def which(self, one: V, other: V, now: datetime) -> str:
        """The question which of two values is meant."""
        return f"Do you mean {self.say(one, now)}, or {self.say(other, now)}?"

    def as_meant(self, text: str, found: Sequence[Found]) -> list[Found]:
        """
        *found* without what *text* takes back: of "Friday, sorry, Saturday" and of "Saturday, not
        Friday" Saturday is left. Of "from Friday to Monday" Monday comes first.
        """
        dropped = {index for index, one in enumerate(found) if self.is_refused(text, one)}
        later: set[int] = set()
        sequence = sorted(
            range(len(found)), key=lambda index: (found[index].start, found[index].end)
        )
        for one, other in pairwise(sequence):
            gap = text[found[one].end : max(found[one].end, found[other].start)]
            if dropped & {one, other}:
                continue
            if len(gap) <= _SLIP_MAX_CHARS and _SLIP.search(gap):
                dropped.add(one)
            elif _FROM.search(before(text, found[one].start)) and _TO.match(gap):
                later.add(one)
        kept = [index for index in range(len(found)) if index not in dropped]
        return [found[index] for index in sorted(kept, key=lambda index: index in later)]

    def is_refused(self, text: str, one: Found) -> bool:
        """Whether *text* says that *one* is not meant: "not Friday", "any day but Friday"."""
        return self.is_taken_back(text, one.start)

    def is_taken_back(self, text: str, start: int) -> bool:
        """Whether *text* says "not" before what begins at *start*."""
        return _not_before(self.after).search(before(text, start)) is not None

    # -- pydantic

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if isinstance(source, type) and source is not self.type:
            raise TypeError(f"{type(self).__name__} is for a {self.type.__name__}")
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(self.to_json),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return self.json_schema()

    def _validate(self, given: Any, info: ValidationInfo) -> V:
        if info.mode == "python" and isinstance(given, self.type) and not isinstance(given, bool):
            given = self.to_json(cast(V, given))
        try:
            return self.from_json(given)
        except ValueError:
            now = (info.context or {}).get("now")
            if now is None or not isinstance(given, str):
                raise
        found = self.answer(given, now)
        if found is None:
            raise ValueError("no such value is meant")
        if found.question:
            raise PydanticCustomError(QUESTION, "{question}", {"question": found.question})
        value: V = found.value
        return value


@cache
def _not_before(nouns: tuple[str, ...]) -> re.Pattern[str]:
    """Matches before a value that is not meant: "not on", "except room number"."""
    named = "|".join(map(re.escape, (*nouns, "number")))
    return re.compile(rf"{_NOT}{_LITTLE}(?:(?:{named})s?\s+)*$", re.I)
