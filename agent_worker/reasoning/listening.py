"""Words by which a caller shows that they listen, or ask the agent to wait: neither is a wish."""

import re

from agent_worker.reasoning.normalize import normalize

_LISTENS = (
    r"uh huh|uhuh|uhhuh|mm|mmm+|mhm|mm hmm|mmhmm|mm hm|hm+|huh|aha|uh|um|er|erm|ah|oh|ooh|wow"
)
_AGREES = (
    r"yeah|yep|yup|yes|ok|okay|right|all right|alright|sure|fine|good|great|cool|nice|perfect|"
    r"i see|got it|gotcha|understood|i know|true|exactly|of course|no problem|thanks|thank you|"
    r"that's fine|that's right|that's good|makes sense"
)
_LISTENING = re.compile(rf"(?:{_LISTENS})(?: (?:{_LISTENS}))*")
_AGREEING = re.compile(rf"(?:{_LISTENS}|{_AGREES})(?: (?:{_LISTENS}|{_AGREES}))*(?!\S)")

_INTERRUPTS = frozenset(
    "stop wait no nope don't hello hey hi what sorry pardon help cancel enough quiet repeat again "
    "louder slower operator human person agent hang hold goodbye bye yes".split()
)
"""Words that mean something alone, whatever the agent is about to say."""

_SOFTLY = (
    r"(?:(?:no|oh|um|uh|er|well|okay|ok|yes|yeah|sorry|please|just|i said|can you|could you) )*"
)
_WHILE = (
    r"(?:a |one |just a |half a |two |2 |1 )?"
    r"(?:second|2nd|sec|seconds|minute|minutes|moment|mo|tick)"
)
_HOLD = (
    rf"(?:hang on|hold on|hold the line|wait|wait up|bear with me|stay there|stay on the line|"
    rf"give me {_WHILE}|{_WHILE})(?: (?:for |just )?{_WHILE})?"
)
_ERRAND = (
    r"(?:(?:while|and) )?(?:i |i'll |i have to |i need to |i'm |let me )(?:just |quickly )?"
    r"(?:find|look|get|check|grab|fetch|see|think|ask|write|go|open|finding|looking|getting|"
    r"checking|thinking)\b.*"
)
_WAITING = re.compile(
    rf"{_SOFTLY}(?:{_HOLD})(?: (?:please|will you|would you|{_HOLD}))*(?: {_ERRAND})?(?: please)?"
)


def is_backchannel(text: str, *, over_agent: bool) -> bool:
    """
    Whether *text* only says that the caller listens.

    Args: over_agent: said while the agent speaks: then "okay" and "right" are no answer either.
    """
    form = _AGREEING if over_agent else _LISTENING
    return form.fullmatch(_plain(text)) is not None


def is_noise(text: str, *, words_max: int = 1) -> bool:
    """
    Whether *text*, said over the agent and fitting no template, is too little to stop it: no more
    than *words_max* words, a recognizer's guess at "uh-huh" or at a cough; or as many after "I see"
    and the like, which are of another voice in the room.
    """
    said = _plain(text)
    if _INTERRUPTS.intersection(said.split()):
        return False
    listens = _AGREEING.match(said)
    return len(said[listens.end() if listens else 0 :].split()) <= words_max


def asks_to_wait(text: str) -> bool:
    """Whether *text* asks the agent to wait, and nothing else: "hang on, let me find it"."""
    return _WAITING.fullmatch(_plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(normalize(text).replace(",", " ").replace("-", " ").split())
