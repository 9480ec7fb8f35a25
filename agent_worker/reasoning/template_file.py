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
    model_validator,
)

from agent_worker import yaml_file
from agent_worker.mistakes import problem

ANSWER_PREFIX = "answer."
"""Templates whose names start so are heard only while the agent waits for that answer."""
LAST_ANSWER = "{last_answer}"


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


def _as_list(written: object) -> object:
    return [written] if isinstance(written, str) else written


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

    data: list[Sentences] = Field(min_length=1)
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
    lists: dict[str, Values] = {}
    expansion_rules: dict[str, str] = {}
    skip_words: list[str] = []
    settings: dict[str, Any] = {}
    courtesy: list[Annotated[str, AfterValidator(_check_pattern)]] = []
    """Regular expressions for phrases that mean nothing by themselves."""
    numbered: list[str] = []
    """Words that a number follows."""

    @model_validator(mode="after")
    def _lead_somewhere(self) -> Self:
        for name, rule in self.intents.items():
            if name.startswith(ANSWER_PREFIX):
                if rule.tool or rule.say or rule.ask:
                    raise ValueError(f"intents.{name}: an answer has neither tool, say nor ask")
            elif bool(rule.tool) == bool(rule.say):
                raise ValueError(f"intents.{name}: give either `tool` or `say`.")
        return self


def read(file: Path) -> tuple[dict[str, Any], TemplateFile]:
    """
    What *file* holds, as it is written for hassil, and checked.

    Raises: TemplateError: it cannot be read, or something in it is wrong.
    """
    try:
        written = yaml_file.read(file)
        return written, TemplateFile.model_validate(written)
    except ValidationError as error:
        raise TemplateError(f"{file}: {problem(error)}") from error
    except yaml_file.YamlMistake as mistake:
        raise TemplateError(str(mistake)) from mistake
