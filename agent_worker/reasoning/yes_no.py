"""Reads a yes or a no, spoken or typed, by fixed rules: no model decides what was approved."""

import re
from enum import Enum

from agent_worker.reasoning.correction import meant_instead
from agent_worker.reasoning.normalize import normalize


class Said(Enum):
    """What the caller's words are to an open question."""

    YES = "yes"
    NO = "no"
    YES_AND_MORE = "yes and more"
    """It begins as a yes and adds something, so it is none."""
    NO_AND_MORE = "no and more"
    """A no, and a new wish: "no, nine"."""


ANSWERS = (Said.YES, Said.NO)
"""What answers a question and says nothing else."""


_OKAY = r"ok|okay|all right|alright"
_YES = (
    r"yes|yeah|yep|yup|sure thing|sure|absolutely|definitely|certainly|of course|correct|"
    r"confirm|confirmed|i confirm|i agree|agreed|go ahead|do it|do that|please do|"
    r"that's right|that is right|that's correct|that is correct|i do|i am sure|i'm sure|"
    r"sounds (?:good|great|fine|right)|that (?:works|sounds good)|"
    r"that would be (?:good|great|fine|nice|lovely)|i'd like that|"
    r"please(?= (?:thanks|thank you)|$)|"
    r"that's (?:fine|it|good|great|perfect)|fine|good|great|lovely|wonderful|perfect|exactly|"
    r"go for it|by all means|" + _OKAY
)
_NO = (
    r"no|nope|nah|don't|do not|no way|not (?:that 1|this 1|that|this|it|now|yet|today|really)|"
    r"(?:absolutely|definitely|certainly|of course|sure|i (?:guess|think|hope)) not|"
    r"never mind|nevermind|forget (?:it|that)|leave (?:it|that)|rather not|better not|"
    r"(?:i don't|i do not) think so|negative|i don't|"
    r"i do not|(?:i|i've|i have) changed my mind|stop"
)
_AROUND = r"please|thanks|thank you|well|um|uh|oh|just|hm|hmm"
_BEFORE_NO = rf"{_AROUND}|{_OKAY}|actually|sorry|wait|hang on|hold on|then|do"
_POINTING = (
    r"(?:that|this|the|the right) 1|it|that|this|them|the|a|an|my|me|i|for|of|to|on|at|in|with|"
    r"now|so|then|is|be|do|want|you|can|may|could"
)
"""Words that add nothing to a yes. Numbers are digits here: "that one" is "that 1"."""
_NOT = re.compile(
    r"\b(?:no|not|never|don't|do not|nor|none|nothing|stop|wait|hang on|hold on|but|or|if|"
    r"except|without|instead|rather|unless|until|leave|forget|[a-z]+n't|cannot)\b"
)
"""With one of these, nothing is a yes."""
_SAID = re.compile(
    rf"\b(?:(?:sorry|actually|{_AROUND}) )*i (?:said|meant|mean) "
    rf"(?=(?:(?:{_BEFORE_NO}) )*(?:{_YES}|{_NO}|wait|hang on|hold on)(?: |$))"
)
_STARTS_YES = re.compile(rf"(?:(?:{_AROUND}) )*(?:{_YES})\b(?!')")
_STARTS_NO = re.compile(rf"(?:(?:{_BEFORE_NO}) )*(?:{_NO})\b(?!')")
_EMPTY_YES = re.compile(rf"\b(?:{_YES}|{_AROUND}|{_POINTING})(?!\S)")
_EMPTY_NO = re.compile(rf"\b(?:{_NO}|not|{_BEFORE_NO}|{_POINTING})(?!\S)")
_HAS_YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|(?:sure|of course)(?! not)|go ahead|"
    r"(?<!don't )(?<!do not )do (?:it|that))\b"
)
_NO_ALONE = re.compile(r"(?:(?:oh|um|uh|well|sorry|hm|hmm) )*(?:no|nope|nah)(?: (?:no|sorry))*")
_GOES_ON = re.compile(r"\b(?:to|for|of|on|at|in|with|the|a|an|my|i|so|then)$")
_THUMB_UP = re.compile("\U0001f44d[\U0001f3fb-\U0001f3ff]?\ufe0f?")
_THUMB_DOWN = re.compile("\U0001f44e[\U0001f3fb-\U0001f3ff]?\ufe0f?")


def read(text: str, about: str = "") -> Said | None:
    """
    What *text* is to a question; None: neither a yes nor a no.

    A yes may repeat the wish: words of the question that *about* holds, such as its title and its
    arguments. Whatever else it says makes it no yes.
    """
    said = normalize(_THUMB_DOWN.sub(" no ", _THUMB_UP.sub(" yes ", text)))
    if _SAID.search(said):
        # Who is asked anew says so: it takes nothing back.
        return read(_SAID.sub("", said), about)
    asked = normalize(about)
    if _STARTS_NO.match(said):
        if _HAS_YES.search(said):
            return None
        if set(_EMPTY_NO.sub(" ", said).split()) <= set(asked.split()):
            return Said.NO
        return Said.NO_AND_MORE if meant_instead(text) else None
    if _STARTS_YES.match(said):
        doubts = text.rstrip().endswith("?") or _NOT.search(said) or _GOES_ON.search(said)
        return Said.YES if not doubts and _repeats(said, asked) else Said.YES_AND_MORE
    # "I said cancel it" is the question's own wish once more: no yes, and no other wish.
    meant = _EMPTY_YES.sub(" ", meant_instead(text) or "").split()
    return None if set(meant) <= set(asked.split()) else Said.NO_AND_MORE


def is_no_alone(text: str) -> bool:
    """Whether *text* is a no and nothing else; what is meant instead may follow: "No, ... nine"."""
    return _NO_ALONE.fullmatch(normalize(text)) is not None


def _repeats(said: str, asked: str) -> bool:
    """Whether the yes *said* repeats what was *asked* and adds nothing."""
    repeated = _EMPTY_YES.sub(" ", said).split()
    known = _EMPTY_YES.sub(" ", asked).split()
    if not set(repeated) <= set(known):
        return False
    if not repeated or len({word for word in known if any(map(str.isdigit, word))}) < 2:
        return True
    # Of several numbers, "pay 2" must not be "pay 5 to number 2": the words as they stand.
    return f" {' '.join(repeated)} " in f" {' '.join(known)} "
