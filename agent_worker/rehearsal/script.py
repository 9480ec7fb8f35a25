"""The format of a script: a YAML file with one conversation."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent_worker import yaml_file
from agent_worker.mistakes import problem
from agent_worker.rehearsal import placeholders

Words = str | list[str]


class ScriptError(Exception):
    """A script has a mistake. The message names the file and where in it."""


class Step(BaseModel):
    """
    What the caller does, and what the agent should do then.

    Words are found in any case; `/.../` is a regular expression. `{today}`, `{tomorrow}` and
    `{friday}` are those days when the script is played.
    """

    model_config = ConfigDict(extra="forbid")

    caller: str | None = Field(None, min_length=1, max_length=1000)
    """What the caller says."""
    vote: Literal["yes", "no"] | None = None
    """Or: how the caller answers the one open question on the screen."""
    wait_s: float | None = Field(None, gt=0, le=60)
    """Or: a pause of this many seconds."""
    says: Words = []
    """Words that the agent says before it falls silent: all of them."""
    never: Words = []
    """Words that it does not say."""
    calls: dict[str, dict[str, Any] | None] = {}
    """Tools that run, with at least these arguments; null: with any."""
    calls_nothing: bool = False
    """Whether no tool may run."""
    within_ms: int | None = Field(None, gt=0)
    """How soon the agent begins to answer."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(one is not None for one in (self.caller, self.vote, self.wait_s)) != 1:
            raise ValueError("give exactly one of caller, vote and wait_s")
        if self.calls_nothing and self.calls:
            raise ValueError("calls_nothing contradicts calls")
        placeholders.check([self.caller or "", *each(self.says), *each(self.never)])
        placeholders.check(_texts(self.calls))
        for words in (*each(self.says), *each(self.never)):
            try:
                placeholders.pattern(words, datetime.now(UTC))
            except re.error as error:
                raise ValueError(f"{words} is not a regular expression: {error}") from None
        return self


class Script(BaseModel):
    """A conversation."""

    model_config = ConfigDict(extra="forbid")

    name: str
    """What the script shows."""
    cards: bool = True
    """Whether the caller's page shows cards. Without them the agent reads every argument aloud."""
    steps: list[Step] = Field(min_length=1, max_length=200)
    order: list[str] = []
    """Tools that run in this order in the whole conversation; others may run in between."""


def read(file: Path) -> Script:
    """
    The script in *file*.

    Raises: ScriptError: it cannot be read, or is not valid.
    """
    try:
        return Script.model_validate(yaml_file.read(file))
    except ValidationError as error:
        raise ScriptError(f"{file}: {problem(error)}") from error
    except yaml_file.YamlMistake as mistake:
        raise ScriptError(str(mistake)) from mistake


def each(words: Words) -> list[str]:
    """One or several, as a list."""
    return [words] if isinstance(words, str) else words


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for one in value.values() if isinstance(value, dict) else value:
                yield from _texts(one)
