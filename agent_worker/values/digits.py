"""Numbers as people say them: "one oh four", "double four", "twenty-one", "a hundred and four"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from text_to_num import text2num

from agent_worker.values.tokens import Token

ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
HOMOPHONES = {"to": "2", "too": "2", "for": "4", "fore": "4", "ate": "8", "won": "1"}
OH = ("oh", "o", "nought", "naught")
TEEN_STEMS = {word.removesuffix("teen"): word for word in TEENS if word.endswith("teen")}
TIMES = {"double": 2, "triple": 3, "treble": 3}

SMALL = {word: number for number, word in enumerate((*ONES, *TEENS))}
SMALL |= {word: 10 * number for number, word in enumerate(TENS, start=2)}
SMALL |= {
    f"{tens}{dash}{one}": SMALL[tens] + SMALL[one]
    for tens in TENS
    for one in ONES[1:]
    for dash in ("-", " ")
}
"""Zero to ninety-nine, with a space or a hyphen."""

NUMERAL_MAX_DIGITS = 18
_SCALES = ("hundred", "thousand", "million")
_AFTER_A_NUMBER = frozenset((*".?!,", "please", "thanks", "is", "has", "was"))
_PAUSES = frozenset(",.;")
_GLUE = re.compile(r"(?<=\d)[.:/](?=\d)")


def words(*numbers: int) -> str:
    """A pattern for these of the numbers from 0 to 99 as words."""
    wanted = [word for word, number in SMALL.items() if number in numbers]
    return "|".join(
        re.sub("[ -]", r"[-\\s]\\s?", word) for word in sorted(wanted, key=len, reverse=True)
    )


def number_of(said: str) -> int:
    """The number that matched `words` or a numeral."""
    said = " ".join(said.lower().replace("-", " ").split())
    return int(said) if said.isdecimal() else SMALL[said]


@dataclass(frozen=True)
class Group:
    """Digits that were said as one: "seven", "double four", "twenty-one", "104"."""

    digits: str
    first: int
    """Its first token."""
    end: int
    """The token after its last."""
    pause: bool = False
    """Whether a comma or a full stop stands before it."""
    oh: bool = False


def read_group(tokens: Sequence[Token], at: int) -> Group | None:
    """The group that begins with that token."""
    if at >= len(tokens):
        return None
    word = tokens[at].text
    if word.isdecimal():
        return Group(word, at, at + 1) if len(word) <= NUMERAL_MAX_DIGITS else None
    if word in OH:
        return Group("0", at, at + 1, oh=True)
    if word in TIMES:
        digit = read_group(tokens, at + 1)
        if digit is None or len(digit.digits) != 1:
            return None
        return Group(digit.digits * TIMES[word], at, digit.end)
    if word == "a" and at + 1 < len(tokens) and tokens[at + 1].text in _SCALES:
        return _cardinal(tokens, at)
    if word in TEEN_STEMS and at + 1 < len(tokens) and tokens[at + 1].text == "teen":
        return Group(str(SMALL[TEEN_STEMS[word]]), at, at + 2)
    if word not in SMALL:
        return None
    number, end = SMALL[word], at + 1
    if number >= 20 and (one := _unit_after(tokens, end)):
        number, end = number + one[0], one[1]
    if end < len(tokens) and tokens[end].text in _SCALES:
        return _cardinal(tokens, at)
    return Group(str(number), at, end, oh=word == "zero")


def _unit_after(tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
    """The "one" of "twenty one" or "twenty-one", and the token after it."""
    if at + 1 < len(tokens) and tokens[at].text == "-" and tokens[at].start == tokens[at - 1].end:
        at += 1
    if at < len(tokens) and 0 < SMALL.get(tokens[at].text, 0) < 10:
        return SMALL[tokens[at].text], at + 1
    return None


def _cardinal(tokens: Sequence[Token], at: int) -> Group | None:
    end = at
    while end < len(tokens) and (tokens[end].text in (*_SCALES, "and", "a", "-", *SMALL)):
        end += 1
    while end > at:
        said = ["one" if one.text == "a" else one.text for one in tokens[at:end]]
        if said[-1] not in ("and", "-"):
            try:
                number = text2num(" ".join(one for one in said if one != "-"), "en")
            except ValueError:
                pass
            else:
                # Of "eight hundred five five five" the fives are digits of their own.
                if said[-1] in _SCALES or "and" in said or read_group(tokens, end) is None:
                    return Group(str(number), at, end)
        end -= 1
    return None


def read_runs(
    tokens: Sequence[Token], text: str, nouns: frozenset[str] = frozenset()
) -> list[list[Group]]:
    """
    The numbers of *text* as runs of groups with nothing or only a pause or a hyphen between.

    Args: nouns: Words directly after which "for" can be "four", at the end of what was said.
    """
    runs: list[list[Group]] = []
    run: list[Group] = []
    at, pause = 0, False
    while at < len(tokens):
        group = read_group(tokens, at) or _homophone(tokens, at, run, nouns)
        if group is not None:
            run.append(Group(group.digits, group.first, group.end, pause, group.oh))
            at, pause = group.end, False
            continue
        token = tokens[at]
        # A recognizer that writes a question mark at a pause: "order one? Oh four."
        goes_on = token.text == "?" and at + 1 < len(tokens) and _is_oh(tokens[at + 1])
        glued = _GLUE.match(text, token.start) is not None
        if run and not glued and (token.text in _PAUSES or token.text in "-()" or goes_on):
            pause = pause or token.text in _PAUSES or goes_on
        elif run:
            runs.append(run)
            run, pause = [], False
        at += 1
    return [*runs, run] if run else runs


def _is_oh(token: Token) -> bool:
    return token.text in OH or token.text.startswith("0")


def _homophone(
    tokens: Sequence[Token], at: int, run: Sequence[Group], nouns: frozenset[str]
) -> Group | None:
    """ "for" in "five five for one", in "one oh for" or at the end after one of *nouns*."""
    digit = HOMOPHONES.get(tokens[at].text)
    if digit is None:
        return None
    follows = read_group(tokens, at + 1)
    adjacent = bool(run) and run[-1].end == at
    singles = [one for one in run if len(one.digits) == 1]
    is_last = at + 1 == len(tokens) or tokens[at + 1].text in _AFTER_A_NUMBER
    paused = bool(run) and all(one.text in _PAUSES for one in tokens[run[-1].end : at])
    if paused and len(run) >= 2 and run[-1].oh:
        return Group(digit, at, at + 1)
    if adjacent and len(singles) >= 2 and follows is not None and len(follows.digits) == 1:
        return Group(digit, at, at + 1)
    if at and tokens[at - 1].text in nouns and (is_last or (follows is not None and follows.oh)):
        return Group(digit, at, at + 1)
    return None
