"""The parts of a sentence that say something by themselves: the reason, then the wish."""

import re

_ENDS = re.compile(
    r"[,;:!?\u2013\u2014]+(?=\s|$)|\.(?=\s|$)|--+|"
    r"\b(?:so|but|because|cos|'cause|since|although|though|unless)\b|"
    r"\b(?:and|then)\b(?= (?:i|i'd|i'm|i'll|i've|we|we'd|can|could|would|will|is|are|do|does|where|"
    r"when|what|how|which|please|it|it's|that|my|you|now|nobody|there|there's|want|need|tell|give)\b)",
    re.IGNORECASE,
)
WORDS_MIN = 2
_TOPIC = re.compile(
    r"(?:(?:it's|it is|this is|that's) )?(?:(?:about|regarding|concerning|with) )?"
    r"(?:my|the|this|that|a|an|your) "
    r"(?:(?!(?:is|are|was|were|am|has|have|had|do|does|did|will|won't|can|can't|could|would|should|"
    r"isn't|doesn't|need|needs|want|wants|please|i)\b)[\w{}':-]+ ?){1,4}"
)


def clauses(text: str) -> list[str]:
    """The clauses of *text* that have at least two words; *text* alone if there is but one."""
    parts = [part.strip() for part in _ENDS.split(text)]
    return [part for part in parts if len(part.split()) >= WORDS_MIN] or [text]


def is_topic(clause: str) -> bool:
    """Whether *clause* only names what the next one is about: "my room upstairs"."""
    return _TOPIC.fullmatch(clause.lower().strip()) is not None
