"""Whole numbers that name something: "number seven", "#7", "one oh four", "double four"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import JsonValue

from agent_worker.values.calendar_words import MONTH
from agent_worker.values.digits import Group, read_runs
from agent_worker.values.kind import Kind
from agent_worker.values.tokens import Token, before, tokens_of
from agent_worker.values.value import Found

MAX_DIGITS = 18

_NOT_AFTER = re.compile(
    r"\s*(?:(?:st|nd|rd|th|am|pm|a\.m|p\.m|o['\u2019]?clock|percent|per\s+cent|dollars?|bucks?|cents?"
    r"|euros?|pounds?|quid|pence|seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|months?|years?"
    rf"|times?|point|half|past|quarter|people|persons?|{MONTH})\b|[%$\u20ac\u00a3])"
    r"|\s*(?:in\s+the\s+(?:morning|afternoon|evening)|at\s+night)\b",
    re.I,
)
_NOT_BEFORE = re.compile(
    r"(?:[$\u20ac\u00a3]|\b(?:at|half|past|quarter\s+(?:to|of)|the\s+first|last|next|in|thanks"
    r"|point|minus|negative"
    r"|(?:dollars?|bucks?|euros?|pounds?|quid)(?:\s+and)?"
    rf"|{MONTH}))\s*$|[\w@.:/]$",
    re.I,
)
_PRONOUN_AFTER = re.compile(r"\s*(?!(?:please|thanks?|and|or|sorry|no|not)\b)[^\W\d]", re.I)
_COUNTED = re.compile(
    r"\s+(?!(?:this|was|has|does|thanks|pls|guys|yes|always|its|needs|is|arrives|comes|ships|gets|leaves|"
    r"turns|shows|lands|goes|looks|takes|stays|sits|stands|says|reaches|seems|starts|runs)\b)[^\W\d]{2,}s\b",
    re.I,
)
"""What is counted rather than named: the "adults" of "two adults"."""
_ONE_AFTER = re.compile(
    r"(?:^|[,.;:!?\u2026-]|\b(?:it['\u2019]?s|is|was|um|uh|er|just|mean|meant|think|say|said|maybe"
    r"|probably|yes|no|actually|and|or))\s*$",
    re.I,
)
"""Behind other words "one" is a pronoun: "the blue one"."""


@dataclass(frozen=True)
class NumberKind(Kind[int]):
    """
    A whole number that names something, such as "room 104".

    Args:
        after: The nouns that such a number follows: `("room", "table")`. Where one stands before
            a number, that number is meant rather than others, and "room for" can be "room four".
    """

    minimum: int = 1
    maximum: int = 999_999_999
    after: tuple[str, ...] = ()
    name: str = "number"
    type: ClassVar[type] = int

    @cached_property
    def _before(self) -> re.Pattern[str]:
        """Matches before every number; its groups say what stands there."""
        nouns = "|".join(re.escape(noun) for noun in self.after) or "(?!)"
        link = r"(?:\s*\b(?:is|was|with|the|it['\u2019]?s)\b)?"
        return re.compile(
            rf"(?:\b(?P<noun>{nouns})(?P<several>s)?\b)?{link}[\s,:]*"
            rf"(?P<number>\b(?:number|no\.?|nr\.?)(?P<numbers>s)?(?=\W))?{link}[\s,:]*(?P<hash>\#)?\s*$",
            re.I,
        )

    @cached_property
    def _counted(self) -> re.Pattern[str]:
        """Matches what is counted: the "rooms" of "two rooms"."""
        nouns = "|".join(re.escape(noun) for noun in self.after) or "(?!)"
        return re.compile(rf"\s*(?:{nouns})s\b", re.I)

    def readings(self, text: str, now: datetime) -> list[Found]:
        named, bare = self._readings(text)
        return [*named, *bare]

    def answer(self, text: str, now: datetime) -> Found | None:
        named, bare = self._readings(text)
        if found := self.decide(self.as_meant(text, named or bare), now):
            return found
        tokens = tokens_of(text)
        runs = read_runs(tokens, text)
        digits = _digits(runs[0]) if len(runs) == 1 else ""
        if not digits or len(digits) > MAX_DIGITS or not self.may_go_on(int(digits)):
            return None
        start, end = tokens[runs[0][0].first].start, tokens[runs[0][-1].end - 1].end
        return Found(start, end, int(digits), f"{int(digits)}, and then?")

    def go_on(self, value: int, text: str, now: datetime) -> int | None:
        if not self.may_go_on(value):
            return None
        runs = read_runs(tokens_of(text), text)
        if len(runs) != 1:
            return None
        whole = int(f"{value}{''.join(group.digits for group in runs[0])}")
        return whole if whole <= self.maximum else None

    def correct(self, value: int, text: str, now: datetime) -> int | None:
        if not _CORRECTS.match(text):
            return None
        found = self.answer(text, now)
        return None if found is None or found.question or found.value == value else found.value

    def may_go_on(self, value: int) -> bool:
        return 0 < value < self.minimum

    def say(self, value: int, now: datetime) -> str:
        return str(value)

    def to_json(self, value: int) -> int:
        return value

    def from_json(self, written: JsonValue) -> int:
        if not isinstance(written, int) or isinstance(written, bool):
            raise ValueError("not a whole number")
        if not self.minimum <= written <= self.maximum:
            raise ValueError("out of range")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def _readings(self, text: str) -> tuple[list[Found], list[Found]]:
        """Those after a noun, and the others."""
        named: list[Found] = []
        bare: list[Found] = []
        tokens = tokens_of(text)
        for run in read_runs(tokens, text, frozenset((*self.after, "number"))):
            noun = self._before.search(before(text, tokens[run[0].first].start))
            assert noun is not None
            has_noun = bool(noun["noun"] or noun["number"] or noun["hash"])
            several = bool(noun["several"] or noun["numbers"])
            if not has_noun and named and _continues(text, named[-1].end, tokens[run[0].first]):
                has_noun = several = True
            for found in self._of_run(text, tokens, run, has_noun, several):
                (named if has_noun else bare).append(found)
        return named, bare

    def _of_run(
        self,
        text: str,
        tokens: Sequence[Token],
        run: Sequence[Group],
        has_noun: bool,
        several: bool,
    ) -> Iterator[Found]:
        parts = _trimmed(text, tokens, _by_pauses(run), has_noun)
        if parts and not has_noun:
            end = tokens[parts[-1][-1].end - 1].end
            if _COUNTED.match(text, end) or self._counted.match(text, end):
                parts = parts[:-1]
        if not parts:
            return
        if len(parts) == 2 and not several and _begins_again(tokens, *parts):
            parts = parts[1:]
        one_number = not several and len(parts) > 1 and _one_number(parts)
        if one_number:
            parts = [[group for part in parts for group in part]]
        for index, part in enumerate(parts):
            digits = "".join(group.digits for group in part)
            start, end = tokens[part[0].first].start, tokens[part[-1].end - 1].end
            if len(digits) > MAX_DIGITS:
                continue
            value = int(digits)
            twice = len(parts) == 2 and not several and digits == _digits(parts[1 - index])
            if twice and index == 0:
                double = int(digits * 2)
                end = tokens[parts[1][-1].end - 1].end
                if self._fits(value) and self._fits(double):
                    yield Found(start, end, value, f"Do you mean {value}, or {double}?")
                elif self._fits(value) or self._fits(double):
                    yield Found(start, end, value if self._fits(value) else double)
            elif not twice and self._fits(value):
                yield Found(start, end, value)

    def _fits(self, value: int) -> bool:
        return self.minimum <= value <= self.maximum


_CORRECTS = re.compile(r"\W*(?:no|sorry|actually|i\s+mean|i\s+meant|it['\u2019]?s|not)\b", re.I)
_AND = re.compile(r"[\s,]*(?:(?:and|or|then|plus|also)\s+)*(?:number\s+|\#)?$", re.I)


def _continues(text: str, end: int, token: Token) -> bool:
    """Whether a number continues a list: the nine of "rooms seven and nine"."""
    return _AND.match(text, end, token.start) is not None


def _digits(part: Sequence[Group]) -> str:
    return "".join(group.digits for group in part)


def _by_pauses(run: Sequence[Group]) -> list[list[Group]]:
    parts: list[list[Group]] = []
    for group in run:
        if group.pause or not parts:
            parts.append([])
        parts[-1].append(group)
    return parts


def _one_number(parts: Sequence[Sequence[Group]]) -> bool:
    """Whether what pauses divide is one number: "one, oh, four", "one oh, four", "one, 04"."""
    singles = all(len(group.digits) == 1 for part in parts for group in part)
    zeros = any(part[0].digits[0] == "0" for part in parts[1:]) or parts[0][-1].oh
    alike = len({_digits(part) for part in parts}) == 1
    return zeros or (singles and len(parts) >= 3 and not alike)


def _begins_again(tokens: Sequence[Token], one: Sequence[Group], other: Sequence[Group]) -> bool:
    """Whether a number was broken off and said again: "eighty, eighty-eight"."""
    first = [token.text for token in tokens[one[0].first : one[-1].end]]
    again = [token.text for token in tokens[other[0].first : other[-1].end]]
    return len(again) > len(first) and again[: len(first)] == first


def _trimmed(
    text: str, tokens: Sequence[Token], parts: list[list[Group]], has_noun: bool
) -> list[list[Group]]:
    """*parts* without what is no such number: an "oh" before, "five dollars", "this one"."""
    kept: list[list[Group]] = []
    for index, part in enumerate(parts):
        named = has_noun and index == 0
        while part and part[0].oh and _is_exclamation(tokens, parts, index, named):
            part = part[1:]
        while part and (
            _NOT_AFTER.match(text, tokens[part[-1].end - 1].end)
            or _glued(text, tokens[part[-1].end - 1].end)
            or _is_pronoun(text, tokens, part, named)
        ):
            part = part[:-1]
        if part and (named or not _NOT_BEFORE.search(before(text, tokens[part[0].first].start))):
            kept.append(part)
    return kept


def _is_exclamation(
    tokens: Sequence[Token], parts: Sequence[Sequence[Group]], index: int, named: bool
) -> bool:
    """Whether an "oh" that begins a part is no zero: "oh, seven", "seven, oh"."""
    if tokens[parts[index][0].first].text == "zero":
        return False
    return (index == 0 and not named) or (index == len(parts) - 1 and len(parts[index]) == 1)


def _glued(text: str, end: int) -> bool:
    """Whether a letter or the rest of a decimal, a date or a time of day follows."""
    return re.match(r"[^\W\d]|[.:/,]\d|@", text[end : end + 2]) is not None


def _is_pronoun(text: str, tokens: Sequence[Token], part: Sequence[Group], named: bool) -> bool:
    last = part[-1]
    if tokens[last.end - 1].text != "one" or (len(part) > 1 and not part[-1].pause):
        return len(part) > 1 and tokens[last.end - 1].text == "one" and _more(text, tokens, last)
    if named and len(part) == 1:
        return False
    said_before = before(text, tokens[last.first].start)
    end = tokens[last.end - 1].end
    return bool(not _ONE_AFTER.search(said_before) or _PRONOUN_AFTER.match(text, end))


def _more(text: str, tokens: Sequence[Token], last: Group) -> bool:
    return re.match(r"\s*(?:more|moment|second|of)\b", text[tokens[last.end - 1].end :]) is not None


Number = Annotated[int, NumberKind()]
"""A whole number from 1 up."""
