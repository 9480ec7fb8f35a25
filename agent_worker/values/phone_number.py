"""Telephone numbers: "five five five, one two three, double four", in one breath or several."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult
from pydantic import JsonValue

from agent_worker.values.corrections import correct_character, instead_of, without_lead
from agent_worker.values.digits import Group, read_group, read_runs
from agent_worker.values.kind import Kind
from agent_worker.values.tokens import Token, before, tokens_of
from agent_worker.values.value import Found

FIND_MIN_DIGITS = 7
"""In a sentence, fewer digits are another number."""
MAX_DIGITS = 15

_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b")
_PLUS = re.compile(r"(?:\bplus|\bdouble\s+(?:oh|zero)|\+)\s*$", re.I)
_THEN = re.compile(r"[\s,.]*(?:(?:and|then|uh|um|er|and\s+then)[\s,.]*)+", re.I)
_SLIP_ALONE = re.compile(
    r"[\s,.]*(?:(?:no|sorry|uh|um|i\s+mean|that['\u2019]?s|it['\u2019]?s|rather|wait)[\s,.]*)+",
    re.I,
)
_TAIL = re.compile(
    r"\b(?:(?:the\s+)?last\s+(?:\w+\s+)?(?:digits?|numbers?|ones?)?\s*(?:is|are|should\s+be)"
    r"|it\s+ends|ends?)\s+(?:in|with|on)?\s*",
    re.I,
)
_HEAD = re.compile(
    r"\b(?:(?:the\s+)?(?:first\s+(?:two|three|four|five)\s*(?:digits?|numbers?)?|area\s+code"
    r"|prefix)\s*(?:is|are|should\s+be)|it\s+(?:starts|begins)|(?:starts|begins))\s+"
    r"(?:in|with)?\s*",
    re.I,
)


@dataclass(frozen=True)
class PhoneNumberKind(Kind[str]):
    """
    A telephone number: its digits as they are dialled in *region*, with the leading zero; one of
    another country with "+" and the country's code.

    Args: region: Two letters of ISO 3166, such as `US`.
    """

    region: str = "US"
    name: str = "phone_number"
    type: ClassVar[type] = str

    def __post_init__(self) -> None:
        if self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"region: {self.region!r} is no country's code")

    def readings(self, text: str, now: datetime) -> list[Found]:
        found = []
        for start, end, said in self._said(text):
            value = self._canonical(said)
            if value is not None:
                found.append(Found(start, end, value))
            elif len(said) >= FIND_MIN_DIGITS:
                found.append(Found(start, end, said, self._question(said)))
        return sorted(found, key=lambda one: bool(one.question))

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := self.decide(self.find(text, now), now):
            return found
        said = self._said(text)
        if len(said) != 1 or (len(said[0][2]) == 1 and not _only_digits(text)):
            return None
        start, end, digits = said[0]
        return Found(start, end, digits, self._question(digits))

    def go_on(self, value: str, text: str, now: datetime) -> str | None:
        more = _only_digits(text)
        if not more:
            return None
        if whole := self._canonical(value + more):
            return whole
        # Too long together: it was said again from the beginning.
        if again := self._canonical(more):
            return again
        return value + more if self._is_part(value + more) else None

    def correct(self, value: str, text: str, now: datetime) -> str | None:
        rest = without_lead(text)
        changed = self._corrected(value, rest)
        if changed is None:
            found = self.answer(rest, now)
            changed = None if found is None or found.question else found.value
        if changed is None or changed == value:
            return None
        return self._canonical(changed) or (changed if self._is_part(changed) else None)

    def may_go_on(self, value: str) -> bool:
        return self._is_part(value) or self._canonical(value + "0") is not None

    def say(self, value: str, now: datetime) -> str:
        number = self._parsed(value)
        is_own = not value.startswith("+")
        form = PhoneNumberFormat.NATIONAL if is_own else PhoneNumberFormat.INTERNATIONAL
        written = value if number is None else phonenumbers.format_number(number, form)
        if re.sub(r"[^\d+]", "", written) != value:
            written = value
        groups = re.findall(r"\d+", written)
        said = ", ".join(" ".join(group) for group in groups)
        return said if is_own else f"plus {said}"

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or self._canonical(written) != written:
            raise ValueError("not a telephone number")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "string",
            "description": f"A telephone number: only digits, as dialled in {self.region}; of "
            'another country as "+442079460958".',
        }

    # -- what is a number

    def _parsed(self, said: str) -> phonenumbers.PhoneNumber | None:
        try:
            return phonenumbers.parse(said, self.region)
        except NumberParseException:
            return None

    def _canonical(self, said: str) -> str | None:
        """A whole number in its one form; None: it is none."""
        number = self._parsed(said) if re.fullmatch(r"\+?\d{3,15}", said) else None
        if number is None:
            return None
        # Only whether its length is right: an unassigned area code must not end a call.
        if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
            return None
        if number.country_code != phonenumbers.country_code_for_region(self.region):
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
        national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        return re.sub(r"\D", "", national)

    def _is_part(self, said: str) -> bool:
        """Whether it can become a number when digits follow."""
        if self._canonical(said) or len(said) > MAX_DIGITS:
            return False
        number = self._parsed(said)
        if number is None:
            return len(said) < 6
        return phonenumbers.is_possible_number_with_reason(number) in (
            ValidationResult.TOO_SHORT,
            ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
            ValidationResult.INVALID_LENGTH,
        )

    def _question(self, said: str) -> str:
        digits = " ".join(said.replace("+", ""))
        if self._is_part(said):
            return f"{digits}, and then?"
        return f"I have {digits}, which is no whole number. Could you say all its digits again?"

    # -- what was said

    def _said(self, text: str) -> list[tuple[int, int, str]]:
        """The runs of digits of *text*, each as one number if it can be one."""
        # Of "555.123.4567" no part is a decimal.
        text = re.sub(r"(?<=\d\d)\.(?=\d\d\d)", "-", text)
        text = _DATE.sub(lambda date: "_" * len(date[0]), text)
        tokens = tokens_of(text)
        said = []
        for run in read_runs(tokens, text):
            if _exclaims(run, tokens):
                run = run[1:]
            sign = "+" if _PLUS.search(before(text, tokens[run[0].first].start)) else ""
            for part in self._as_one(run, sign):
                start, end = tokens[part[0].first].start, tokens[part[-1].end - 1].end
                digits = "".join(group.digits for group in part)
                if plus := _PLUS.search(before(text, start)):
                    start, digits = start - len(plus[0]), f"+{digits}"
                elif text[start - 1 : start] == "(":
                    start -= 1
                said.append((start, end, digits))
        return self._put_together(text, said)

    def _put_together(
        self, text: str, said: list[tuple[int, int, str]]
    ) -> list[tuple[int, int, str]]:
        """With "then" between two parts of one number, and "sorry" before its end once more."""
        together = said[:1]
        for start, end, digits in said[1:]:
            first, last, before = together[-1]
            gap = text[last:start]
            mended = before[: -len(digits)] + digits
            if _SLIP_ALONE.fullmatch(gap) and self._canonical(before) and self._canonical(mended):
                together[-1] = (first, end, mended)
            elif _THEN.fullmatch(gap) and (
                self._canonical(before + digits) or self._is_part(before + digits)
            ):
                together[-1] = (first, end, before + digits)
            else:
                together.append((start, end, digits))
        return together

    def _as_one(self, run: Sequence[Group], plus: str) -> list[Sequence[Group]]:
        """*run*, or the parts of it between pauses of which one is a whole number."""
        digits = [group.digits for group in run]
        starts = [0, *(at for at, group in enumerate(run) if group.pause and at), len(run)]
        if self._canonical(plus + "".join(digits)) or len(starts) == 2 or _lists_digits(run):
            return [run]
        whole = [
            (one, other)
            for one in starts
            for other in starts
            if one < other
            and self._canonical("".join(digits[one:other]))
            # Zeros before it belong to it: from elsewhere, it is another number without them.
            and set("".join(digits[:one])) != {"0"}
        ]
        if len(whole) != 1:
            return [run]
        one, other = whole[0]
        return [part for part in (run[:one], run[one:other], run[other:]) if part]

    def _corrected(self, value: str, rest: str) -> str | None:
        if tail := _TAIL.search(rest):
            digits = _only_digits(rest[tail.end() :])
            return value[: -len(digits)] + digits if digits and len(digits) < len(value) else None
        if head := _HEAD.search(rest):
            digits = _only_digits(rest[head.end() :])
            return digits + value[len(digits) :] if digits and len(digits) < len(value) else None
        if instead := instead_of(rest):
            new, old = map(_only_digits, instead)
            if new and old:
                return value.replace(old, new) if value.count(old) == 1 else None
        return correct_character(value, rest)


def _exclaims(run: Sequence[Group], tokens: Sequence[Token]) -> bool:
    """Whether *run* begins with an "oh" that is no digit: "Oh, four one five ..."."""
    is_oh = len(run) > 1 and tokens[run[0].first].text == "oh" and run[1].pause
    return is_oh and not _lists_digits(run)


def _lists_digits(run: Sequence[Group]) -> bool:
    """Whether a pause is no end of anything, as in "oh, two, oh, seven"."""
    pairs = pairwise(run)
    return any(len(one.digits) == 1 and one.pause and after.pause for one, after in pairs)


_FILLERS = re.compile(
    r"\b(?:and|then|uh|um|er|erm|so|it['\u2019]?s|is|the|rest|that['\u2019]?s|please|yes|yeah|okay"
    r"|after\s+that|number|my|area\s+code|with)\b|[^\w\s]",
    re.I,
)


def _only_digits(text: str) -> str:
    """The digits that *text* consists of; empty: it says something else as well."""
    tokens = tokens_of(_FILLERS.sub(" ", text))
    digits, at = "", 0
    while at < len(tokens):
        group = read_group(tokens, at)
        if group is None:
            return ""
        digits, at = digits + group.digits, group.end
    return digits


PhoneNumber = Annotated[str, PhoneNumberKind()]
"""A telephone number of the United States, or with "+" of another country."""
