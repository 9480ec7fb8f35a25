"""Says what an agent's author did wrong, and where, in one sentence."""

import dataclasses
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from types import FrameType
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, PydanticUserError, Strict, ValidationError

T = TypeVar("T")
STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, extra="forbid")
"""How what an author writes is validated: nothing is converted, nothing unknown is passed over."""
Several = Annotated[tuple[T, ...], Strict(False)]
"""A tuple that may be written as a list."""

_NOT_THE_AUTHORS = frozenset({"agent_worker", "voice_contract", "pydantic"}).union(
    sys.stdlib_module_names
)
_INSTALLED = tuple(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_TEXT_MAX_CHARS = 300


def in_words(error: BaseException) -> str:
    """*error* in one line, without the values that pydantic would quote."""
    if isinstance(error, ValidationError):
        return f"{error.title}: {problem(error)}"
    # The rest of its text is advice about pydantic's own settings.
    said = error.message.partition(". ")[0] if isinstance(error, PydanticUserError) else str(error)
    text = " ".join(said.split())[:_TEXT_MAX_CHARS]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def problem(error: ValidationError) -> str:
    """What is wrong first of all, and in which field."""
    found = error.errors(include_url=False, include_input=False)
    # A name that is misspelt is also missing: the misspelt one says more.
    item = next((one for one in found if one["type"] in _UNKNOWN), found[0])
    place = list(item["loc"])
    if place and isinstance(place[0], int):
        place[0] = f"argument {place[0] + 1}"
    text = item["msg"].removeprefix("Value error, ").removeprefix("Input ")
    where = ".".join(map(str, place))
    return f"{where}: {text[:1].lower()}{text[1:]}" if where else text


def raised_at(error: BaseException) -> str | None:
    """File and line of the author's code that raised *error*, or None: no such code did."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return short_location(error.filename, error.lineno or 0)
    found = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_the_authors(frame)
    ]
    # An agent may be installed as a package too, but the libraries that it uses are not its own.
    written = [one for one in found if not one[0].startswith(_INSTALLED)] or found
    return short_location(*written[-1]) if written else None


def author_location() -> str:
    """File and line of the author's code that is running."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_back is not None and not _is_the_authors(frame):
        frame = frame.f_back
    assert frame is not None
    return short_location(frame.f_code.co_filename, frame.f_lineno)


def location_of(function: Callable[..., object]) -> str:
    """File and line of *function*; of the code that uses it, where it is none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return author_location()
    return short_location(code.co_filename, code.co_firstlineno)


def short_location(file: str, line: int) -> str:
    """`file:line`, relative to the working directory or to an entry of `sys.path`."""
    path = Path(file)
    for base in (Path.cwd(), *map(Path, filter(None, sys.path))):
        if path.is_relative_to(base):
            return f"{path.relative_to(base)}:{line}"
    return f"{path}:{line}"


def check_braces(phrases: Any) -> None:
    """
    Check that each phrase of a dataclass has the `{names}` of its default and no others.

    Raises: ValueError: one has not.
    """
    for field in dataclasses.fields(phrases):
        if not isinstance(field.default, str):
            continue
        wanted = _braces(field.default) or set()
        if _braces(getattr(phrases, field.name)) != wanted:
            names = ", ".join(f"{{{name}}}" for name in sorted(wanted)) or "nothing"
            raise ValueError(f"{field.name}: needs {names} in braces and nothing else")


def _braces(text: str) -> set[str] | None:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        return None


def _is_the_authors(frame: FrameType) -> bool:
    module: str = frame.f_globals.get("__name__", "")
    return module.partition(".")[0] not in _NOT_THE_AUTHORS
