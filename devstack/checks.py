"""Finds everything that would keep the stack from starting, before anything is started."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dotenv.parser import Original, parse_stream

from call_record import keys as journal_keys
from devstack import keys, livekit_server, ports
from devstack.services import SETTINGS, TOKEN, Loaded
from devstack.settings import StackSettings
from service_base.settings import ServiceSettings, SettingsError, load, unknown_variables
from token_service.settings import TokenSettings

ENV_FILE = Path(".env")


def env_file_problems(file: Path) -> list[str]:
    """A sentence for each line of *file* that is not `NAME=value`. Never quotes a line."""
    try:
        with open(file, encoding="utf-8") as opened:
            bindings = list(parse_stream(opened))
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        return [f"{file} is not UTF-8 text."]
    except OSError as error:
        return [f"{file} cannot be read: {error.strerror}."]
    return [
        f"{file}, line {_line(binding.original)}: this is not of the form NAME=value."
        for binding in bindings
        if binding.error or (binding.key is not None and binding.value is None)
    ]


def _line(original: Original) -> int:
    """The parser counts from the empty lines before a statement."""
    text = original.string
    return original.line + text[: len(text) - len(text.lstrip())].count("\n")


def settings() -> tuple[Loaded, list[str]]:
    """
    Every service's settings, and a sentence for each that is wrong or unknown.

    With problems in `.env` itself nothing is loaded: their consequences would only confuse.
    """
    problems = env_file_problems(ENV_FILE)
    if problems:
        return {}, problems
    loaded: dict[str, ServiceSettings] = {}
    for name, settings_class in SETTINGS.items():
        try:
            loaded[name] = load(settings_class)
        except SettingsError as error:
            problems += str(error).splitlines()
    problems += [
        f"{name}: there is no such setting; see .env.example."
        for name in unknown_variables(list(SETTINGS.values()), ENV_FILE)
    ]
    # A wrong shared setting is reported by each class that has it.
    return loaded, list(dict.fromkeys(problems))


def problems(loaded: Loaded, names: Iterable[str]) -> Iterator[str]:
    """A sentence for each thing that is missing for the services called *names*."""
    names = set(names)
    if "sfu" in names:
        yield from _sfu_problems(loaded)
    token = loaded[TOKEN.name]
    if TOKEN.name in names and isinstance(token, TokenSettings):
        try:
            journal_keys.ensure(token.journal_keys_file)
        except SettingsError as error:
            yield str(error)
        page = token.web_dir / "index.html"
        if not page.is_file():
            yield f"PARLEY_WEB_DIR: {page} is missing; `make web` builds the web client."
    yield from ports.problems(ports.needed(loaded, names))


def _sfu_problems(loaded: Loaded) -> Iterator[str]:
    stack = loaded["sfu"]
    assert isinstance(stack, StackSettings)
    try:
        keys.ensure(stack.sfu_keys_file)
    except SettingsError as error:
        yield str(error)
    if livekit_server.find(stack.sfu_binary) is None:
        yield "PARLEY_SFU_BINARY: the SFU, livekit-server, is missing; `make sfu` gets it."
