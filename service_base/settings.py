"""Settings: environment variables and `.env`, read once, with errors a person can act on."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

ENV_PREFIX = "PARLEY_"


class ServiceSettings(BaseSettings):
    """
    Base of each service's settings.

    A field `port` is read from `PARLEY_PORT`; the environment wins over `.env` in the current
    folder. Values are never shown in errors, because some of them are secrets.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level that is logged."
    )


class RunDirSettings(ServiceSettings):
    """Settings of every process that makes or reads files while it runs."""

    run_dir: Path = Field(
        Path(".run"),
        description="Folder for what is made while running: keys, logs, local databases.",
    )


class SettingsError(Exception):
    """A setting is missing or wrong. The message names it and says what is expected."""


S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S], **overrides: Any) -> S:
    """
    Read *settings* from the environment and `.env`.

    Raises: SettingsError: a value is missing or wrong, or `.env` cannot be read.
    """
    try:
        return settings(**overrides)
    except ValidationError as error:
        lines = [
            f"{_variable(settings, item['loc'])}: {_within(item['loc'])}{_sentence(item['msg'])}"
            for item in error.errors(include_url=False, include_input=False)
            # Says only that another one is wrong, from which this one's default is made.
            if item["type"] != "default_factory_not_called"
        ]
        raise SettingsError("\n".join(lines)) from None
    except SourceError as error:
        # "error parsing value for field "x" from source ...": a value that should be JSON.
        found = re.search(r'field "(\w+)"', str(error))
        name = _variable(settings, (found[1],)) if found else "A setting"
        raise SettingsError(f"{name}: not valid JSON.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env cannot be read: {error}") from None


def load_or_exit(settings: type[S]) -> S:
    """Read *settings*; on an error print one line for each to stderr and exit with 2."""
    with or_exit():
        return load(settings)


@contextmanager
def or_exit() -> Iterator[None]:
    """On a `SettingsError` print one line for each to stderr and exit with 2."""
    try:
        yield
    except SettingsError as error:
        sys.exit(_fail(error))


def unknown_variables(classes: list[type[ServiceSettings]], env_file: Path) -> list[str]:
    """
    Names that start with `PARLEY_` in the environment or *env_file* and that no class in
    *classes* reads: most likely typing errors.
    """
    from dotenv import dotenv_values

    known = {_variable(cls, (name,)) for cls in classes for name in cls.model_fields}
    written = set(os.environ)
    if env_file.is_file():
        written |= set(dotenv_values(env_file))
    return sorted(
        name for name in written if name.startswith(ENV_PREFIX) and name.upper() not in known
    )


def _fail(error: SettingsError) -> int:
    for line in str(error).splitlines():
        print(f"Bad setting: {line}", file=sys.stderr)
    print("See .env.example for every setting and its meaning.", file=sys.stderr)
    return 2


def _variable(settings: type[ServiceSettings], loc: tuple[int | str, ...]) -> str:
    prefix = settings.model_config.get("env_prefix", "")
    return (prefix + str(loc[0])).upper() if loc else settings.__name__


def _within(loc: tuple[int | str, ...]) -> str:
    """Where inside a value that is JSON: "1.colour: "."""
    inside = loc[1:]
    named = any(isinstance(part, str) for part in inside)
    return f"{'.'.join(map(str, inside))}: " if named else ""


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")
