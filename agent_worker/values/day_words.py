"""How days of the month, years and spans of days are said, as patterns."""

import re

from agent_worker.values.calendar_words import PART_OF_DAY, WEEKDAY
from agent_worker.values.digits import number_of, words
from agent_worker.values.tokens import APOSTROPHE

ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth"),
    *(f"twenty-{one}" for one in ("first", "second", "third", "fourth", "fifth")),
    *(f"twenty-{one}" for one in ("sixth", "seventh", "eighth", "ninth")),
    *("thirtieth", "thirty-first"),
)
ORDINAL_WORDS = "|".join(
    word.replace("-", "[-\\s]") for word in sorted(ORDINALS, key=len, reverse=True)
)
ORDINAL = rf"(?:\d{{1,2}}\s?(?:st|nd|rd|th)|{ORDINAL_WORDS})"
CARDINAL = rf"(?:{words(*range(1, 32))})"
DAY = rf"(?:{ORDINAL}|\d{{1,2}}|{CARDINAL})\b(?!\s*(?::\d|[ap]\.?m\b|o{APOSTROPHE}?clock|%))"
YEAR = (
    rf"(?:(?:19|20)\d\d|(?:nineteen|twenty)\s(?:oh[-\s](?:{words(*range(1, 10))})"
    rf"|{words(*range(10, 100))})|(?:nineteen|twenty)\shundred"
    rf"|two\sthousand(?:\s(?:and\s)?(?:{words(*range(1, 100))}))?)\b"
)
SHORT_YEAR = re.compile(
    rf"(?:,?\s*{APOSTROPHE}?|\W*)(\d\d|{words(*range(32, 100))})(?![\w:/])", re.I
)
"""A year of the last century, as in a date of birth: "ninety-one"."""
AND_YEAR = rf"(?:,?\s+(?:in\s+)?(?P<year>{YEAR}))?"
NOT_MAY = rf"(?!(?-i:may|march|mar)\b(?!\s+{YEAR}))"
"""Both are verbs as well: "number four may be late"."""
COUNT = rf"(?:\d{{1,3}}|an?|{words(*range(1, 32))})"
UNIT = r"(?P<unit>days?|weeks?|fortnight)"
FROM = rf"(?P<from>now|today|tomorrow|(?:this\s+|next\s+|the\s+)?(?P<weekday>{WEEKDAY}))"
THIS = r"(?P<mod>this\s+coming|the\s+coming|the\s+following|coming|this|next|last|past)"
WHICH_WEEK = (
    r"(?P<week>(?:of\s+)?(?:this\s+week|next\s+week|the\s+week\s+after\s+next|after\s+next)"
    r"|week|fortnight)"
)
NO_NOUN = (
    r"(?!\s+to\s+(?:the\s+)?last\b)"
    r"(?=\s*(?:$|[.,?!;:-]|(?:of\s+)?(?:this|next)\b|at|in|on|or|and|please|then|is|are|was|would"
    rf"|works?|if|for|from|to|until|till|around|about|between|after|before|by|{PART_OF_DAY}"
    r"|no|not|instead|sorry|i|that|could|can|what|should|do|does|will)(?!\w))"
)


def day_of(said: str) -> int:
    """The number of "27th", "twenty-seventh", "27" or "twenty seven"."""
    plain = "-".join(said.lower().replace("-", " ").split())
    if plain in ORDINALS:
        return ORDINALS.index(plain) + 1
    digits = re.match(r"\d+", said)
    return int(digits[0]) if digits else number_of(said)


def year_of(said: str) -> int:
    word = " ".join(said.lower().replace("-", " ").split())
    if word.isdecimal():
        return int(word)
    if word.startswith("two thousand"):
        rest = word.removeprefix("two thousand").replace(" and ", " ").strip()
        return 2000 + (number_of(rest) if rest else 0)
    century, rest = word.split(" ", 1)
    rest = rest.removeprefix("oh ")
    return number_of(century) * 100 + (0 if rest == "hundred" else number_of(rest))


def count_of(said: str) -> int:
    return 1 if said.lower() in ("a", "an", "the") else number_of(said)
