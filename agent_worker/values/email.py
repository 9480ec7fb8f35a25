"""Mail addresses: typed, or spoken as "first dot last underscore ninety two at example dot com"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

from email_validator import EmailNotValidError, validate_email
from pydantic import JsonValue
from rapidfuzz.distance.Levenshtein import normalized_similarity as ratio

from agent_worker.values.corrections import correct_character, instead_of, without_lead
from agent_worker.values.digits import read_group
from agent_worker.values.kind import Kind
from agent_worker.values.letters import read_letter, spell
from agent_worker.values.tokens import Token, tokens_of
from agent_worker.values.value import Found

PROVIDERS = {
    **{"gmail": "gmail.com", "googlemail": "googlemail.com", "hotmail": "hotmail.com"},
    **{"outlook": "outlook.com", "yahoo": "yahoo.com", "icloud": "icloud.com", "aol": "aol.com"},
}
PLAIN_WORDS = frozenset(("example", "mail", "com", "org", "net", "info", *PROVIDERS))
"""What is said back as a word: nobody spells it otherwise."""

REPEATED_MIN_SIMILARITY = 0.7

_TYPED = re.compile(r"(?<![\w.+-])[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_NOISE = re.compile(
    r"[\s,]*\b(?:(?:(?:it['\u2019]?s|that['\u2019]?s|and)\s+)?(?:all|everything)\s+(?:in\s+)?"
    r"(?:lower\s?case|small(?:\s+letters)?|one\s+word|together)|in\s+lower\s?case|lower\s?case"
    r"(?!\s+\w\b)|(?:as\s+)?one\s+word|no\s+spaces?|without\s+spaces?)\b,?",
    re.I,
)
_SIGNS = {
    **{"dot": ".", "period": ".", "point": ".", ".": ".", "underscore": "_", "_": "_"},
    **{"dash": "-", "hyphen": "-", "minus": "-", "-": "-", "plus": "+", "+": "+"},
}
_AT = ("at", "@")
_STOP = frozenset(
    "is it's its that's thats to me my email mail address under be use using at on with the uh um "
    "er yes yeah sure okay ok so well no it would i'm i name and or you your can could send reach "
    "please this in have for contact write a an by sorry mean actually want try change look "
    "looking".split()
)
_NAMES = ("me", "mail", "contact", "name")
"""Words before an address that are also what one begins with."""


@dataclass(frozen=True)
class EmailKind(Kind[str]):
    """A mail address, in lower case. Whether it exists is not looked up."""

    name: str = "email"
    type: ClassVar[type] = str

    def readings(self, text: str, now: datetime) -> list[Found]:
        text = _NOISE.sub(lambda noise: " " * len(noise[0]), text)
        found = []
        for one in _TYPED.finditer(text):
            if address := _valid(one[0]):
                found.append(Found(*one.span(), address))
        tokens = tokens_of(text)
        for at, token in enumerate(tokens):
            if token.text not in _AT or any(one.start < token.end <= one.end for one in found):
                continue
            first = _local_start(tokens, at)
            local = _characters(tokens[first:at])
            domain, end = _domain(tokens, at + 1)
            if local and domain and (address := _valid(f"{local}@{domain}")):
                found.append(Found(tokens[first].start, tokens[end - 1].end, address))
        return sorted(found, key=lambda one: one.start)

    def answer(self, text: str, now: datetime) -> Found | None:
        if found := self.decide(self.find(text, now), now):
            return found
        tokens = tokens_of(_NOISE.sub(lambda noise: " " * len(noise[0]), text))
        last = len(tokens)
        while last and tokens[last - 1].text in (".", ",", "!", "?"):
            last -= 1
        first = _local_start(tokens, last - 1 if last and tokens[last - 1].text in _AT else last)
        said = _characters(tokens[first:last], whole=True)
        alone = all(one.text in _STOP or one.text == "," for one in tokens[:first])
        if not said or not alone or not _may_be_part(tokens[first:last]):
            return None
        asked = "and then?" if "@" in said[:-1] else "and after the at?"
        return Found(
            tokens[first].start, tokens[last - 1].end, said, f"{self.say(said, now)}, {asked}"
        )

    def go_on(self, value: str, text: str, now: datetime) -> str | None:
        text = re.sub(r"^\W*(?:and\s+then|then|and)\b\W*", "", text, flags=re.I)
        tokens = tokens_of(_NOISE.sub(" ", text).strip(" .,!?"))
        if tokens and tokens[0].text in _AT and "@" not in value:
            domain, end = _domain(tokens, 1)
            if domain and end == len(tokens):
                return _valid(f"{value}@{domain}")
        more = _characters(tokens, whole=True)
        if more is None or (value + more).count("@") > 1:
            return None
        return _valid(value + more) or value + more

    def correct(self, value: str, text: str, now: datetime) -> str | None:
        rest = without_lead(text).strip(" .!?")
        local, _, domain = value.partition("@")
        changed: str | None = None
        tokens = tokens_of(rest)
        if instead := instead_of(rest):
            new, old = (_characters(tokens_of(one), whole=True) for one in instead)
            if new and old and value.count(old) == 1:
                changed = value.replace(old, new)
        elif tokens and tokens[0].text in _AT:
            other, end = _domain(tokens, 1)
            changed = f"{local}@{other}" if other and end == len(tokens) else None
        elif len(tokens) == 2 and tokens[0].text in ("dot", ".") and "." in domain:
            changed = f"{local}@{domain.rpartition('.')[0]}.{tokens[1].text}"
        elif found := self.decide(self.find(rest, now), now):
            changed = found.value
        if changed is None and (corrected := correct_character(local, rest)) is not None:
            changed = f"{corrected}@{domain}"
        changed = changed and _valid(changed)
        return changed if changed != value else None

    def may_go_on(self, value: str) -> bool:
        return _valid(value) is None or value.endswith(".co")

    def say(self, value: str, now: datetime) -> str:
        local, at, domain = value.partition("@")
        said = [_spelled(local), *(["at"] if at else []), *([_spelled(domain)] if domain else [])]
        return ", ".join(said)

    def to_json(self, value: str) -> str:
        return value

    def from_json(self, written: JsonValue) -> str:
        if not isinstance(written, str) or _valid(written) != written:
            raise ValueError("not a mail address")
        return written

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "description": 'A mail address as "ann@example.com".'}


def _valid(address: str) -> str | None:
    """*address* in its one form; None: it is none."""
    try:
        checked = validate_email(address.lower(), check_deliverability=False)
    except EmailNotValidError:
        return None
    return checked.normalized.lower()


def _spelled(part: str) -> str:
    """Letter by letter but for plain words."""
    pieces = re.findall(r"[^\W\d_]+|.", part)
    return ", ".join(one if one in PLAIN_WORDS else spell(one) for one in pieces)


def _local_start(tokens: Sequence[Token], at: int) -> int:
    """Where the local part begins that ends before that token."""
    first = at
    while first > 0 and _may_belong(tokens, first - 1, at):
        first -= 1
    while first < at and tokens[first].text in (",", ".", "-"):
        first += 1
    return first


def _may_belong(tokens: Sequence[Token], index: int, at: int) -> bool:
    word = tokens[index].text
    before = tokens[index - 1].text if index else ""
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if word == ",":
        is_example = index > 1 and tokens[index - 2].text in ("in", "as", "like", "for")
        return _is_short(before) or _is_short(after) or is_example
    if word == ".":
        tight = index + 1 < len(tokens) and tokens[index].end == tokens[index + 1].start
        return tight or _is_short(before)
    if word in _SIGNS:
        return True
    if not word[0].isalnum():
        return False
    if word not in _STOP:
        return True
    if len(word) == 1:
        spelled = [one.text for one in tokens[max(0, index - 2) : index + 3] if one.text != ","]
        return (
            index + 1 == at
            or "," in (before, after)
            or any(
                _is_letter(one) or one.isdigit() or one in (*_SIGNS, "double", "triple")
                for one in spelled
            )
        )
    # "as in John" spells; "is to dot do" has a word of its own between signs.
    spells = word in ("in", "for") and (before == "as" or before == after[:1])
    alone = index + 1 == at and word in _NAMES and before in ("", "is", "it's", "its", ".", ",")
    return _sign(before) or (_sign(after) and index + 1 < at) or spells or alone


def _sign(word: str) -> bool:
    return word in _SIGNS and word != "-"


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word not in ("a", "i")


def _is_short(word: str) -> bool:
    return len(word) == 1 or word in _SIGNS or word.isdigit() or word in ("", *_AT)


def _characters(tokens: Sequence[Token], *, whole: bool = False) -> str | None:
    """
    The characters that *tokens* say one after the other; None: something says none.

    Args: whole: Also "at".
    """
    pieces: list[tuple[str, bool]] = []
    """With whether each was spelled."""
    at = 0
    while at < len(tokens):
        word = tokens[at].text
        said = pieces[-1][0] if pieces else ""
        if word == "under" and at + 1 < len(tokens) and tokens[at + 1].text == "score":
            pieces.append(("_", False))
            at += 2
        elif word in (",", "'") or (word == "-" and _is_between_letters(tokens, at)):
            at += 1
        elif word in _SIGNS or (whole and word in _AT):
            pieces.append((_SIGNS.get(word, "@"), False))
            at += 1
        elif (group := read_group(tokens, at)) and not _is_letter_o(tokens, at, said):
            pieces.append((group.digits, False))
            at = group.end
        elif letter := _letter(tokens, at):
            pieces.append((letter[0], True))
            at = letter[1]
        elif word[0].isalnum():
            pieces.append((word.replace("'", ""), False))
            at += 1
        else:
            return None
    return _without_repeats(pieces)


def _without_repeats(pieces: Sequence[tuple[str, bool]]) -> str:
    """Of "anna, A double N A" only what is spelled."""
    said, at = "", 0
    while at < len(pieces):
        end = at + 1
        while end < len(pieces) and pieces[end][1]:
            end += 1
        spelled = "".join(text for text, _ in pieces[at + 1 : end])
        word, is_spelled = pieces[at]
        repeats = not is_spelled and len(word) > 1 and len(spelled) > 1
        if not (repeats and word.isalpha() and ratio(word, spelled) >= REPEATED_MIN_SIMILARITY):
            said += word
        said, at = said + spelled, end
    return said


def _is_letter_o(tokens: Sequence[Token], at: int, said: str) -> bool:
    """Whether an "o" or "oh" is the letter: not beside digits."""
    if tokens[at].text in ("o", "oh"):
        follows = read_group(tokens, at + 1)
        digit_follows = follows is not None and not follows.oh
        return tokens[at].text == "o" or not (digit_follows or said[-1:].isdigit())
    return False


def _letter(tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    letter = read_letter(tokens, at, loose=tokens[at].text == "oh")
    # "Mike" alone is a name here.
    if letter is None or (letter.end == at + 1 and len(tokens[at].text) > 2):
        return None
    return letter.text.lower(), letter.end


def _is_between_letters(tokens: Sequence[Token], at: int) -> bool:
    """Whether a sign only divides what is spelled: "s-m-i-t-h"."""
    around = tokens[max(0, at - 3) : at + 4]
    letters = [one for one in around if len(one.text) == 1 and one.text.isalpha()]
    return len(letters) >= 3


def _domain(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    """The domain that begins with that token, and the token after it; empty: there is none."""
    labels: list[str] = []
    while True:
        while at < len(tokens) and tokens[at].text == ",":
            at += 1
        label, end = _label(tokens, at, is_last=bool(labels))
        if not label:
            # A full stop ends the sentence: "at gmail."
            return (".".join(labels), at - 1) if len(labels) > 1 else ("", at)
        labels.append(label)
        if end + 1 < len(tokens) and tokens[end].text in ("dot", ".", "period", "point"):
            at = end + 1
            continue
        if len(labels) > 1:
            return ".".join(labels), end
        return _provider(tokens, at)


def _provider(tokens: Sequence[Token], at: int) -> tuple[str, int]:
    for size in (2, 1):
        name = "".join(one.text for one in tokens[at : at + size])
        if name in PROVIDERS and at + size <= len(tokens):
            return PROVIDERS[name], at + size
    return "", at


def _label(tokens: Sequence[Token], at: int, *, is_last: bool) -> tuple[str, int]:
    """One part of a domain; the last may have a sentence behind it, so it is one word."""
    end = at
    while end < len(tokens) and tokens[end].text not in ("dot", ".", "period", "point", *_AT):
        word = tokens[end].text
        is_letter = len(word) == 1 or (end > at and tokens[end - 1].text in ("as", "in", "like"))
        if not word[0].isalnum() and word not in (",", "-"):
            break
        if is_last and end > at and not (is_letter and len(tokens[end - 1].text) == 1):
            break
        end += 1
    following = end < len(tokens) and tokens[end].text in ("dot", ".", "period", "point")
    if is_last and not following:
        while end > at and tokens[end - 1].text == ",":
            end -= 1
    return _characters(tokens[at:end]) or "", end


def _may_be_part(tokens: Sequence[Token]) -> bool:
    """Whether this alone looks like the beginning of an address."""
    if len(tokens) == 1:
        return tokens[0].text[0].isalnum() and tokens[0].text not in _STOP
    return any(one.text in _SIGNS or one.text in _AT or one.text.isdigit() for one in tokens)


Email = Annotated[str, EmailKind()]
"""A mail address, in lower case."""
