"""Words by which a caller takes back what was said and says what was meant: "no, I meant nine"."""

import re

from agent_worker.reasoning.normalize import normalize

_BEFORE = r"(?:wait|hang on|hold on|sorry|oops|actually|oh|um|uh|well|okay|ok)"
_MEANT = r"(?:i (?:meant|mean|said)|make (?:it|that)|change (?:it|that) to)"
_INSTEAD = (
    rf"{_MEANT}|i (?:want|wanted|need)|it's|it is|that's|it should be|rather|let's say|{_BEFORE}"
)
_NO = re.compile(rf"(?:{_BEFORE} )*(?:no|nope|nah)((?: (?:no|thanks|thank you|{_INSTEAD}))*) (.+)")
_TAKES_BACK = re.compile(rf"(?:(?:{_BEFORE} )+{_MEANT}|i (?:meant|mean|said)) (.+)")
_PAUSE = re.compile(r"\b(?:no|nope|nah)\s*[,.;:!\u2013\u2014-]", re.IGNORECASE)


def meant_instead(text: str) -> str | None:
    """
    What *text* says instead of what was said before, normalized; None: it takes nothing back.

    "No idea" and "no problem" are no such thing: after a bare "no" there must be a pause or a
    number.
    """
    said = normalize(text)
    if found := _TAKES_BACK.fullmatch(said):
        return found[1]
    found = _NO.fullmatch(said)
    if found is None or not (found[1] or _PAUSE.search(text) or found[2][0].isdigit()):
        return None
    return found[2]
