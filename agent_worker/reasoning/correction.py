"""Words by which a caller takes back what was said and says what was meant: "no, I meant nine"."""

import re

from agent_worker.reasoning.normalize import normalize

_BEFORE = r"(?:wait|hang on|and on|hold on|sorry|oops|actually|oh|um|uh|well|okay|ok)"
_MEANT = r"(?:i (?:meant|mean|said)|make (?:it|that)|change (?:it|that) to)"
_INSTEAD = (
    rf"{_MEANT}|i (?:want|wanted|need)|it's|it is|that's|it should be|rather|let's say|{_BEFORE}"
)
_NO = re.compile(rf"(?:{_BEFORE} )*(?:no|nope|nah)((?: (?:no|thanks|thank you|{_INSTEAD}))*) (.+)")
_TAKES_BACK = re.compile(rf"(?:(?:{_BEFORE} )+{_MEANT}|i (?:meant|mean|said)) (.+)")
_BARE = re.compile(r"(?:make (?:it|that)|change (?:it|that) to) (.+)")
_PAUSE = re.compile(r"\b(?:no|nope|nah)\s*[,.;:!\u2013\u2014-]", re.IGNORECASE)

_WITHIN = re.compile(
    rf"(?<=\W)(?:(?:{_BEFORE}|no|nope|nah)\W+)*(?:no|nope|nah|i (?:meant|mean|said))\b"
    r"(?! (?:more|longer|idea|problem|doubt|rush|hurry|good|use|matter|way|need|news|sign|trace|"
    r"point|reply|answer)\b)",
    re.IGNORECASE,
)
WITHIN_MAX = 3
WITHIN_MAX_CHARS = 150
"""Nobody takes back more in one sentence, and nobody may keep us busy with it."""


def meant_instead(text: str, *, bare: bool = False) -> str | None:
    """
    What *text* says instead of what was said before, in its own words; None: it takes nothing back.

    "No idea" and "no problem" are no such thing: after a bare "no" there must be a pause or a
    number.

    Args: bare: Whether "make it ten" is one, too, which says no word that takes anything back.
    """
    said = normalize(text)
    found = _TAKES_BACK.fullmatch(said) or (_BARE.fullmatch(said) if bare else None)
    if found:
        return _as_said(text, found[1])
    found = _NO.fullmatch(said)
    if found is None or not (found[1] or _PAUSE.search(text) or found[2][0].isdigit()):
        return None
    return _as_said(text, found[2])


def corrected_within(text: str) -> tuple[str, str] | None:
    """*text* in two, where its end may take back what was said before: "order one, no, two"."""
    found = list(_WITHIN.finditer(text)) if len(text) <= WITHIN_MAX_CHARS else []
    if not 0 < len(found) <= WITHIN_MAX:
        return None
    at = found[-1].start()
    return text[:at], text[at:]


def _as_said(text: str, meant: str) -> str:
    """The end of *text* whose normalized form is *meant*."""
    words = text.split()
    ends = (" ".join(words[start:]) for start in range(len(words)))
    return next((end for end in ends if normalize(end) == meant), meant)
