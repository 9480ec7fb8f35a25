"""Letters as people spell them: "S M Y T H", "B as in boat", "double L", "Mike", "capital O"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent_worker.values.digits import read_group
from agent_worker.values.tokens import Token, tokens_of

_ALPHABET = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar "
    "papa quebec romeo sierra tango uniform victor whiskey xray yankee zulu"
).split()
CODE_WORDS = {word: word[0] for word in _ALPHABET}
CODE_WORDS |= {"alfa": "a", "juliett": "j", "whisky": "w"}
NAMES = {
    **{"ay": "a", "bee": "b", "be": "b", "cee": "c", "see": "c", "sea": "c", "dee": "d", "ee": "e"},
    **{"eff": "f", "ef": "f", "gee": "g", "jee": "g", "aitch": "h", "haitch": "h", "eye": "i"},
    **{"jay": "j", "kay": "k", "ell": "l", "el": "l", "em": "m", "en": "n", "pee": "p", "pea": "p"},
    **{"cue": "q", "queue": "q", "ar": "r", "are": "r", "ess": "s", "es": "s", "tee": "t"},
    **{"tea": "t", "you": "u", "yu": "u", "vee": "v", "ex": "x", "why": "y", "wye": "y"},
    **{"zee": "z", "zed": "z", "oh": "o"},
}
"""How a recognizer may write the name of a letter; read so only among other letters."""
SIGNS = {
    **{"hyphen": "-", "dash": "-", "minus": "-", "apostrophe": "'", "underscore": "_"},
    **{"dot": ".", "period": ".", "plus": "+"},
}
ALIKE = ("bcdegptvz", "ajkh", "mn", "sfx", "iy", "uqw")
"""Letters that sound alike on a telephone."""
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_EXAMPLE = ("as", "like", "for")
_UPPER = ("capital", "uppercase", "big")
_LOWER = ("lowercase", "small")
_PAUSES = frozenset(",.-;")


@dataclass(frozen=True)
class Letter:
    """Characters that were spelled as one: "B", "double L", "M as in Mike", "hyphen"."""

    text: str
    first: int
    """Its first token."""
    end: int
    """The token after its last."""
    example: bool = False
    """Whether a word was said for it: "as in boat"."""
    capital: bool = False


def read_letter(
    tokens: Sequence[Token], at: int, *, loose: bool = False, digits: bool = False
) -> Letter | None:
    """
    The letter that is spelled from that token on.

    Args: loose: Also by a word that sounds like its name: "see", "why". digits: Also digits.
    """
    if at >= len(tokens):
        return None
    word = tokens[at].text
    if word in (*_UPPER, *_LOWER) or (word in ("upper", "lower") and _is(tokens, at + 1, "case")):
        letter = read_letter(tokens, at + (2 if word in ("upper", "lower") else 1), loose=loose)
        if letter is None:
            return None
        capital = word in (*_UPPER, "upper")
        said = letter.text.upper() if capital else letter.text
        return Letter(said, at, letter.end, letter.example, capital)
    if word in ("double", "dub") and at + 1 < len(tokens) and tokens[at + 1].text in ("u", "you"):
        return _with_example(tokens, at, at + 2, "w")
    if word in _TIMES:
        letter = read_letter(tokens, at + 1, loose=True)
        if letter is None or len(letter.text) != 1:
            return _digits(tokens, at) if digits else None
        return Letter(letter.text * _TIMES[word], at, letter.end, letter.example)
    if len(word) == 1 and word.isalpha():
        return _with_example(tokens, at, at + 1, word)
    if word in CODE_WORDS:
        return Letter(CODE_WORDS[word], at, at + 1, example=True)
    if word == "x" and _is(tokens, at + 1, "ray"):
        return Letter("x", at, at + 2, example=True)
    if digits and (found := _digits(tokens, at)):
        return found
    if word in NAMES:
        letter = _with_example(tokens, at, at + 1, NAMES[word])
        return letter if loose or letter.example else None
    return None


def _digits(tokens: Sequence[Token], at: int) -> Letter | None:
    group = read_group(tokens, at)
    return None if group is None else Letter(group.digits, at, group.end)


def _is(tokens: Sequence[Token], at: int, word: str) -> bool:
    return at < len(tokens) and tokens[at].text == word


def _with_example(tokens: Sequence[Token], at: int, end: int, letter: str) -> Letter:
    """With "as in boat", "for boat" or "like boat", whose first letter counts: it is safer."""
    after = end
    if _is(tokens, after, ","):
        after += 1
    if after < len(tokens) and tokens[after].text in _EXAMPLE:
        how = tokens[after].text
        after += 1
        while (
            how != "for" and after < len(tokens) and tokens[after].text in ("in", "a", "an", "the")
        ):
            after += 1
        if after < len(tokens) and tokens[after].text.isalpha():
            said = tokens[after].text[0]
            if said == letter or (how != "for" and (how == "as" or alike(said, letter))):
                return Letter(said, at, after + 1, example=True)
    return Letter(letter, at, end)


def alike(one: str, other: str) -> bool:
    """Whether two letters sound alike."""
    return any(one in group and other in group for group in ALIKE)


@dataclass(frozen=True)
class Spelled:
    """Letters that were spelled one after the other."""

    text: str
    start: int
    """Where they begin, in characters."""
    end: int
    letters: tuple[Letter, ...]


def spelled_runs(text: str, *, digits: bool = False) -> list[Spelled]:
    """The spelled words of *text*, of at least two characters."""
    tokens = tokens_of(text)
    runs: list[Spelled] = []
    at = 0
    while at < len(tokens):
        run = _run(tokens, at, digits)
        if _is_spelled(tokens, run):
            letters = "".join(one.text for one in run)
            start, end = tokens[run[0].first].start, tokens[run[-1].end - 1].end
            runs.append(Spelled(letters, start, end, tuple(run)))
            at = run[-1].end
        else:
            at += 1
    return runs


def _run(tokens: Sequence[Token], at: int, digits: bool) -> list[Letter]:
    run: list[Letter] = []
    while True:
        letter = read_letter(tokens, at, loose=bool(run), digits=digits)
        sign = SIGNS.get(tokens[at].text) if run and at < len(tokens) else None
        if sign in ("-", "'"):
            after = at + 2 if _is(tokens, at + 1, ",") else at + 1
            if read_letter(tokens, after, loose=True):
                letter = Letter(sign, at, after)
        if letter is None:
            break
        run.append(letter)
        at = letter.end
        if at < len(tokens) and tokens[at].text in _PAUSES:
            at += 1
    while run and tokens[run[-1].first].text in NAMES and len(run) < 3:
        run.pop()
    return run


def _is_spelled(tokens: Sequence[Token], run: Sequence[Letter]) -> bool:
    """Not what only looks so: "I", "a", "Mike", "oh I see, are you"."""
    if len(run) < 2:
        return bool(run) and run[0].example and run[0].end > run[0].first + 1
    firsts = [tokens[one.first].text for one in run]
    signs = SIGNS.values()
    if all(len(said) == 1 or one.text in signs for one, said in zip(run, firsts, strict=True)):
        return True
    if all(one in CODE_WORDS for one in firsts):
        return len(run) >= 3
    weak = sum(
        one.end == one.first + 1 and (said in ("a", "i") or len(said) > 1)
        for one, said in zip(run, firsts, strict=True)
        if not one.text.isdigit()
    )
    return weak * 2 <= len(run)


def spell(text: str) -> str:
    """*text* letter by letter, as it is said back: "S, M, Y, T, H"."""
    names = {sign: name for name, sign in reversed(SIGNS.items())}
    return ", ".join(names.get(one, one.upper()) for one in text)


def upper_words(text: str) -> list[Spelled]:
    """What a recognizer joins when it hears letters: the SMYTH of "Smith, SMYTH"."""
    return [Spelled(one[0].lower(), *one.span(), ()) for one in _UPPER_WORD.finditer(text)]


_UPPER_WORD = re.compile(r"(?<![\w'\u2019-])[^\W\d_a-z]{2,}(?![\w'\u2019-])")
