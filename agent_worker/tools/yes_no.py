"""Reads a yes or a no, spoken or typed, by fixed rules: no model decides what was approved."""

import re

from agent_worker.reasoning.normalize import normalize

_YES = (
    r"yes|yeah|yep|yup|sure|absolutely|definitely|certainly|of course|correct|confirm|confirmed|"
    r"i confirm|i agree|agreed|go ahead|do it|do that|please do|that's right|that is right|"
    r"that's correct|that is correct|i do|i am sure|i'm sure"
)
_NO = (
    r"no|nope|nah|don't|do not|don't do it|do not do it|don't do that|do not do that|"
    r"never mind|nevermind|forget it|leave it|rather not|better not|i don't|i do not|"
    r"i changed my mind|i've changed my mind"
)
_AROUND = r"please|thanks|thank you|well|um|uh|oh|ok|okay|all right|alright|just"
"""Words that mean neither. A lone "okay" only shows that the caller is listening."""

_SAID = {
    True: re.compile(rf"(?:(?:{_AROUND}) )*(?:{_YES})(?: (?:{_YES}|{_AROUND}))*"),
    False: re.compile(rf"(?:(?:{_AROUND}) )*(?:{_NO})(?: (?:{_NO}|{_AROUND}))*"),
}


def read(text: str) -> bool | None:
    """Whether *text* is a yes or a no and nothing else; None: it is neither."""
    said = normalize(text)
    return next((meaning for meaning, form in _SAID.items() if form.fullmatch(said)), None)
