"""Sentence templates: what a caller may say, and which tool or words that leads to."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from hassil import Group, Intents, RecognizeResult, recognize_best
from hassil.errors import HassilError, MissingListError, MissingRuleError
from hassil.expression import ListReference, RuleReference
from hassil.intents import IntentData, SlotList, TextSlotList
from hassil.parser import ParseError

from agent_worker.reasoning.match import THE_SAME, Match, Unsure
from agent_worker.reasoning.mentions import (
    Kinds,
    Mention,
    hours,
    journalled,
    mentions,
    without_refused,
)
from agent_worker.reasoning.normalize import HOMOPHONES, hear_number, normalize, repair
from agent_worker.reasoning.opinions import Opinions, in_words, may_change
from agent_worker.reasoning.reading import Reading
from agent_worker.reasoning.template_file import (
    ANSWER_PREFIX,
    IntentRule,
    TemplateError,
    TemplateFile,
    read,
    slots_in,
)
from agent_worker.reasoning.turn import Turn
from agent_worker.reasoning.wish import Wishes
from agent_worker.values.value import ValueKind

_MARKUP = re.compile(r"\{[^}]*\}|<[^>]*>|:[a-z_]+")
_WORD = re.compile(r"[a-z']+")
_DANGLING = frozenset(
    "a about an and at because but by for from if in is it's its my of on or our than that's the "
    "their then to uh um was what when where which who with your please can could would will i i'd "
    "i'm".split()
)
_NUMBERED = frozenset({"number"})
_YES = frozenset({"yes", "yeah", "ok", "okay"})
_AROUND_A_VALUE = frozenset(
    "a for is it it's its my no number one that that's the this with".split()
)
_CLAUSES = re.compile(r"[,.;:!?]+(?:\s|$)|\b(?:so|and|but)\b")
_BEGINS_ANEW = re.compile(
    r"[,;.?!\s]+(?:and|but|also)\s+(?:how|what|when|where|which|who|is|are|do|does|can|could|will|"
    r"would)\s+(?=\S+\s+\S)",
    re.IGNORECASE,
)
"""Free text goes no further: "do you have pumps and how much are they"."""
MAX_CHARS = 300
"""Longer sentences fit no template; matching them only costs time."""


@dataclass(frozen=True, eq=False)
class Templates:
    """The templates of an agent, compiled. Made by `Templates.load`."""

    intents: Intents
    lists: Mapping[str, Mapping[str, str]]
    """By intent and list: the slot that its sentences can fill with it."""
    slots: Mapping[str, frozenset[str]]
    """By intent: the slots that its sentences can fill, also without saying a value."""
    answers: tuple[Intents, ...]
    rules: Mapping[str, IntentRule]
    vocabulary: frozenset[str]
    courtesy: re.Pattern[str] | None
    numbered: frozenset[str]
    """Words that a number follows: at the end of a sentence "room for" is "room 4"."""
    misheard: tuple[tuple[re.Pattern[str], str], ...]
    wishes: Wishes
    writes: frozenset[str] | None = None
    """The tools that change something; None: all do."""
    asking: frozenset[str] = frozenset()
    """The tools that have a question of their own before they run."""
    zone: tzinfo | None = None
    """Where the callers are; None: where the machine is."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """By slot: what is known before the caller says it."""
    remember: tuple[str, ...] = ()
    """The slots whose values last for the call."""
    anywhere: tuple[tuple[re.Pattern[str], str], ...] = ()
    """What tells an intent wherever it is found in a sentence."""
    opinions: Opinions | None = None
    """What a sentence encoder says; None: there is none."""

    @classmethod
    def load(cls, file: Path) -> "Templates":
        """
        Compile *file*: hassil's YAML format, with `tool`, `say` and `ask` beside `data`, with
        `courtesy`, a list of regular expressions for phrases that mean nothing by themselves, and
        with `numbered`, a list of words that a number follows.

        Raises: TemplateError: the file cannot be read, or something in it is wrong.
        """
        written, checked = read(file)
        rules = checked.intents
        try:
            answers = [name for name in rules if name.startswith(ANSWER_PREFIX)]
            intents = _compile(written, [name for name in rules if name not in answers])
            lists = _lists(rules, intents, checked.kinds)
            courtesy = _courtesy(checked.courtesy)
            return cls(
                intents=intents,
                lists=lists,
                slots=_slots(rules, lists),
                answers=tuple(_compile(written, [name]) for name in answers),
                rules=rules,
                vocabulary=frozenset(_words(checked)),
                courtesy=courtesy,
                numbered=_NUMBERED.union(checked.numbered),
                misheard=_misheard(checked.misheard),
                wishes=Wishes(checked, intents, lists),
                remember=tuple(checked.remember),
                anywhere=tuple(
                    (re.compile(rf"\b(?:{'|'.join(rule.anywhere)})\b"), name)
                    for name, rule in rules.items()
                    if rule.anywhere
                ),
            )
        except (re.error, HassilError, ParseError) as error:
            raise TemplateError(f"{file}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TemplateError(f"{file}: this is not a file of templates: {error!r}") from error

    def learn(self) -> None:
        """Fit the examples now; else the first sentence waits for it, a fraction of a second."""
        self.wishes.learn()

    @property
    def kinds(self) -> Kinds:
        """The lists whose values are found in what was said."""
        return self.wishes.kinds

    def knowing(
        self, writes: Collection[str], asking: Collection[str], zone: tzinfo | None = None
    ) -> "Templates":
        """These templates, told which tools change something, which ask, and where callers are."""
        return replace(self, writes=frozenset(writes), asking=frozenset(asking), zone=zone)

    def hearing(self, opinions: Opinions) -> "Templates":
        """These templates, for one call, with a second opinion on what no template accepts."""
        return replace(self, opinions=opinions)

    def changes(self, tool: str) -> bool:
        """Whether *tool* changes something. Ending the call counts as that."""
        return self.writes is None or tool in self.writes

    def about(self, intent: str) -> str:
        """What *intent* is, in a question: "to empty a room"."""
        return self.rules[intent].about or f"to {intent.replace('_', ' ')}"

    def can_ask_about(self, intent: str) -> bool:
        """Whether the agent can ask if *intent* is meant: courtesies have no `about`."""
        rule = self.rules[intent]
        return bool(rule.about) or rule.say is None

    def kind_of(self, intent: str, slot: str) -> ValueKind | None:
        """The kind of value that *slot* takes, if it has one."""
        filling = [name for name, filled in self.lists.get(intent, {}).items() if filled == slot]
        kinds = [self.kinds.get(name) for name in filling or [slot]]
        # A slot that takes free text, too, has no kind.
        return None if None in kinds else kinds[0]

    def match(self, text: str) -> Match | None:
        """The intent that a template says *text* to mean, as it was said or typed; or None."""
        turn = Turn(text)
        return self._found_anywhere(turn) or self._match(str(turn), turn.said_at, None)

    def goes_first(self, text: str) -> str | None:
        """The intent that *text* means before anything else it may mean, by `anywhere`; or None."""
        if not self.anywhere:
            return None
        match = self.match(text)
        if match is None or match.free or not self.rules[match.intent].anywhere:
            reading = self.read(text)
            match = reading.matches[0] if reading.matches else None
        return match.intent if match and self.rules[match.intent].anywhere else None

    def _found_anywhere(self, turn: Turn) -> Match | None:
        said = normalize(turn)
        return next((Match(name, {}) for sign, name in self.anywhere if sign.search(said)), None)

    def match_answer(self, text: str, slots: Collection[str]) -> Match | None:
        """As `match`, for answers to the agent's own question about *slots* and nothing else."""
        turn = Turn(text)
        found = (self._match(str(turn), turn.said_at, n) for n in range(len(self.answers)))
        fitting = [
            match
            for match in found
            if match is not None and match.slots and all(slot in slots for slot in match.slots)
        ]
        return max(fitting, key=lambda match: (not match.free, len(match.slots)), default=None)

    def read(self, text: str, *, can_ask: bool = True) -> Reading:
        """
        What *text*, which no template accepts, may mean by the examples.

        Args: can_ask: Whether the agent could ask which of two intents is meant.
        """
        turn = Turn(text)
        reading = self._read(str(turn), turn.said_at)
        if self.opinions is None:
            return reading
        return self.opinions.heed(reading, self._in_words(turn, reading), can_ask=can_ask)

    def in_doubt(self, turn: Turn) -> str | None:
        """What an encoder is asked about *turn*, its values masked; None: it is plain anyway."""
        match = self.match(turn)
        if match is not None and not match.free:
            return None
        reading = self._read(str(turn), turn.said_at)
        return self._in_words(turn, reading) if may_change(reading) else None

    def _in_words(self, turn: Turn, reading: Reading) -> str:
        return in_words(self.wishes.masked(turn, reading.found))

    def knows(self, text: str) -> bool:
        """Whether *text* means something by itself, or answers one of the agent's questions."""
        if self.match(text) is not None or self.read(text).verdict == "clear":
            return True
        slots = {slot for rule in self.rules.values() for slot in rule.ask}
        answer = self.match_answer(text, slots)
        if answer is not None and not answer.free:
            return True
        return bool(mentions(Turn(text), self.kinds))

    def is_unfinished(self, text: str) -> bool:
        """
        Whether *text* breaks off: it ends in a word that few sentences end in, or is no more than
        the courtesy before what is meant ("Hi," "Thank you, ...").
        """
        words = normalize(text).split()
        if self.courtesy and not self.courtesy.sub("", " ".join(words)).strip():
            return bool(set(words) - _YES)
        if not words or words[-1] not in _DANGLING | self.numbered:
            return False
        match = self.match(text)
        # "Book a visit on" is what "book a visit" is: the last word only leads to what comes.
        return match is None or match == self.match(" ".join(words[:-1]))

    def _normalize(self, text: str) -> str:
        normal = hear_number(normalize(text), self.numbered)
        for heard, word in self.misheard:
            normal = heard.sub(word, normal)
        return normal

    @lru_cache(maxsize=1024)  # noqa: B019 - one instance lives as long as its process
    def _read(self, text: str, said_at: datetime) -> Reading:
        if not text.strip() or len(text) > MAX_CHARS:
            return Reading("unclear", (), "there is nothing to read")
        clauses = [clause for clause in _CLAUSES.split(text) if " " in clause.strip()]
        matches = [
            self._match(one, said_at, None)
            for one in clauses
            if one != text and not self._is_value_alone(one, said_at)
        ]
        exact = {
            match.intent
            for match in matches
            if match is not None and not match.free and self._names_it(match, Turn(text, said_at))
        }
        return self.wishes.read(Turn(text, said_at), self.writes, exact)

    def _names_it(self, match: Match, turn: Turn) -> bool:
        """Whether "it" in *match*, if it has one, is a value that *turn* says."""
        if THE_SAME not in match.slots.values():
            return True
        said = {one.list_name for one in mentions(turn, self.kinds)}
        lists = self.lists[match.intent].items()
        filled = {slot for name, slot in lists if name in said}
        return all(value != THE_SAME or slot in filled for slot, value in match.slots.items())

    def _is_value_alone(self, clause: str, said_at: datetime) -> bool:
        """Whether *clause* says no more than a value: the "room nine" of "clear it, room nine"."""
        rest = clause
        for one in sorted(
            mentions(Turn(clause, said_at), self.kinds), key=lambda one: -one.found.end
        ):
            rest = rest[: one.found.start] + rest[one.found.end :]
        if rest == clause:
            return False
        said = normalize(rest)
        said = self.courtesy.sub(" ", said) if self.courtesy else said
        return set(said.split()) <= _AROUND_A_VALUE | self.numbered

    @lru_cache(maxsize=4096)  # noqa: B019 - one instance lives as long as its process
    def _match(self, text: str, said_at: datetime, answer: int | None) -> Match | None:
        normal = self._normalize(text)
        if not normal or len(normal) > MAX_CHARS:
            return None
        said = self._said(Turn(text, said_at))
        lists: dict[str, SlotList] = {
            name: TextSlotList.from_tuples(values.items(), allow_template=False, name=name)
            for name, values in said.items()
        }
        intents = self.intents if answer is None else self.answers[answer]
        normal = without_refused(normal, {one for values in said.values() for one in values})
        words = frozenset(
            word for values in said.values() for one in values for word in one.split()
        )
        for form in self._forms(normal, words):
            if result := recognize_best(form, intents, slot_lists=lists):
                match = self._as_match(result, text)
                if match.free and (anew := _BEGINS_ANEW.search(text)):
                    return self._match(text[: anew.start()], said_at, answer) or match
                return match
        return None

    def _said(self, turn: Turn) -> dict[str, dict[str, Mention]]:
        """By list: the values that *turn* mentions, by their words in the form of templates."""
        said: dict[str, dict[str, Mention]] = {name: {} for name in self.kinds}
        found = mentions(turn, self.kinds)
        for one in (*found, *hours(turn, found, self.kinds)):
            surface = self._normalize(str(turn)[one.found.start : one.found.end])
            said[one.list_name].setdefault(surface, one)
            if (number := HOMOPHONES.get(surface)) is not None:
                said[one.list_name].setdefault(number, one)
        return said

    def _as_match(self, result: RecognizeResult, text: str) -> Match:
        slots: dict[str, Any] = {}
        unsure: dict[str, Unsure] = {}
        for name, entity in result.entities.items():
            if not isinstance(entity.value, Mention):
                slots[name] = _plain(entity.value)
                continue
            found = entity.value.found
            if found.question:
                unsure[name] = Unsure(text[found.start : found.end], found.question, found.value)
            else:
                slots[name] = journalled(self.kinds[entity.value.list_name], found.value)
        free = any(entity.is_wildcard for entity in result.entities.values())
        return Match(result.intent.name, slots, free, unsure)

    def _forms(self, text: str, values: frozenset[str]) -> list[str]:
        """The forms in which to try *text*, each once: without courtesy, as said, repaired."""
        plain = " ".join(self.courtesy.sub(" ", text).split()) if self.courtesy else ""
        forms = [form for form in (plain, text) if form]
        forms += [repair(form, self.vocabulary | values) for form in forms]
        return list(dict.fromkeys(forms))


def _courtesy(phrases: list[str]) -> re.Pattern[str] | None:
    """One pattern for all *phrases*, which are regular expressions."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b") if phrases else None


def _compile(document: dict[str, Any], names: list[str]) -> Intents:
    chosen = {name: {"data": document["intents"][name].get("data", [])} for name in names}
    intents = Intents.from_dict({**document, "intents": chosen})
    for intent in intents.intents.values():
        for data in intent.data:
            try:
                for reference in _references(data, intents):
                    if reference.list_name not in intents.slot_lists:
                        raise MissingListError(f"no list named {reference.list_name!r}")
            except (HassilError, ParseError) as error:
                raise HassilError(f"intents.{intent.name}: {error}") from error
    return intents


def _lists(
    rules: Mapping[str, IntentRule], intents: Intents, kinds: Kinds
) -> dict[str, dict[str, str]]:
    """
    By intent and list: the slot that some sentence or example of it fills. What an intent asks for
    may be said at once, too, where a list of that name has a type.
    """
    return {
        name: {
            **{slot: slot for slot in rules[name].ask if slot in kinds},
            **{
                list_name: slot
                for sentence in rules[name].examples
                for list_name, slot in slots_in(sentence)
            },
            **{
                ref.list_name: ref.slot_name
                for data in intent.data
                for ref in _references(data, intents)
            },
        }
        for name, intent in intents.intents.items()
    }


def _slots(
    rules: Mapping[str, IntentRule], lists: Mapping[str, Mapping[str, str]]
) -> dict[str, frozenset[str]]:
    """By intent: every slot that some sentence of it can fill."""
    return {
        name: frozenset(filled.values()).union(
            *(data.slots for data in rules[name].data),
            filter(None, [rules[name].whole_sentence]),
        )
        for name, filled in lists.items()
    }


def _misheard(words: Mapping[str, list[str]]) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What to replace by which word, where a number follows."""
    return tuple(
        (re.compile(rf"\b(?:{'|'.join(map(re.escape, heard))})(?= (?:number |no )?#?\d)"), word)
        for word, heard in words.items()
    )


def _references(data: IntentData, intents: Intents) -> Iterator[ListReference]:
    """Every list that *data* refers to, through rules too."""
    waiting = [sentence.expression for sentence in data.sentences]
    seen: set[str] = set()
    while waiting:
        match waiting.pop():
            case ListReference() as reference:
                yield reference
            case Group(items=items):
                waiting += items
            case RuleReference(rule_name=name) if name not in seen:
                if name not in intents.expansion_rules:
                    raise MissingRuleError(f"no expansion rule named {name!r}")
                seen.add(name)
                waiting.append(intents.expansion_rules[name].expression)


def _words(file: TemplateFile) -> Iterator[str]:
    """Every word that some template or list contains."""
    texts = list(file.expansion_rules.values())
    for rule in file.intents.values():
        texts += [sentence for data in rule.data for sentence in data.sentences]
    for name, one in file.lists.items():
        if name not in file.kinds:
            texts += [value if isinstance(value, str) else value.said for value in one.values or ()]
    for text in texts:
        yield from _WORD.findall(_MARKUP.sub(" ", text.lower()))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strip() if isinstance(value, str) else value
