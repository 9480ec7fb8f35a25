"""Corrections of single characters: "no, B as in boat", "the third letter is D", "S not F"."""

import re
from collections.abc import Iterator

from agent_worker.values.letters import Letter, alike, read_letter
from agent_worker.values.tokens import Token, tokens_of

_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth"),
)
_PLACE = re.compile(
    rf"\b(?:the\s+)?(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<number>\d{{1,2}})(?:st|nd|rd|th)"
    r"|(?P<back>second\s+(?:to|from)\s+(?:the\s+)?)?(?P<last>last))"
    r"(?:\s+(?:letter|character|digit|number|one))?\s+"
    r"(?:is|should\s+be|was|must\s+be|has\s+to\s+be)\s+(?:an?\s+(?=\w))?",
    re.I,
)
_INSTEAD = frozenset(("not", "instead"))
_LEAD = frozenset(("no", "nope", "sorry", "it's", "its", "is", "that's", "with", "an", ",", "the"))
_ONE_OF_SEVERAL = re.compile(
    r"^\W*(?:(?:no|nope|sorry|wait|hang\s+on|hold\s+on|it['\u2019]?s|that['\u2019]?s|i\s+said|actually|i\s+mean)\b\W*)*",
    re.I,
)


_INSTEAD_OF = [
    re.compile(pattern, re.I)
    for pattern in (
        r"(?:not|instead\s+of)\s+(?P<old>.+?)(?:,|\s+but)\s+(?P<new>.+?)\W*",
        r"(?P<new>.+?),?\s+(?:not|instead\s+of|rather\s+than)\s+(?P<old>.+?)\W*",
    )
]


def without_lead(text: str) -> str:
    """*text* without the "no, it's" before a correction."""
    return text[_ONE_OF_SEVERAL.match(text).end() :]  # type: ignore[union-attr]


def instead_of(text: str) -> tuple[str, str] | None:
    """What *text* says should stand, and instead of what: "S, not F", "not F but S"."""
    for pattern in _INSTEAD_OF:
        if match := pattern.fullmatch(text):
            return match["new"], match["old"]
    return None


def correct_character(value: str, text: str) -> str | None:
    """*value* with the one character that *text* corrects; None: it does not say which."""
    if place := _PLACE.search(text):
        return _at_place(value, place, text[place.end() :])
    said = list(_letters(without_lead(text)))
    tokens = tokens_of(text)
    if len(said) == 2 and any(one.text in _INSTEAD for one in tokens):
        new, old = said[0].text, said[1].text
        if _begins_with_not(text):
            new, old = old, new
        return _replaced(value, old, new)
    if len(said) != 1:
        return None
    letter = said[0]
    if (letter.example or _is_bare(text)) and len(letter.text) == 1:
        similar = {one for one in value.lower() if alike(one, letter.text.lower())}
        similar.discard(letter.text.lower())
        return _replaced(value, similar.pop(), letter.text) if len(similar) == 1 else None
    return None


def _letters(text: str) -> Iterator[Letter]:
    tokens = tokens_of(text)
    at = 0
    while at < len(tokens):
        letter = read_letter(tokens, at, digits=True)
        if letter is not None and not _is_article(tokens, at, letter):
            yield letter
            at = letter.end
        else:
            at += 1


def _is_article(tokens: list[Token], at: int, letter: Letter) -> bool:
    """The "a" of "a B", the "I" of "I said"."""
    return (
        letter.end == at + 1
        and tokens[at].text in ("a", "i", "oh")
        and at + 1 < len(tokens)
        and tokens[at + 1].text not in (*_INSTEAD, ",", "and", "please")
    )


def _begins_with_not(text: str) -> bool:
    """ "not F, S" or "not F but S", rather than "S, not F"."""
    return re.match(r"(?:not|instead\s+of)\b", without_lead(text), re.I) is not None


def _is_bare(text: str) -> bool:
    return all(one.text in _LEAD or len(one.text) == 1 for one in tokens_of(text))


def _replaced(value: str, old: str, new: str) -> str | None:
    """*value* with *new* for the only *old* in it, in the case of what it replaces."""
    if value.lower().count(old.lower()) != 1:
        return None
    at = value.lower().index(old.lower())
    return value[:at] + _in_case_of(value[at], new) + value[at + len(old) :]


def _in_case_of(old: str, new: str) -> str:
    return new.upper() if old.isupper() else new


def _at_place(value: str, place: re.Match[str], rest: str) -> str | None:
    letter = read_letter(tokens_of(rest), 0, loose=True, digits=True)
    if letter is None or len(letter.text) != 1:
        return None
    counted = [at for at, one in enumerate(value) if one.isalnum()]
    if place["last"]:
        number = len(counted) - (2 if place["back"] else 1)
    else:
        word = place["word"]
        number = _ORDINALS.index(word.lower()) if word else int(place["number"]) - 1
    if not 0 <= number < len(counted):
        return None
    at = counted[number]
    return value[:at] + _in_case_of(value[at], letter.text) + value[at + 1 :]
