"""Cuts text into clauses, so that the first is heard while the others are synthesized."""

from itertools import zip_longest

LONGEST_CHARACTERS = 160
"""A longer clause is cut between words: it bounds the time of one model call."""

GROWTH = 4
"""
How many times longer than everything before it a clause may be, and still be ready in time:
synthesis is about ten times as fast as speech. Longer clauses sound better.
"""

_CLOSING = "\"'”’)]"  # noqa: RUF001
_SENTENCE_ENDS = ("!", "?", "…")
_PAUSES = (",", ";", ":", "—")
_ABBREVIATIONS = frozenset({"Mr.", "Mrs.", "Ms.", "Dr.", "St.", "vs.", "e.g.", "i.e."})


def clauses(text: str) -> list[str]:
    """
    *text* as clauses to be spoken one after another.

    The first one ends at the first comma or end of a sentence; later ones may hold several parts
    of one sentence. Parts without a letter or a digit are dropped; the list may be empty.
    """
    pieces: list[str] = []
    piece, given = "", 0
    words = _words(text)
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        piece = f"{piece} {word}".lstrip()
        enough = min(GROWTH * given, LONGEST_CHARACTERS)
        if (
            _ends_sentence(word, following)
            or (_pauses(word) and len(piece) >= enough)
            or len(piece) + 1 + len(following) > LONGEST_CHARACTERS
        ):
            pieces.append(piece)
            piece, given = "", given + len(piece)
    if piece:
        pieces.append(piece)
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


def _words(text: str) -> list[str]:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return [
        word[start : start + LONGEST_CHARACTERS]
        for word in printable.split()
        for start in range(0, len(word), LONGEST_CHARACTERS)
    ]


def _ends_sentence(word: str, following: str) -> bool:
    bare = word.rstrip(_CLOSING)
    if not bare.endswith("."):
        return bare.endswith(_SENTENCE_ENDS)
    initial = len(bare) == 2 and bare[0].isupper()
    return not (initial or bare in _ABBREVIATIONS or following[:1].islower())


def _pauses(word: str) -> bool:
    return word.rstrip(_CLOSING).endswith(_PAUSES)
