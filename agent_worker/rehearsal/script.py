"""The format of a script: YAML, one conversation a file."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Words = str | list[str]


class ScriptError(Exception):
    """A script is wrong. The message names file and place."""


class Step(BaseModel):
    """
    What the caller does, and what is expected then.

    Words are found whatever their case; `/.../` is a regular expression.
    """

    model_config = ConfigDict(extra="forbid")

    caller: str | None = Field(None, min_length=1, max_length=1000)
    """What the caller says."""
    vote: Literal["yes", "no"] | None = None
    """Or: how the caller answers the one open question on the screen."""
    wait_s: float | None = Field(None, gt=0, le=60)
    """Or: nothing, for so long."""
    says: Words = []
    """What the agent says, all of them, until it has nothing more to say."""
    never: Words = []
    """What it does not say."""
    calls: dict[str, dict[str, Any] | None] = {}
    """Tools that run, with these arguments among theirs; null: whatever they are."""
    calls_nothing: bool = False
    """Whether no tool may run."""
    within_ms: int | None = Field(None, gt=0)
    """How soon the agent begins to answer."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum(one is not None for one in (self.caller, self.vote, self.wait_s)) != 1:
            raise ValueError("give one of caller, vote and wait_s")
        if self.calls_nothing and self.calls:
            raise ValueError("calls_nothing contradicts calls")
        return self


class Script(BaseModel):
    """A conversation."""

    model_config = ConfigDict(extra="forbid")

    name: str
    """What it shows."""
    cards: bool = True
    """Whether the caller's page shows cards; else the agent reads every argument aloud."""
    steps: list[Step] = Field(min_length=1, max_length=200)
    order: list[str] = []
    """Tools that run in this order in the whole conversation, others in between."""


def read(file: Path) -> Script:
    """
    The script in *file*.

    Raises: ScriptError: it cannot be read, or something in it is wrong.
    """
    try:
        return Script.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        where = ".".join(map(str, item["loc"])) or "top"
        raise ScriptError(f"{file}: {where}: {item['msg']}") from error
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise ScriptError(f"{file}: {error}") from error
