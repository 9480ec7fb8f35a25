"""The format of a file of templates: hassil's, and what is ours beside it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from agent_worker import yaml_file
from agent_worker.mistakes import problem
from agent_worker.reasoning import list_types
from agent_worker.values import ValueKind

_SLOT = re.compile(r"\{([a-z_]+)(?::([a-z_]+))?\}")
ANSWER_PREFIX = "answer."
"""Templates whose names start so are heard only while the agent waits for that answer."""
LAST_ANSWER = "{last_answer}"
_EMPTY: dict[str, Any] = {"values": []}


class TemplateError(Exception):
    """A file of templates has a mistake. The message names the file and where in it."""


def _check_say(text: str) -> str:
    if re.search(r"[{}]", text.replace(LAST_ANSWER, "")):
        raise ValueError(f"only {LAST_ANSWER} can be filled in")
    return text


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is not a regular expression: {error}") from None
    return text


def _by_type(written: Any, otherwise: ValidatorFunctionWrapHandler) -> Any:
    if not (isinstance(written, dict) and "type" in written):
        return otherwise(written)
    return list_types.make(written)


def _as_list(written: object) -> object:
    return [written] if isinstance(written, str) else written


def _lines(written: object) -> object:
    if not isinstance(written, str):
        return written
    return [line.strip() for line in written.splitlines() if line.strip()]


Lines = Annotated[list[str], BeforeValidator(_lines)]
"""Plain sentences, as a list or one a line."""


class Sentences(BaseModel):
    """Sentence templates of an intent; beside them stands what hassil knows."""

    model_config = ConfigDict(extra="forbid")

    sentences: list[str] = Field(min_length=1)
    slots: dict[str, Any] = Field(default_factory=dict)
    """Values that these sentences mean without saying them."""
    expansion_rules: dict[str, str] = {}
    lists: "dict[str, Values]" = {}
    requires_context: dict[str, Any] = {}
    excludes_context: dict[str, Any] = {}
    required_keywords: list[str] = []
    metadata: dict[str, Any] = {}
    settings: dict[str, Any] = {}


class IntentRule(BaseModel):
    """What a matched intent leads to. Written beside `data` in the templates' file."""

    model_config = ConfigDict(extra="forbid")

    data: list[Sentences] = Field([], min_length=1)
    examples: Lines = []
    """Plain sentences that mean it, with `{list}` or `{list:slot}` for values."""
    counter_examples: Lines = []
    """Sentences that sound like it and mean something else, or nothing."""
    about: str = ""
    """What it is, in a question: "to empty a room", "what is in a room"."""
    whole_sentence: str | None = None
    """The slot that takes the whole sentence, where it is understood by its examples."""
    tool: str | None = None
    """The tool to call, with the slots as its arguments."""
    say: Annotated[str, AfterValidator(_check_say)] | None = None
    """Words to say, where no tool is needed. `{last_answer}` stands for the agent's last words."""
    ask: dict[str, Annotated[list[str], BeforeValidator(_as_list), Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """
    By slot, in order: the question that is asked when the slot is missing; further wordings of it
    are said in turn to a caller who does not answer it.
    """
    optional: list[str] = []
    """Slots of `ask` that the caller may leave out: "no", "I don't have one"."""
    offers: str | None = None
    """The intent that a bare yes leads to after its tool has answered or refused."""
    anywhere: list[Annotated[str, AfterValidator(_check_pattern)]] = []
    """
    Regular expressions that tell it wherever they are found in a sentence. It goes before
    everything else, also before the answer to a question, which stays open.
    """


class Value(BaseModel):
    """A value of a list: what is said, and what it means."""

    model_config = ConfigDict(extra="forbid")

    said: str = Field(alias="in")
    out: Any = None
    context: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


class Range(BaseModel):
    """Numbers; hassil knows what else may stand beside the bounds."""

    model_config = ConfigDict(extra="forbid")

    first: int = Field(alias="from")
    last: int = Field(alias="to")
    step: int = Field(1, ge=1)
    type: Literal["number", "percentage", "temperature"] = "number"
    multiplier: float | None = None
    digits: bool = True
    words: bool = True
    words_language: str | None = None
    fractions: Literal["halves", "tenths"] | None = None


class Values(BaseModel):
    """What a `{list}` stands for."""

    model_config = ConfigDict(extra="forbid")

    values: list[str | Value] | None = None
    range: Range | None = None
    wildcard: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.values is not None) + (self.range is not None) + self.wildcard != 1:
            raise ValueError("give one of values, range and wildcard")
        return self


class TemplateFile(BaseModel):
    """A file of templates: hassil's format, and what is ours."""

    model_config = ConfigDict(extra="forbid")

    language: str
    intents: dict[str, IntentRule]
    lists: dict[str, Annotated[Values, WrapValidator(_by_type)]] = {}
    expansion_rules: dict[str, str] = {}
    skip_words: list[str] = []
    settings: dict[str, Any] = {}
    courtesy: list[Annotated[str, AfterValidator(_check_pattern)]] = []
    """Regular expressions for phrases that mean nothing by themselves."""
    numbered: list[str] = []
    """Words that a number follows."""
    misheard: dict[str, list[str]] = {}
    """By word before a number: the words that a recognizer hears instead of it."""
    alike: Lines = []
    """Words of the trade that mean nearly the same, for examples: "tire: tyre, inner tube"."""
    nothing: Lines = []
    """Sentences that no intent is meant by."""
    remember: list[str] = []
    """Slots of `ask` whose values last for the call: they are asked for once."""

    @property
    def kinds(self) -> dict[str, ValueKind]:
        """The lists that have a type, by name."""
        lists: dict[str, Any] = dict(self.lists)
        return {name: one for name, one in lists.items() if not isinstance(one, Values)}

    @model_validator(mode="after")
    def _lead_somewhere(self) -> Self:
        for name, rule in self.intents.items():
            where = f"intents.{name}"
            if name.startswith(ANSWER_PREFIX):
                if rule.tool or rule.say or rule.ask:
                    raise ValueError(f"{where}: an answer has neither tool, say nor ask")
                if rule.examples or rule.counter_examples:
                    raise ValueError(f"{where}: an answer has no examples")
            elif bool(rule.tool) == bool(rule.say):
                raise ValueError(f"{where}: give either `tool` or `say`.")
            if rule.offers is not None and rule.offers not in self.intents:
                raise ValueError(f"{where}: offers: there is no intent {rule.offers!r}")
            if rule.anywhere and rule.say is None:
                raise ValueError(f"{where}: only what is answered with `say` is heard anywhere")
            if unknown := set(rule.optional) - rule.ask.keys():
                raise ValueError(f"{where}: optional: {min(unknown)!r} is not asked for")
            if not (rule.data or rule.examples):
                raise ValueError(f"{where}: give `data`, `examples` or both")
            for sentence in (*rule.examples, *rule.counter_examples):
                self._check_example(where, sentence)
        asked = {slot for rule in self.intents.values() for slot in rule.ask}
        if unknown := set(self.remember) - asked:
            raise ValueError(f"remember: {min(unknown)!r} is never asked for")
        return self

    def _check_example(self, where: str, sentence: str) -> None:
        for list_name, _ in slots_in(sentence):
            if list_name not in self.lists:
                raise ValueError(f"{where}: {sentence!r}: no list named {list_name!r}")
        if left := re.search(r"[][{}<>|]", _SLOT.sub("", sentence)):
            raise ValueError(
                f"{where}: {sentence!r}: an example is a plain sentence, without {left[0]!r}"
            )


def slots_in(sentence: str) -> list[tuple[str, str]]:
    """List and slot of each `{list}` and `{list:slot}` in an example."""
    return [(found[1], found[2] or found[1]) for found in _SLOT.finditer(sentence)]


def read(file: Path) -> tuple[dict[str, Any], TemplateFile]:
    """
    What *file* holds, as it is written for hassil, and checked. Lists with a type are empty there:
    what they hold is found in each sentence.

    Raises: TemplateError: it cannot be read, or something in it is wrong.
    """
    try:
        written = yaml_file.read(file)
        checked = TemplateFile.model_validate(written)
        known = written.get("lists") or {}
        return {**written, "lists": {**known, **dict.fromkeys(checked.kinds, _EMPTY)}}, checked
    except ValidationError as error:
        raise TemplateError(f"{file}: {problem(error)}") from error
    except yaml_file.YamlMistake as mistake:
        raise TemplateError(str(mistake)) from mistake
