"""Sentence templates: what a caller may say, and which tool or words that leads to."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hassil import Group, Intents, recognize_best
from hassil.errors import HassilError, MissingListError, MissingRuleError
from hassil.expression import ListReference, RuleReference
from hassil.intents import IntentData
from hassil.parser import ParseError

from agent_worker.reasoning.normalize import hear_number, normalize, repair
from agent_worker.reasoning.template_file import (
    ANSWER_PREFIX,
    IntentRule,
    TemplateError,
    TemplateFile,
    read,
)

_MARKUP = re.compile(r"\{[^}]*\}|<[^>]*>|:[a-z_]+")
_WORD = re.compile(r"[a-z']+")
_DANGLING = frozenset(
    "a about an and at because but by for from if in is it's its my of on or our than that's the "
    "their then to uh um was what when where which who with your please can could would will i i'd "
    "i'm".split()
)
_NUMBERED = frozenset({"number"})
_YES = frozenset({"yes", "yeah", "ok", "okay"})
MAX_CHARS = 300
"""Longer sentences fit no template; matching them only costs time."""


@dataclass(frozen=True)
class Match:
    """A sentence that a template accepts."""

    intent: str
    slots: Mapping[str, Any]
    free: bool = False
    """Whether a wildcard took words as they came: anything would have fitted it."""


@dataclass(frozen=True, eq=False)
class Templates:
    """The templates of an agent, compiled. Made by `Templates.load`."""

    intents: Intents
    slots: Mapping[str, frozenset[str]]
    """By intent: the slots that its sentences can fill."""
    answers: tuple[Intents, ...]
    rules: Mapping[str, IntentRule]
    vocabulary: frozenset[str]
    courtesy: re.Pattern[str] | None
    numbered: frozenset[str]
    """Words that a number follows: at the end of a sentence "room for" is "room 4"."""

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
            return cls(
                intents=intents,
                slots=_slots(rules, intents),
                answers=tuple(_compile(written, [name]) for name in answers),
                rules=rules,
                vocabulary=frozenset(_words(checked)),
                courtesy=_courtesy(checked.courtesy),
                numbered=_NUMBERED.union(checked.numbered),
            )
        except (re.error, HassilError, ParseError) as error:
            raise TemplateError(f"{file}: {error}") from error
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TemplateError(f"{file}: this is not a file of templates: {error!r}") from error

    def match(self, text: str) -> Match | None:
        """The intent that *text* (as transcribed) means, or None."""
        return self._match(self._normalize(text), None)

    def match_answer(self, text: str, slots: Collection[str]) -> Match | None:
        """As `match`, for answers to the agent's own question about *slots* and nothing else."""
        normal = self._normalize(text)
        found = (self._match(normal, number) for number in range(len(self.answers)))
        fitting = [
            match
            for match in found
            if match is not None and match.slots and all(slot in slots for slot in match.slots)
        ]
        return max(fitting, key=lambda match: (not match.free, len(match.slots)), default=None)

    def knows(self, text: str) -> bool:
        """Whether *text* means something by itself, or answers one of the agent's questions."""
        if self.match(text) is not None:
            return True
        slots = {slot for rule in self.rules.values() for slot in rule.ask}
        answer = self.match_answer(text, slots)
        return answer is not None and not answer.free

    def is_unfinished(self, text: str) -> bool:
        """
        Whether *text* breaks off: it ends in a word that few sentences end in, or is no more than
        the courtesy before what is meant ("Hi," "Thank you, ...").
        """
        words = self._normalize(text).split()
        if self.courtesy and not self.courtesy.sub("", " ".join(words)).strip():
            return bool(set(words) - _YES)
        if not words or words[-1] not in _DANGLING | self.numbered:
            return False
        return self.match(text) is None

    def _normalize(self, text: str) -> str:
        return hear_number(normalize(text), self.numbered)

    @lru_cache(maxsize=4096)  # noqa: B019 - one instance lives as long as its process
    def _match(self, text: str, answer: int | None) -> Match | None:
        if not text or len(text) > MAX_CHARS:
            return None
        intents = self.intents if answer is None else self.answers[answer]
        for form in self._forms(text):
            if result := recognize_best(form, intents):
                slots = {name: _plain(entity.value) for name, entity in result.entities.items()}
                free = any(entity.is_wildcard for entity in result.entities.values())
                return Match(result.intent.name, slots, free)
        return None

    def _forms(self, text: str) -> list[str]:
        """The forms in which to try *text*, each once: without courtesy, as said, repaired."""
        plain = " ".join(self.courtesy.sub(" ", text).split()) if self.courtesy else ""
        forms = [form for form in (plain, text) if form]
        forms += [repair(form, self.vocabulary) for form in forms]
        return list(dict.fromkeys(forms))


def _courtesy(phrases: list[str]) -> re.Pattern[str] | None:
    """One pattern for all *phrases*, which are regular expressions."""
    return re.compile(rf"\b(?:{'|'.join(phrases)})\b") if phrases else None


def _compile(document: dict[str, Any], names: list[str]) -> Intents:
    chosen = {name: {"data": document["intents"][name]["data"]} for name in names}
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


def _slots(rules: Mapping[str, IntentRule], intents: Intents) -> dict[str, frozenset[str]]:
    """By intent: every slot that some sentence of it can fill."""
    return {
        name: frozenset(
            slot
            for data, written in zip(intent.data, rules[name].data, strict=True)
            for slot in (*written.slots, *(ref.slot_name for ref in _references(data, intents)))
        )
        for name, intent in intents.intents.items()
    }


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
    for one in file.lists.values():
        texts += [value if isinstance(value, str) else value.said for value in one.values or ()]
    for text in texts:
        yield from _WORD.findall(_MARKUP.sub(" ", text.lower()))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strip() if isinstance(value, str) else value
