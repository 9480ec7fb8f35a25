"""Words by which a caller takes a wish back and says no other one: "better not", "keep it"."""

import re

from agent_worker.reasoning.normalize import normalize

_SOFTLY = (
    r"oh|ooh|ah|um|uh|er|hm|hmm|well|wait|ok|okay|sorry|actually|please|just|then|now|i think|"
    r"(?:on )?(?:second|2nd) thoughts?|no|nope|nah|thanks|thank you|for now|at all|any ?more|"
    r"after all|you know what|love|dear|mate"
)
_LEAVES_IT = re.compile(
    rf"(?:(?:{_SOFTLY}) )*(?:never ?mind|"
    r"(?:forget|leave|drop|skip|scratch|scrap)(?: about)? (?:it|that|i (?:asked|said anything))"
    r"(?: (?:be|as it is|as is|like that|alone|for now))?|cancel that|not now|"
    r"(?:rather|better|please|certainly|absolutely|definitely) not|i'd rather not|"
    r"(?:i'll|i will|i'd rather|i'd better|let me) keep (?:it|that)|"
    r"(?:that's|that is) (?:the wrong 1|not (?:it|the (?:right )?1|what i (?:meant|said|want)))|"
    r"(?:let me|i'll|i'd better|i (?:have|need|want) to)(?: just)? (?:sleep on it|"
    r"think (?:it over|about (?:it|that|this))|get back to you)(?: first)?|neither|none of (?:them|"
    r"those)|nothing|don't(?: bother)?|stop(?: it)?|"
    r"(?:let's|let us) (?:not|(?:leave|forget|drop) (?:it|that))|"
    r"i(?:'ve| have)? (?:changed my mind|misread (?:it|that)|made a mistake|thought better of it)|"
    rf"i don't want (?:to|it|that)|no(?: thanks| thank you)?)(?: (?:{_SOFTLY}))*"
)
REASON_WORDS_MIN = 3
_EXCLAIMS = (
    r"(?:(?:oh|ooh|ah|um|uh|er|hm|hmm|well|sorry|actually|wait|my|god|gosh|shoot|crap|damn|dang|"
    r"darn|"
    r"whoops|oops|argh|ugh|hell|jeez|blimey|dear|dear me|goodness)\b\W*)+"
)


def leaves(text: str) -> bool:
    """Whether *text* takes the wish back and says nothing else."""
    return _LEAVES_IT.fullmatch(normalize(text)) is not None


def leaves_first(text: str) -> bool:
    """Whether *text* takes the wish back before it says why: "better not, I'll ask my wife"."""
    first, *rest = re.split(r"[,.;:!]+\s+", text)
    while rest and re.fullmatch(_EXCLAIMS, first, re.IGNORECASE) and not leaves(first):
        first, *rest = rest
    # "No, blue" says what is meant instead.
    return len(" ".join(rest).split()) >= REASON_WORDS_MIN and leaves(first)
