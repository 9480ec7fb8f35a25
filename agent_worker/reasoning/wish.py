"""
What a sentence means that no template accepts: its values masked, the nearest examples, rules.

The classifier proposes, and fixed rules refuse: a score never decides whether "don't cancel it"
cancels.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import cached_property
from typing import Any, Literal

from hassil import Intents

from agent_worker.reasoning import mood
from agent_worker.reasoning.classifier import ANY, Classifier, Example, tokens
from agent_worker.reasoning.match import THE_SAME, Match, Unsure
from agent_worker.reasoning.mentions import (
    ONE_OF,
    Kinds,
    Mention,
    apart,
    journalled,
    mask,
    mask_of,
    mentions,
    without_refused,
)
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.sampling import samples
from agent_worker.reasoning.small_talk import SMALL_TALK
from agent_worker.reasoning.template_file import IntentRule, TemplateFile, slots_in
from agent_worker.reasoning.turn import Turn
from agent_worker.values.tokens import before

NOTHING = ""
"""The label of sentences that mean no intent."""
NEAR = 0.28
"""A score from which a candidate may be meant."""
APART = 0.62
"""The best candidate is clear if the next one scores no more than this part of its score,"""
AHEAD = 0.12
STRONG = 0.40
"""or if it scores as much as this and is so far ahead."""
NOTHING_APART = 0.85
"""How much of its score sentences that mean nothing may have."""
SAMPLES = 6
"""Of each template; with the author's examples they are what is learned from."""
SAMPLE_WEIGHT = 0.25
SMALL_TALK_WEIGHT = 0.2
"""An author's own examples count more: an agent may tell the weather."""
BY_A_PART = 0.7
"""The least score of an intent that a part of the sentence says as a template does."""
MISFIT = 0.6
"""By this a candidate's score is lowered for each value that it has no slot for."""
_SOME_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When an example is said: its values are masked anyway."""
_SAYS_NO = "it says no to"
_IT = re.compile(r"\b(?:it|that one|this one|the same one)\b", re.IGNORECASE)
_TO = re.compile(r"\bto (?:(?:on|at|the) )*$", re.IGNORECASE)
_LEAD = re.compile(r"\b(?:(?:from|on|at|the|for)\s+)+$", re.IGNORECASE)
_BESIDE = re.compile(r"[\s,]*(?:(?:on|at|around|about|in|the|for)\s+)*", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_WORD = re.compile(r"\{[a-z_]+\}|[^\s,]+")
_OF_WHAT = r"\b(?:a|an|the|any|some|your) (\S+ (?:for|with|of) (?:(?:a|an|the|my) )?"
"""Before words that tell more about a thing: "the stool for" children."""
_ARTICLE = re.compile(r"^(?:a|an|the|any|some|your|my|one of your)\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """An intent that a sentence may mean."""

    match: Match
    score: float
    why: tuple[str, ...] = ()
    """What lowered the score."""
    refused: str = ""
    """By which rule it is not meant, however high its score."""
    nothing: float = 0.0
    """The score of sentences that mean nothing."""

    @property
    def negated(self) -> bool:
        """Whether the caller says not to do it."""
        return self.refused.startswith(_SAYS_NO)


@dataclass(frozen=True)
class Reading:
    """What a sentence may mean."""

    verdict: Literal["clear", "near", "unclear"]
    candidates: tuple[Candidate, ...]
    """The best first."""
    why: str
    found: tuple[Mention, ...] = ()

    @property
    def matches(self) -> tuple[Match, ...]:
        """What to act on, or which two to ask about; none when it is unclear."""
        count = {"clear": 1, "near": 2, "unclear": 0}[self.verdict]
        return tuple(one.match for one in self.candidates[:count])


@dataclass(frozen=True)
class _Intent:
    """What the examples of an intent say about it."""

    rule: IntentRule
    slots: Mapping[str, str]
    """By list: the slot that its value fills."""
    can_be_it: frozenset[str]
    """Slots that some sentence fills with "it"."""
    forms: "tuple[_Form, ...]"
    """How its examples say free text."""
    says: frozenset[str]
    """Stems of the words in its examples."""
    about: frozenset[str]
    """Stems of the words that say what it is."""
    negates: frozenset[str]
    """Stems of the words that its examples say no to."""
    not_meant: tuple[str, ...] = ()
    """Its counter-examples, masked."""


@dataclass(frozen=True)
class _Form:
    """An example with free text."""

    pattern: re.Pattern[str]
    slot: str


class Wishes:
    """What the intents of an agent are meant by, learned from its file of templates."""

    def __init__(
        self,
        file: TemplateFile,
        intents: Intents,
        slots: Mapping[str, Mapping[str, str]],
        courtesy: re.Pattern[str] | None,
    ) -> None:
        self.kinds: Kinds = file.kinds
        self._courtesy = courtesy
        self._intents = {
            name: self._learn(name, rule, slots[name], file)
            for name, rule in file.intents.items()
            if name in intents.intents
        }
        self._file, self._templates = file, intents

    def learn(self) -> None:
        """Fit the examples, which the first sentence does else."""
        _ = self._classifier, self._words

    @cached_property
    def examples(self) -> Sequence[Example]:
        """What is learned from, values masked."""
        return tuple(self._all_examples(self._file, self._templates))

    @cached_property
    def _classifier(self) -> Classifier | None:
        return Classifier.fit(self.examples) if self.examples else None

    @cached_property
    def _words(self) -> frozenset[str]:
        """
        The words of the examples and their stems, but for those of intents that take whole
        sentences.
        """
        of_free_text = {name for name, one in self._intents.items() if one.rule.whole_sentence}
        return frozenset(
            word
            for one in self.examples
            if one.label not in of_free_text
            for token in tokens(one.text)
            for word in (token, mood.stem(token))
        )

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
        by_mask: dict[str, dict[str, float]] = {}
        scored: list[Candidate] = []
        left = 1.0
        for name, intent in self._intents.items():
            # The words of a choice that it has no slot for say what is meant: they stay.
            own = [
                one
                for one in found
                if one.list_name in intent.slots or self.kinds[one.list_name].name != ONE_OF
            ]
            chosen = apart(own, intent.slots)
            changes = intent.rule.tool is not None and (
                writes is None or intent.rule.tool in writes
            )
            meant = _target(turn, chosen) if changes else chosen
            valued = self._plain(mask(_without(turn, chosen, meant), meant, self.kinds))
            valued = without_refused(valued, ())
            masked = self._mask_strange(valued) if intent.forms else valued
            if masked not in by_mask:
                by_mask[masked] = self._classifier.scores(masked)
            score, misfits = self._fit(turn, intent, chosen, by_mask[masked].get(name, 0.0))
            if name in exact and intent.rule.tool is not None and score < BY_A_PART:
                left = min(left, (1 - BY_A_PART) / (1 - score))
                score = BY_A_PART
            match = self._fill(turn, name, intent, meant, valued)
            refused = ""
            if masked in intent.not_meant:
                refused = "it is a counter-example"
            elif changes:
                refused = _refusal(turn, mask(str(turn), chosen, self.kinds), intent, match)
            nothing = by_mask[masked].get(NOTHING, 0.0)
            scored.append(Candidate(match, score, misfits, refused, nothing))
        # What a part of the sentence says leaves the less for all else.
        scored = [
            one if one.match.intent in exact else replace(one, score=one.score * left)
            for one in scored
        ]
        scored = [replace(one, nothing=one.nothing * left) for one in scored]
        scored.sort(key=lambda one: -one.score)
        return replace(_decide(scored), found=tuple(found))

    def says_no_to(self, name: str, turn: Turn) -> bool:
        """Whether *turn* says no to what the intent of that name is about."""
        intent = self._intents[name]
        said = mood.negated(turn)
        return any(word in intent.about and word not in intent.negates for word in said)

    def masked(self, turn: Turn, found: Sequence[Mention]) -> str:
        """*turn* as the examples are, with all the values that were *found* in it masked."""
        return self._plain(mask(str(turn), apart(found, ()), self.kinds))

    def _fit(
        self, turn: Turn, intent: _Intent, chosen: Sequence[Mention], score: float
    ) -> tuple[float, tuple[str, ...]]:
        """*score*, lowered for each value that *intent* has no slot for, and why."""
        said = [
            str(turn)[one.found.start : one.found.end]
            for one in chosen
            if one.list_name not in intent.slots
        ]
        said = [words for words in said if words.lower() != "one"]
        return score * MISFIT ** len(said), tuple(f"has no slot for {words!r}" for words in said)

    def _fill(
        self, turn: Turn, name: str, intent: _Intent, chosen: Sequence[Mention], valued: str
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
        slots.update(self._free_text(turn, intent, valued))
        return Match(name, slots, unsure=unsure, several=several if several in slots else "")

    def _free_text(self, turn: Turn, intent: _Intent, valued: str) -> dict[str, str]:
        """Words that no kind finds: by the forms of the examples, else those that are in none."""
        if intent.rule.whole_sentence:
            return {intent.rule.whole_sentence: str(turn).strip()}
        plain = self._plain(str(turn))
        for one in intent.forms:
            if found := one.pattern.fullmatch(plain):
                return {one.slot: _ARTICLE.sub("", found[1])}
        needed = next((one.slot for one in intent.forms if one.slot in intent.rule.ask), None)
        strange = self._strange(valued)
        if not needed or not strange:
            return {}
        whole = re.search(rf"{_OF_WHAT}{re.escape(strange)})(?!\S)", plain)
        return {needed: whole[1] if whole else strange}

    def _strange(self, plain: str) -> str:
        """The longest run of words that no intent is known by: what free text is about."""
        runs: list[list[str]] = [[]]
        for word in _WORD.findall(plain):
            if word in self._words or word.startswith("{"):
                runs.append([])
            else:
                runs[-1].append(word)
        # Other forms of known words count only beside a strange one: "cargo bikes".
        strange = [
            " ".join(run) for run in runs if any(mood.stem(one) not in self._words for one in run)
        ]
        return max(strange, key=len, default="")

    def _mask_strange(self, plain: str) -> str:
        strange = self._strange(plain)
        if not strange:
            return plain
        return re.sub(rf"\b(?:(?:a|an|the|any|some) )?{re.escape(strange)}\b", ANY, plain, count=1)

    def _plain(self, text: str) -> str:
        """*text* without politeness, as examples are learned."""
        text = _unmasked(normalize, text)
        if self._courtesy:
            text = " ".join(self._courtesy.sub(" ", text).split()) or text
        return text

    def _learn(
        self, name: str, rule: IntentRule, slots: Mapping[str, str], file: TemplateFile
    ) -> _Intent:
        forms = [
            self._form(sentence, list_name, slot)
            for sentence in rule.examples
            for list_name, slot in slots_in(sentence)
            if list_name not in file.kinds and file.lists[list_name].wildcard
        ]
        texts = [*rule.examples, *(one for data in rule.data for one in data.sentences)]
        return _Intent(
            rule=rule,
            slots={name: slot for name, slot in slots.items() if name in self.kinds},
            can_be_it=frozenset(
                slot
                for data in rule.data
                for slot, value in data.slots.items()
                if value == THE_SAME
            ),
            forms=tuple(forms),
            says=frozenset(mood.stem(word) for text in texts for word in tokens(text)),
            about=frozenset(mood.stem(word) for word in tokens(f"{rule.about} {name}")),
            negates=frozenset(word for text in rule.examples for word in mood.negated(text)),
            not_meant=tuple(self._as_learned(one, slots) for one in rule.counter_examples),
        )

    def _form(self, sentence: str, list_name: str, slot: str) -> "_Form":
        before, after = (
            self._plain(part) if part.strip() else ""
            for part in _PLACEHOLDER.split(sentence, maxsplit=1)
        )
        pattern = re.compile(rf"{re.escape(before)}\s*(.+?)\s*{re.escape(after)}")
        return _Form(pattern, slot)

    def _all_examples(self, file: TemplateFile, intents: Intents) -> Iterator[Example]:
        if not any(rule.examples for rule in file.intents.values()):
            return
        for name, intent in self._intents.items():
            for sentence in intent.rule.examples:
                yield Example(self._as_learned(sentence, intent.slots), name)
            for masked in intent.not_meant:
                yield Example(masked, NOTHING)
            for sentence in samples(intents, name, SAMPLES):
                yield Example(self._as_learned(sentence, intent.slots), name, SAMPLE_WEIGHT)
        for sentence in file.nothing:
            yield Example(self._as_learned(sentence, ()), NOTHING)
        for sentence in SMALL_TALK.strip().splitlines():
            yield Example(self._as_learned(sentence, ()), NOTHING, SMALL_TALK_WEIGHT)

    def _as_learned(self, sentence: str, preferred: Collection[str]) -> str:
        """*sentence* with its `{slots}` and the values in it masked."""
        masked = _PLACEHOLDER.sub(lambda found: self._masked_slot(found[0]), sentence)
        parts = re.split(r"(\{[a-z_]+\})", masked)
        for number in range(0, len(parts), 2):
            turn = Turn(parts[number], _SOME_DAY)
            parts[number] = mask(
                str(turn), apart(mentions(turn, self.kinds), preferred), self.kinds
            )
        return self._plain("".join(parts))

    def _masked_slot(self, written: str) -> str:
        list_name = written.strip("{}").partition(":")[0]
        return mask_of(list_name, self.kinds) if list_name in self.kinds else ANY


def _decide(candidates: Sequence[Candidate]) -> Reading:
    best, *rest = candidates
    nothing = best.nothing
    shown = tuple(candidates[:5])
    if best.score < NEAR:
        return Reading("unclear", shown, f"nothing scores {NEAR}")
    if nothing >= best.score:
        return Reading("unclear", shown, f"it is more like nothing ({nothing:.2f})")
    if best.refused:
        return Reading("unclear", shown, f"{best.match.intent}: {best.refused}")
    second = rest[0] if rest else None
    if nothing > NOTHING_APART * best.score:
        return Reading("unclear", shown, f"it may be nothing ({nothing:.2f})")
    said_no_to = next((one for one in rest if one.score >= STRONG and one.negated), None)
    if said_no_to is not None:
        return Reading("unclear", shown, f"{said_no_to.match.intent}: {said_no_to.refused}")
    next_score = second.score if second else 0.0
    strong = best.score >= STRONG and best.score - next_score >= AHEAD
    if strong or next_score <= APART * best.score:
        return Reading("clear", shown, "it is far ahead")
    if second is not None and second.score >= NEAR and not second.refused:
        return Reading("near", shown, "two are near")
    return Reading("unclear", shown, "it is not far enough ahead")


def _target(turn: Turn, said: Sequence[Mention]) -> Sequence[Mention]:
    """Of "from Friday at nine to Monday at ten", what something is changed to."""
    ends = [at for at, one in enumerate(said) if _TO.search(before(str(turn), one.found.start))]
    if len(ends) != 1:
        return said
    parts: list[list[Mention]] = []
    for at, one in enumerate(said):
        gap = str(turn)[said[at - 1].found.end : one.found.start] if at else ""
        if at not in (0, *ends) and _BESIDE.fullmatch(gap):
            parts[-1].append(one)
        else:
            parts.append([one])
    target = next(part for part in parts if said[ends[0]] in part)
    lists = {one.list_name for one in target}
    # "From nine to ten" is how long it takes.
    if len(target) == 1 and isinstance(target[0].found.value, time):
        return said
    return [
        one
        for part in parts
        if part is target or not any(other.list_name in lists for other in part)
        for one in part
    ]


def _without(turn: Turn, said: Sequence[Mention], meant: Sequence[Mention]) -> str:
    """*turn* with spaces for the values that are not *meant*, and for the "from" before them."""
    text = str(turn)
    for one in said:
        if one not in meant:
            lead = _LEAD.search(text[: one.found.start])
            start = lead.start() if lead else one.found.start
            text = f"{text[:start]}{' ' * (one.found.end - start)}{text[one.found.end :]}"
    return text


def _refusal(turn: Turn, masked: str, intent: _Intent, match: Match) -> str:
    """Why *turn*, with its values *masked*, is not meant as *intent*, whose tool changes things."""
    if why := mood.no_wish(masked):
        return why
    if any(word in intent.about for word in mood.done(turn)):
        return "it tells what was done"
    for word in mood.negated(turn):
        if word in intent.says and word not in intent.negates:
            return f"{_SAYS_NO} {word!r}"
    if intent.slots and not match.slots and mood.means_several(turn):
        return "it means several at once"
    return ""


def _unmasked(change: Any, text: str) -> str:
    """*text* changed but for what stands in braces."""
    parts = re.split(r"(\{[a-z_]+\})", text)
    parts[::2] = [change(part) for part in parts[::2]]
    return " ".join(" ".join(parts).split())
