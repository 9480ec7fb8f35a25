"""What an agent's author writes: a function that becomes a guarded tool."""

import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from agent_worker.tools.arguments import Arguments, ModelArguments
from voice_contract.actions import Action

Effect = Literal["read", "write"]
InWords = Callable[[Any], str]
TIMEOUT_S = 5.0
EXPIRES_S = 30.0


class ToolMistake(TypeError):
    """A tool is written wrongly. The message names file, line and tool."""


class Answer(BaseModel):
    """What a tool found or did."""

    model_config = ConfigDict(extra="forbid")

    say: str
    """The result in words that can be spoken as they are."""
    data: dict[str, Any] = {}
    """The same for a model that words its own answer. JSON values only."""
    actions: list[Action] = Field(default=[], max_length=3)
    """What the caller's page might do now; it has its own list of what it does."""


class ToolRefused(Exception):
    """The tool did not do it and will not. The message is a reason that can be spoken as it is."""


class BackendUnavailable(Exception):
    """
    The backend did not do it now, and may do it later.

    Any other exception of a writing tool means that nobody knows whether it was done.
    """

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the server knows it. Never from what was said."""

    identity: str
    call_id: str
    tenant: str | None = None


class IdempotencyKey(str):
    """One per intended effect; send it to the backend so that a repetition does nothing new."""


@dataclass(frozen=True)
class Rule:
    """A rule of policy: refuses a call by raising `ToolRefused`, else returns nothing."""

    name: str
    description: str
    reads: frozenset[str]
    """The arguments that it looks at."""
    injected: Mapping[str, type]
    check: Callable[..., Awaitable[None] | None]


@dataclass(frozen=True)
class Guards:
    """What stands between the wish to call a tool and its effect."""

    effect: Effect
    confirm: str | None = None
    """The question, with arguments in braces; None: nothing is asked."""
    timeout_s: float = TIMEOUT_S
    idempotent: bool = False
    """Whether the backend honours the key, so that sending again does nothing new."""
    backend: str | None = None
    """Tools of the same backend share its breaker and its places; None: one of its own."""
    policy: tuple[Rule, ...] = ()
    max_per_call: int | None = None
    """How often it may run in one call; None: 10 times when it writes, 50 when it reads."""
    expires_s: float = EXPIRES_S
    """How long the question waits for an answer."""
    in_words: Mapping[str, InWords] = field(default_factory=dict)
    """By argument: how it is said, where its value does not speak for itself."""

    @property
    def repeatable(self) -> bool:
        """Whether running it once more does no harm."""
        return self.effect == "read" or self.idempotent

    @property
    def most(self) -> int:
        """How often it may run in one call."""
        if self.max_per_call is not None:
            return self.max_per_call
        return 10 if self.effect == "write" else 50


@dataclass(frozen=True)
class Tool:
    """A tool of an agent. Made by `@tool`, or from an MCP server's list."""

    name: str
    description: str
    guards: Guards
    arguments: Arguments
    """What the model may set."""
    injected: Mapping[str, type]
    """What the server sets, by name."""
    run: Callable[..., Awaitable[Answer]]
    source: str = ""
    """File and line."""
    server: str = ""
    """The MCP server that has it; empty: it is the agent's own."""

    @property
    def effect(self) -> Effect:
        return self.guards.effect

    @property
    def backend(self) -> str:
        return self.guards.backend or (f"mcp:{self.server}" if self.server else self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as a model sees it, in OpenAI's function shape."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.arguments.schema,
        }

    def in_words(self, arguments: Mapping[str, JsonValue]) -> dict[str, str]:
        """All *arguments* as a person reads them."""
        return {
            name: self.guards.in_words.get(name, _plain)(value) for name, value in arguments.items()
        }

    def question(self, arguments: Mapping[str, JsonValue]) -> str:
        """What the caller is asked before it runs."""
        assert self.guards.confirm is not None
        return self.guards.confirm.format(**self.in_words(arguments))


def tool(
    *,
    effect: Effect,
    confirm: str | None = None,
    timeout_s: float = TIMEOUT_S,
    idempotent: bool = False,
    backend: str | None = None,
    policy: Sequence[Callable[..., Awaitable[None] | None]] = (),
    max_per_call: int | None = None,
    expires_s: float = EXPIRES_S,
    in_words: Mapping[str, InWords] | None = None,
) -> Callable[[Callable[..., Awaitable[Answer]]], Tool]:
    """
    Make an async function a tool.

    Its name, its docstring and its positional parameters are what a model sees; parameters need
    type annotations that pydantic knows. Keyword-only parameters are filled by the server, by
    their type: `Caller`, `IdempotencyKey`, or whatever the agent's `open` yields. The model can
    neither see nor set them.

    Args:
        effect: `write` when it changes something; such a call is never cancelled half-way.
        confirm: What the caller is asked first, such as `"Cancel order {order_number}?"`. The
            caller also gets to know every argument that is not in it.
        timeout_s: Time in seconds that the caller waits for the result.
        idempotent: Whether the backend honours the `IdempotencyKey`: then it is tried again when
            the backend does not answer, and after a crash.
        backend: Name of what it talks to, which it shares with other tools.
        policy: Functions that raise `ToolRefused` where the tool may not be called. They take
            arguments of the tool by name and, keyword-only, what the server injects.
        max_per_call: How often it may run in one call.
        expires_s: Time in seconds after which the question is closed.
        in_words: By argument: how its value is said.

    Raises: ToolMistake: something does not fit, with file and line.
    """

    def make(function: Callable[..., Awaitable[Answer]]) -> Tool:
        source = place_of(function)
        name = function.__name__
        where = f"{source}: {name}"
        if not inspect.iscoroutinefunction(function):
            raise ToolMistake(f"{where}: a tool must be async")
        visible, injected = _parameters(function, where)
        model = create_model(
            name, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **visible
        )
        guards = check_guards(
            Guards(
                effect=effect,
                confirm=confirm,
                timeout_s=timeout_s,
                idempotent=idempotent,
                backend=backend,
                policy=tuple(make_rule(rule) for rule in policy),
                max_per_call=max_per_call,
                expires_s=expires_s,
                in_words=dict(in_words or {}),
            ),
            where,
        )
        made = Tool(
            name, _docstring(function, where), guards, ModelArguments(model), injected, function,
            source,
        )  # fmt: skip
        check_names(made, where)
        return made

    return make


def make_rule(function: Callable[..., Awaitable[None] | None]) -> Rule:
    """
    A rule of policy from *function*.

    Raises: ToolMistake: it has no docstring, or a parameter without annotation.
    """
    where = f"{place_of(function)}: {function.__name__}"
    visible, injected = _parameters(function, where)
    description = _docstring(function, where)
    return Rule(function.__name__, description, frozenset(visible), injected, function)


def check_guards(guards: Guards, where: str) -> Guards:
    """
    *guards*, when they make sense.

    Raises: ToolMistake: they do not.
    """
    if guards.effect not in ("read", "write"):
        raise ToolMistake(f'{where}: effect must be "read" or "write"')
    if guards.effect == "read" and (guards.confirm or guards.idempotent):
        raise ToolMistake(f"{where}: only a tool that writes has confirm or idempotent")
    if not (0 < guards.timeout_s <= 60 and 0 < guards.expires_s <= 300):
        raise ToolMistake(f"{where}: timeout_s must be within 60 s, expires_s within 300 s")
    if guards.max_per_call is not None and guards.max_per_call < 1:
        raise ToolMistake(f"{where}: max_per_call must be at least 1")
    return guards


def check_names(made: Tool, where: str) -> None:
    """
    Whether the guards speak of the tool's own arguments.

    Raises: ToolMistake: of others.
    """
    known = made.arguments.names
    for name in _placeholders(made.guards.confirm or "", where):
        if name not in known:
            raise ToolMistake(f"{where}: confirm: there is no parameter {name!r}")
    for name in made.guards.in_words:
        if name not in known:
            raise ToolMistake(f"{where}: in_words: there is no parameter {name!r}")
    for rule in made.guards.policy:
        if unknown := rule.reads - known:
            raise ToolMistake(f"{where}: rule {rule.name}: no parameter {min(unknown)!r}")


def place_of(function: Callable[..., object]) -> str:
    """File and line of *function*, from the working directory where it is under it."""
    code = inspect.unwrap(function).__code__
    return short_place(code.co_filename, code.co_firstlineno)


def short_place(file: str, line: int) -> str:
    """`file:line`, the file from where Python found it."""
    path = Path(file)
    for base in (Path.cwd(), *map(Path, filter(None, sys.path))):
        if path.is_relative_to(base):
            return f"{path.relative_to(base)}:{line}"
    return f"{path}:{line}"


def _placeholders(text: str, where: str) -> list[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ToolMistake(f"{where}: confirm: {error}") from None
    found = [name for _, name, form, conversion in parts if name is not None]
    if any(form or conversion for _, _, form, conversion in parts) or not all(
        name.isidentifier() for name in found
    ):
        raise ToolMistake(f"{where}: confirm: only plain {{names}} of parameters are filled in")
    return found


def _docstring(function: Callable[..., object], where: str) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ToolMistake(f"{where}: needs a docstring: people and models read it")
    return text


def _parameters(
    function: Callable[..., object], where: str
) -> tuple[dict[str, Any], dict[str, type]]:
    """What the model sets, as pydantic's fields, and what the server injects."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ToolMistake(f"{where}: {error}") from None
    visible: dict[str, Any] = {}
    injected: dict[str, type] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ToolMistake(f"{where}: parameter {name}: name each parameter")
        if name not in hints:
            raise ToolMistake(f"{where}: parameter {name} has no type annotation")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            injected[name] = hints[name]
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            visible[name] = (hints[name], default)
    return visible, injected


def _plain(value: object) -> str:
    match value:
        case None | "":
            return "not said"
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return ", ".join(map(_plain, value)) or "none"
        case dict():
            return ", ".join(f"{name} {_plain(one)}" for name, one in value.items()) or "none"
        case _:
            return str(value)
