"""Brings a transcript into the form that sentence templates are written in."""

import re
from collections.abc import Collection
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler
from text_to_num import alpha2digit

REPAIR_MIN_SIMILARITY = 0.9
REPAIR_MIN_CHARS = 4
"""Shorter words have too many neighbours: "for" and "four", "ten" and "then"."""

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MERIDIEM = re.compile(r"\b([ap])\s?\.?\s?m\b\.?")
_PUNCTUATION = re.compile(r"(?<!\d)[.,:](?!\d)|[.,:](?!\d)|(?<!\d)[.,:]|[?!;\"()\u2026]|--+")
_DASH = re.compile(r"(?<=\w)-(?=\w)")
_OLD_SPELLING = re.compile(r"\b(to)-(day|night|morrow)\b|\b(good)-?(bye?)\b")
_SPOKEN_DIGITS = re.compile(r"\b\d(?: 0?\d)+\b")
"""Also in two breaths, of which a recognizer writes the second as "04"."""
_OH = re.compile(r"(?<=\d )oh\b|\boh(?= \d)")
_SHORT_FOR = {
    **{"gimme": "give me", "lemme": "let me", "gonna": "going to", "wanna": "want to"},
    **{"gotta": "got to", "dunno": "don't know", "kinda": "kind of", "whatcha": "what are you"},
    **{"whaddya": "what do you", "d'you": "do you", "d'ya": "do you", "y'all": "you all"},
    **{"c'mon": "come on", "ain't": "isn't", "cuz": "because", "coz": "because", "cos": "because"},
    **{"pls": "please", "plz": "please", "thx": "thanks", "tnx": "thanks", "u": "you"},
    **{"ur": "your", "mornin": "morning", "evenin": "evening", "doin": "doing", "goin": "going"},
    **{"comin": "coming", "gettin": "getting", "lookin": "looking", "ya": "you", "yous": "you"},
    **{"shoulda": "should have", "coulda": "could have", "woulda": "would have", "outta": "out of"},
    **{"rn": "right now", "brb": "be right back", "em": "them", "'em": "them", "thru": "through"},
}
_SLURRED = re.compile(rf"(?<![\w'])(?:{'|'.join(_SHORT_FOR)})(?![\w'])")
_CLOCK = re.compile(r"\b0(?=\d:\d\d\b)")
HOMOPHONES = {"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1"}
_AFTER_OH = re.compile(rf"(?<=\d 0 )(?:{'|'.join(HOMOPHONES)})\b")
"""What follows "one oh" is a digit."""


@lru_cache(maxsize=1024)
def normalize(text: str) -> str:
    """
    Lower case, no punctuation, numbers as digits, "09:00" as "9:00".

    "Where's room number twenty-one?" becomes "where's room number 21"; digits spoken one by
    one are joined: "room one oh four" becomes "room 104".
    """
    text = spelled_out(text.lower())
    text = _MERIDIEM.sub(r"\1m", _THOUSANDS.sub("", text))
    text = " ".join(_PUNCTUATION.sub(" ", text).split())
    text = _CLOCK.sub("", text)
    text = _OLD_SPELLING.sub(_joined, text)
    text = _DASH.sub(" ", text)
    text = alpha2digit(text, "en", threshold=0)
    text = _AFTER_OH.sub(lambda word: HOMOPHONES[word[0]], _OH.sub("0", text))
    return _SPOKEN_DIGITS.sub(lambda digits: digits[0].replace(" ", ""), text)


def spelled_out(text: str) -> str:
    """*text*, which is in lower case, with "give me" for "gimme", and plain apostrophes."""
    plain = text.translate(_APOSTROPHES)
    return _SLURRED.sub(lambda found: _SHORT_FOR[found[0]], plain)


def hear_number(text: str, numbered: Collection[str]) -> str:
    """
    "room for" at the end of *text* as "room 4", where "room" is among *numbered*: words that a
    number follows. *text* is normalized.
    """
    before, _, last = text.rpartition(" ")
    if last in HOMOPHONES and before.rpartition(" ")[2] in numbered:
        return f"{before} {HOMOPHONES[last]}"
    return text


def _joined(found: re.Match[str]) -> str:
    return "goodbye" if found[3] else f"{found[1]}{found[2]}"


def repair(text: str, vocabulary: frozenset[str]) -> str:
    """
    Replace each word that no template knows by the known word it was most likely misheard for.

    Words without a near neighbour stay as they are.
    """
    return " ".join(_repair_word(word, vocabulary) for word in text.split())


def _repair_word(word: str, vocabulary: frozenset[str]) -> str:
    if word in vocabulary or len(word) < REPAIR_MIN_CHARS or any(map(str.isdigit, word)):
        return word
    best = process.extractOne(
        word, vocabulary, scorer=JaroWinkler.similarity, score_cutoff=REPAIR_MIN_SIMILARITY
    )
    if best is None or _inflection(word) != _inflection(best[0]):
        return word
    return best[0]


def _inflection(word: str) -> str | None:
    """Such endings change what is meant: "moved room 3" is not "move room 3" misheard."""
    return next((ending for ending in ("ed", "ing") if word.endswith(ending)), None)
