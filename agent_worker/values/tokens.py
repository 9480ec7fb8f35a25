"""The words, numerals and signs of what was said, and where they stand in it."""

import re
from dataclasses import dataclass

APOSTROPHE = "['\u2019]"
_NUMBER_WORD = (
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|"
    r"eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand)"
)
_TOKEN = re.compile(
    rf"(?i:{_NUMBER_WORD})(?={APOSTROPHE}s\b)|\d{{1,3}}(?:,\d{{3}})+(?![\d,])|\d+|[^\W\d_]+(?:{APOSTROPHE}[^\W\d_]+)*|[^\w\s]|_"
)


BEFORE_MAX_CHARS = 80


def before(text: str, at: int) -> str:
    """What stands before *at*, as far as it can matter."""
    return text[max(0, at - BEFORE_MAX_CHARS) : at]


@dataclass(frozen=True)
class Token:
    """A word, a numeral or a sign."""

    raw: str
    """As it was written."""
    text: str
    """In lower case, with a plain apostrophe; a numeral without its commas."""
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of *text*: "3pm" is two, "o'clock" is one."""
    return [Token(one[0], _plain(one[0]), *one.span()) for one in _TOKEN.finditer(text)]


def _plain(raw: str) -> str:
    return raw.replace(",", "") if raw[0].isdecimal() else raw.lower().replace("\u2019", "'")
