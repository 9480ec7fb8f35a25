"""
What a sentence means that no template accepts: its values masked, the nearest examples, rules.

The classifier proposes, and fixed rules refuse: a score never decides whether "don't cancel it"
cancels.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from hassil import Intents

from agent_worker.reasoning import free_text, mood
from agent_worker.reasoning.asides import is_aside, without_asides
from agent_worker.reasoning.classifier import Classifier, Example
from agent_worker.reasoning.clauses import clauses, is_topic
from agent_worker.reasoning.lessons import MASK, NOTHING, Lesson, Lessons, as_compared
from agent_worker.reasoning.match import THE_SAME, Match, Unsure
from agent_worker.reasoning.mentions import (
    Kinds,
    Mention,
    apart,
    journalled,
    mask,
    mask_of,
    mentions,
    without_refused,
)
from agent_worker.reasoning.reading import SAYS_NO, Candidate, Reading, decide
from agent_worker.reasoning.target import target, without
from agent_worker.reasoning.template_file import TemplateFile
from agent_worker.reasoning.turn import Turn

BY_A_PART = 0.7
"""The least score of an intent that a part of the sentence says as a template does."""
CLAUSE_WORDS_MIN = 2
FOREIGN = 0.5
"""The score from which a clause surely means nothing: what "fix it" is about is none of ours."""
BY_LAST = 0.9
"""What the score of the last clause counts, beside that of the whole sentence,"""
BY_A_CLAUSE = 0.8
"""and of another one: the reason or the subject mostly goes before the wish."""
MISFIT = 0.6
"""By this a candidate's score is lowered for each value that it has no slot for."""
ABOUT_OTHER = 0.7
"""And by this for a word of another trade; what changes something is not meant then."""
NAMED = 0.85
"""Or by this where some of its examples name such a value all the same."""
_IT = re.compile(r"\b(?:it|that one|this one|the same one)\b", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class _Fits:
    """How well a sentence fits an intent."""

    score: float
    nothing: float
    """How well the same words fit what means nothing."""
    part: str
    """The clause that fits best, or the whole."""
    foreign: bool = False
    """Whether some clause surely means nothing."""


class Wishes:
    """What the intents of an agent are meant by, learned from its file of templates."""

    def __init__(
        self,
        file: TemplateFile,
        intents: Intents,
        slots: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.kinds: Kinds = file.kinds
        self._lessons = Lessons(file, intents, slots)

    def learn(self) -> None:
        """Fit the examples, which the first sentence does else."""
        _ = self._classifier, self._lessons.words, self._lessons.foreign

    @property
    def examples(self) -> Sequence[Example]:
        """What is learned from, values masked."""
        return self._lessons.examples

    @cached_property
    def _classifier(self) -> Classifier | None:
        examples = self.examples
        return Classifier.fit(examples, self._lessons.families.heads) if examples else None

    def read(
        self,
        turn: Turn,
        writes: Collection[str] | None = None,
        exact: Collection[str] = (),
    ) -> Reading:
        """
        What *turn* may mean.

        Args:
            writes: The tools that change something; None: all do.
            exact: The intents that a template accepts a part of *turn* for.
        """
        found = mentions(turn, self.kinds)
        if self._classifier is None:
            return Reading("unclear", (), "there are no examples", tuple(found))
        if why := mood.is_out_of_bounds(turn):
            return Reading("unclear", (), why, tuple(found))
        scores: dict[str, Mapping[str, float]] = {}
        scored: list[Candidate] = []
        left = 1.0
        for name, intent in self._lessons.intents.items():
            chosen = apart(self._lessons.in_words_of(intent.slots, found), intent.slots)
            changes = intent.rule.tool is not None and (
                writes is None or intent.rule.tool in writes
            )
            meant = target(turn, chosen) if changes else chosen
            said = mask(without(turn, chosen, meant), meant, self.kinds)
            fits = self._fits(name, said, scores)
            score, misfits = self._fit(turn, intent, chosen, fits.score)
            if not changes and (other := self._of_other_trades(intent, fits.part)):
                score *= ABOUT_OTHER
                misfits = (*misfits, f"{other!r} is of another trade")
            if name in exact and intent.rule.tool is not None and score < BY_A_PART:
                left = min(left, (1 - BY_A_PART) / (1 - score))
                score = BY_A_PART
            valued = without_refused(as_compared(said), ())
            match = self._fill(turn, name, intent, meant, valued)
            left_behind = [one for one in chosen if one not in meant]
            match = self._from(match, intent, left_behind)
            refused = ""
            if self._mask_strange(intent, valued) in intent.not_meant:
                refused = "it is a counter-example"
            elif changes and (other := self._of_other_trades(intent, fits.part)):
                refused = f"it is about something else: {other!r}"
            elif changes and fits.foreign:
                refused = "a part of it is about something else"
            elif changes:
                all_masked = mask(str(turn), chosen, self.kinds)
                refused = _refusal(turn, all_masked, fits.part, intent, match)
            scored.append(Candidate(match, score, misfits, refused, fits.nothing))
        # What a part of the sentence says leaves the less for all else.
        scored = [
            one if one.match.intent in exact else replace(one, score=one.score * left)
            for one in scored
        ]
        scored = [replace(one, nothing=one.nothing * left) for one in scored]
        scored.sort(key=lambda one: -one.score)
        return replace(decide(scored), found=tuple(found))

    def says_no_to(self, name: str, turn: Turn) -> bool:
        """Whether *turn* says no to what the intent of that name is about."""
        intent = self._lessons.intents[name]
        said = mood.negated(turn)
        return any(word in intent.about and word not in intent.negates for word in said)

    def masked(self, turn: Turn, found: Sequence[Mention]) -> str:
        """*turn* as the examples are, with all the values that were *found* in it masked."""
        return as_compared(mask(str(turn), apart(found, ()), self.kinds))

    def _fits(self, name: str, said: str, known: dict[str, Mapping[str, float]]) -> "_Fits":
        """
        How well *said* fits the intent of that name, by its best clause or as a whole.

        Args: known: Filled with the scores of texts.
        """
        assert self._classifier is not None
        best = _Fits(0.0, 0.0, said)
        foreign = False
        parts = clauses(said)
        for text in dict.fromkeys((said, *parts)):
            plain = without_refused(as_compared(text), ())
            if text is not said and is_aside(text):
                continue
            masked = self._mask_strange(self._lessons.intents[name], plain)
            if masked not in known:
                known[masked] = self._classifier.scores(masked)
            scores = known[masked]
            nothing = scores.get(NOTHING, 0.0)
            weight = self._weight(text, plain, said, parts[-1])
            best = max(best, _Fits(weight * scores.get(name, 0.0), weight * nothing, text))
            if not set(MASK.findall(plain)) & self._lessons.intents[name].takes:
                foreign = foreign or nothing >= max(FOREIGN, *scores.values())
        return replace(best, foreign=foreign)

    def _weight(self, text: str, plain: str, said: str, last: str) -> float:
        """What the score of *text* counts, a clause of *said* or all of it."""
        if text is said:
            return 1.0
        # "My room" alone names what the rest is about.
        says_little = len(MASK.sub(" ", plain).split()) < CLAUSE_WORDS_MIN
        if says_little or (text is not last and is_topic(text)):
            return 0.0
        return BY_LAST if text is last else BY_A_CLAUSE

    def _of_other_trades(self, intent: Lesson, part: str) -> str:
        """The word of another trade in *part*; none where *intent* takes words as they come."""
        found = self._lessons.foreign.search(part.lower()) if intent.takes_no_text else None
        return found[0] if found else ""

    def _fit(
        self, turn: Turn, intent: Lesson, chosen: Sequence[Mention], score: float
    ) -> tuple[float, tuple[str, ...]]:
        """*score*, lowered for each value that *intent* has no slot for, and why."""
        why: list[str] = []
        for one in chosen:
            words = str(turn)[one.found.start : one.found.end]
            if one.list_name in intent.slots or words.lower() == "one":
                continue
            # Some examples name a day that the tool does not take.
            named = mask_of(one.list_name, self.kinds) in intent.mentions
            score *= NAMED if named else MISFIT
            why += [] if named else [f"has no slot for {words!r}"]
        return score, tuple(why)

    def _fill(
        self, turn: Turn, name: str, intent: Lesson, chosen: Sequence[Mention], valued: str
    ) -> Match:
        values: dict[str, list[Any]] = {}
        unsure: dict[str, Unsure] = {}
        for one in chosen:
            if (slot := intent.slots.get(one.list_name)) is None:
                continue
            value = journalled(self.kinds[one.list_name], one.found.value)
            if value not in values.setdefault(slot, []):
                values[slot].append(value)
            if one.found.question:
                said = str(turn)[one.found.start : one.found.end]
                unsure[slot] = Unsure(said, one.found.question, one.found.value)
        several = next((slot for slot, said in values.items() if len(said) > 1), "")
        slots: dict[str, Any] = {
            slot: said if slot == several else said[0]
            for slot, said in values.items()
            if slot not in unsure
        }
        if _IT.search(turn):
            slots = {**dict.fromkeys(intent.can_be_it - values.keys(), THE_SAME), **slots}
        if intent.rule.whole_sentence:
            slots[intent.rule.whole_sentence] = str(turn).strip()
        else:
            slots = {**self._free_text(turn, intent, valued), **slots}
        return Match(name, slots, unsure=unsure, several=several if several in slots else "")

    def _from(self, match: Match, intent: Lesson, left_behind: Sequence[Mention]) -> Match:
        """*match* with what is *left_behind* in another slot of its kind: the day that it was."""
        slots = dict(match.slots)
        for one in left_behind:
            kind = self.kinds[one.list_name]
            others = (
                slot
                for list_name, slot in intent.slots.items()
                if self.kinds[list_name].name == kind.name
                and slot != intent.slots.get(one.list_name)
            )
            slot = next((slot for slot in others if slot not in slots), None)
            if slot is not None and slot not in match.unsure and not one.found.question:
                slots[slot] = journalled(kind, one.found.value)
        return replace(match, slots=slots)

    def _free_text(self, turn: Turn, intent: Lesson, valued: str) -> Mapping[str, str]:
        """Words that no kind finds: by the forms of the examples, else those that are in none."""
        # A value that is no part of it ends it: "more of the green for {name}".
        if found := free_text.by_lead(intent.texts, valued, self._lessons.words):
            return found
        if found := free_text.by_form(intent.forms, str(turn), as_compared):
            return found
        wildcards = (one.slot for one in intent.forms if one not in intent.texts)
        needed = next((slot for slot in wildcards if slot in intent.rule.ask), None)
        words = free_text.strange(valued, self._lessons.words) if needed else ""
        return {needed: free_text.whole(words, as_compared(str(turn)))} if needed and words else {}

    def _mask_strange(self, intent: Lesson, plain: str) -> str:
        if not intent.forms:
            return plain
        return free_text.masked(plain, free_text.strange(plain, self._lessons.words))


def _refusal(turn: Turn, masked: str, part: str, intent: Lesson, match: Match) -> str:
    """
    Why *turn*, with its values *masked*, is not meant as *intent*, whose tool changes things.

    Args: part: The clause of *masked* that means it.
    """
    if why := mood.no_wish(without_asides(masked)) or mood.is_report(part):
        return why
    if any(word in intent.about for word in mood.done(turn)):
        return "it tells what was done"
    for word in mood.negated(turn):
        if word in intent.says and word not in intent.negates:
            return f"{SAYS_NO} {word!r}"
    if intent.slots and not match.slots and mood.means_several(without_asides(turn)):
        return "it means several at once"
    return ""
