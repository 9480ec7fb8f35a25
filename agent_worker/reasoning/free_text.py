"""Words in a sentence that no kind of value finds: the thing that somebody looks for."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from agent_worker.reasoning import mood
from agent_worker.reasoning.classifier import ANY
from agent_worker.reasoning.clauses import clauses

_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_WORD = re.compile(r"\{[a-z_]+\}|[^\s,]+")
_OF_WHAT = r"\b(?:a|an|the|any|some|your) (\S+ (?:for|with|of) (?:(?:a|an|the|my) )?"
"""Before words that tell more about a thing: "the stool for" children."""
_ARTICLE = re.compile(r"^(?:a|an|the|any|some|your|my|one of your|1 of your|\d+)\s+")
LEAD_WORDS_MIN, LEAD_WORDS_MAX = 2, 3
"""Of the words before free text, by which it is known in the middle of a sentence."""
_POINTS = frozenset("1 one it that this them these those any some something anything".split())
"""What stands for a thing that was named before."""


@dataclass(frozen=True)
class Form:
    """How an example says free text."""

    pattern: re.Pattern[str]
    slot: str
    before: re.Pattern[str] | None
    """Finds the words before it within a sentence, if they are enough to know it by."""

    @classmethod
    def of(cls, example: str, slot: str, plain: Callable[[str], str]) -> "Form":
        """Args: plain: Gives a text as examples are compared."""
        before, after = (
            plain(part) if part.strip() else "" for part in _PLACEHOLDER.split(example, maxsplit=1)
        )
        whole = re.compile(rf"{re.escape(before)}\s*(.+?)\s*{re.escape(after)}")
        words = before.split()
        near = re.escape(" ".join(words[-LEAD_WORDS_MAX:]))
        enough = len(words) >= LEAD_WORDS_MIN
        lead = re.compile(rf"\b{near} ((?!\{{)\S+)(?!\S)") if enough else None
        return cls(whole, slot, lead)


def by_form(forms: Sequence[Form], text: str, plain: Callable[[str], str]) -> dict[str, str]:
    """The slot that *text*, or a clause of it, fills in the words of one of *forms*."""
    for part in dict.fromkeys((*clauses(text), text)):
        said = plain(part)
        for one in forms:
            found = one.pattern.fullmatch(said)
            if found and found[1] not in _POINTS:
                return {one.slot: _ARTICLE.sub("", found[1])}
    return {}


def by_lead(forms: Sequence[Form], plain: str, known: Collection[str]) -> dict[str, str]:
    """The slot of a word in *plain* that is not *known* and that one of *forms* leads to."""
    for one in forms:
        found = one.before.search(plain) if one.before is not None else None
        if found and found[1] not in known and mood.stem(found[1]) not in known:
            return {one.slot: found[1]}
    return {}


def strange(plain: str, known: Collection[str]) -> str:
    """The longest run of words in *plain* that are not *known*: what free text is about."""
    runs: list[list[str]] = [[]]
    for word in _WORD.findall(plain):
        if word in known or word.startswith("{"):
            runs.append([])
        else:
            runs[-1].append(word)
    # Other forms of known words count only beside a strange one: "cargo bikes".
    found = (" ".join(run) for run in runs if any(mood.stem(one) not in known for one in run))
    return max(found, key=len, default="")


def whole(words: str, plain: str) -> str:
    """*words* with what they tell more about in *plain*: "stool for children" of "children"."""
    found = re.search(rf"{_OF_WHAT}{re.escape(words)})(?!\S)", plain)
    return found[1] if found else words


def masked(plain: str, words: str) -> str:
    """*plain* with a mask instead of *words*."""
    if not words:
        return plain
    return re.sub(rf"\b(?:(?:a|an|the|any|some) )?{re.escape(words)}\b", ANY, plain, count=1)
