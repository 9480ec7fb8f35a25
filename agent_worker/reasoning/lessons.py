"""What a file of templates teaches: its sentences with their values masked, and their words."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hassil import Intents

from agent_worker.reasoning import mood
from agent_worker.reasoning.asides import without_asides
from agent_worker.reasoning.classifier import ANY, Example, tokens
from agent_worker.reasoning.free_text import Form
from agent_worker.reasoning.match import THE_SAME
from agent_worker.reasoning.mentions import (
    ONE_OF,
    TEXT,
    Kinds,
    Mention,
    apart,
    mask,
    mask_of,
    mentions,
)
from agent_worker.reasoning.normalize import normalize
from agent_worker.reasoning.other_trades import OTHER_TRADES
from agent_worker.reasoning.sampling import samples
from agent_worker.reasoning.small_talk import SMALL_TALK
from agent_worker.reasoning.template_file import IntentRule, TemplateFile, slots_in
from agent_worker.reasoning.turn import Turn
from agent_worker.reasoning.word_families import Families

NOTHING = ""
"""The label of sentences that mean no intent."""
SAMPLES = 6
"""Of each template; with the author's examples they are what is learned from."""
SAMPLE_WEIGHT = 0.25
ELSEWHERE_WEIGHT = 0.5
"""Of an example with values masked that its own intent does not take."""
SMALL_TALK_WEIGHT = 0.2
"""An author's own examples count more: an agent may tell the weather."""
_SOME_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When an example is said: its values are masked anyway."""
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
MASK = re.compile(r"\{[a-z_]+\}")


@dataclass(frozen=True)
class Lesson:
    """What the examples of an intent say about it."""

    rule: IntentRule
    slots: Mapping[str, str]
    """By list: the slot that its value fills."""
    can_be_it: frozenset[str]
    """Slots that some sentence fills with "it"."""
    forms: tuple[Form, ...]
    """How its examples say free text."""
    texts: tuple[Form, ...]
    """Those of them whose list has the type `text`."""
    says: frozenset[str]
    """Stems of the words in its examples."""
    about: frozenset[str]
    """Stems of the words that say what it is."""
    negates: frozenset[str]
    """Stems of the words that its examples say no to."""
    takes: frozenset[str]
    """The masks of values that it has a slot for."""
    takes_no_text: bool
    """Whether it has a tool, and none that takes words as they come."""
    mentions: frozenset[str]
    """The masks of values that its examples name."""
    not_meant: tuple[str, ...]
    """Its counter-examples, masked."""


class Lessons:
    """The lessons of a file, by intent, and what is learned from all of them."""

    def __init__(
        self, file: TemplateFile, intents: Intents, slots: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.kinds: Kinds = file.kinds
        self.families = Families(file.alike)
        self._choices = frozenset(name for name, kind in file.kinds.items() if kind.name == ONE_OF)
        self.intents = {
            name: self._learn(name, rule, slots[name], file)
            for name, rule in file.intents.items()
            if name in intents.intents
        }
        self._file, self._templates = file, intents

    @cached_property
    def examples(self) -> Sequence[Example]:
        """What is learned from, values masked."""
        return tuple(self._all_examples())

    @cached_property
    def foreign(self) -> re.Pattern[str]:
        """Finds words of other trades, which no example has."""
        own = (token for one in self.examples if one.label != NOTHING for token in tokens(one.text))
        return self.families.foreign(frozenset(own))

    @cached_property
    def words(self) -> frozenset[str]:
        """
        The words of families and of the examples and their stems, but for those of intents that
        take whole sentences.
        """
        of_free_text = {name for name, one in self.intents.items() if one.rule.whole_sentence}
        return self.families.words | frozenset(
            word
            for one in self.examples
            if one.label not in of_free_text
            for token in tokens(one.text)
            for word in (token, mood.stem(token))
        )

    def in_words_of(self, slots: Collection[str], found: Sequence[Mention]) -> list[Mention]:
        """
        *found* without choices that none of *slots* takes: their words say what is meant, and stay.
        """
        return [
            one for one in found if one.list_name in slots or one.list_name not in self._choices
        ]

    def _learn(
        self, name: str, rule: IntentRule, slots: Mapping[str, str], file: TemplateFile
    ) -> Lesson:
        forms = [
            Form.of(sentence, slot, as_compared)
            for sentence in rule.examples
            for list_name, slot in slots_in(sentence)
            if self._takes_any(list_name, file)
        ]
        texts = [*rule.examples, *(one for data in rule.data for one in data.sentences)]
        learned = [self._as_learned(sentence, slots) for sentence in rule.examples]
        return Lesson(
            rule=rule,
            slots={name: slot for name, slot in slots.items() if name in self.kinds},
            can_be_it=frozenset(
                slot
                for data in rule.data
                for slot, value in data.slots.items()
                if value == THE_SAME
            ),
            forms=tuple(forms),
            texts=tuple(one for one in forms if one.slot in self.kinds),
            says=frozenset(mood.stem(word) for text in texts for word in tokens(text)),
            about=frozenset(mood.stem(word) for word in tokens(f"{rule.about} {name}")),
            negates=frozenset(word for text in rule.examples for word in mood.negated(text)),
            takes=frozenset(mask_of(one, self.kinds) for one in slots if one in self.kinds),
            takes_no_text=bool(rule.tool and not forms and not rule.whole_sentence),
            mentions=frozenset(mask for text in learned for mask in MASK.findall(text)),
            not_meant=tuple(self._as_learned(one, slots) for one in rule.counter_examples),
        )

    def _takes_any(self, list_name: str, file: TemplateFile) -> bool:
        """Whether any words are a value of that list."""
        if (kind := self.kinds.get(list_name)) is not None:
            return kind.name == TEXT
        return file.lists[list_name].wildcard

    def _all_examples(self) -> Iterator[Example]:
        file, intents = self._file, self._templates
        if not any(rule.examples for rule in file.intents.values()):
            return
        for name, intent in self.intents.items():
            for sentence in intent.rule.examples:
                yield from self._learned(sentence, intent.slots, name)
            for sentence in intent.rule.counter_examples:
                yield from self._learned(sentence, intent.slots, NOTHING)
            for sentence in samples(intents, name, SAMPLES):
                yield Example(self._as_learned(sentence, intent.slots), name, SAMPLE_WEIGHT)
        for sentence in file.nothing:
            yield from self._learned(sentence, (), NOTHING)
        for sentence in (*SMALL_TALK.strip().splitlines(), *self._others()):
            yield Example(self._as_learned(sentence, ()), NOTHING, SMALL_TALK_WEIGHT)

    def _others(self) -> Iterator[str]:
        """What people want from other trades, with days and times as this agent hears them."""
        lists = {kind.name: name for name, kind in self.kinds.items()}
        for sentence in OTHER_TRADES.strip().splitlines():
            yield _PLACEHOLDER.sub(
                lambda found: f"{{{lists.get(found[0].strip('{}'), '')}}}", sentence
            ).replace("{}", "now")

    def _learned(self, sentence: str, slots: Collection[str], label: str) -> Iterator[Example]:
        """*sentence* as an intent with *slots* reads it, and as one that has all choices does."""
        own = self._as_learned(sentence, slots)
        yield Example(own, label)
        every = self._as_learned(sentence, [*slots, *self._choices])
        if every != own:
            yield Example(every, label, ELSEWHERE_WEIGHT)

    def _as_learned(self, sentence: str, slots: Collection[str]) -> str:
        """*sentence* with its `{slots}` and the values in it masked."""
        masked = _PLACEHOLDER.sub(lambda found: self._masked_slot(found[0]), sentence)
        parts = re.split(r"(\{[a-z_]+\})", masked)
        for number in range(0, len(parts), 2):
            turn = Turn(parts[number], _SOME_DAY)
            found = self.in_words_of(slots, mentions(turn, self.kinds))
            parts[number] = mask(str(turn), apart(found, slots), self.kinds)
        return as_compared("".join(parts))

    def _masked_slot(self, written: str) -> str:
        list_name = written.strip("{}").partition(":")[0]
        kind = self.kinds.get(list_name)
        return ANY if kind is None or kind.name == TEXT else mask_of(list_name, self.kinds)


def as_compared(text: str) -> str:
    """*text* without what is said around a wish, as examples are compared."""
    return _unmasked(normalize, without_asides(text))


def _unmasked(change: Any, text: str) -> str:
    """*text* changed but for what stands in braces."""
    parts = re.split(r"(\{[a-z_]+\})", text)
    parts[::2] = [change(part) for part in parts[::2]]
    return " ".join(" ".join(parts).split())
