"""Makes a guarded tool from a function of the agent's author."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Annotated, Any, Literal, NoReturn, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    create_model,
    validate_call,
)

from agent_worker.mistakes import STRICT, in_words, location_of, problem
from agent_worker.tools.arguments import Arguments, ModelArguments
from voice_contract.actions import Action

Effect = Literal["read", "write"]
ConfirmBy = Literal["any", "screen"]
InWords = Callable[[Any], str]
Text = Annotated[str, Field(min_length=1)]
TimeoutS = Annotated[float, Field(gt=0, le=60)]
ExpiresS = Annotated[float, Field(gt=0, le=300)]
Often = Annotated[int, Field(ge=1)]
TIMEOUT_S = 5.0
EXPIRES_S = 30.0


class ToolMistake(TypeError):
    """A tool's definition has a mistake. The message names the file, the line and the tool."""


class Answer(BaseModel):
    """The result of a tool."""

    model_config = ConfigDict(extra="forbid")

    say: str
    """The result in words that can be spoken as they are."""
    data: dict[str, Any] = {}
    """The same as JSON, for a model that words its own answer."""
    actions: list[Action] = Field(default=[], max_length=3)
    """Suggestions to the caller's page, which decides by a list of its own."""


class ToolRefused(Exception):
    """
    The tool has done nothing and will not do it. The message is a reason that can be spoken as is.

    Args:
        settles: Whether this is the backend's answer to the request with the idempotency key. If
            an earlier try with that key may have worked, only such a refusal says that it did not:
            a look beforehand ("3 PM is no longer free") may see what that very try has done.
    """

    def __init__(self, message: str = "", *, settles: bool = False) -> None:
        super().__init__(message)
        self.settles = settles


class BackendUnavailable(Exception):
    """
    The backend has done nothing now, but may do it later.

    Any other exception of a tool that writes means that the outcome is unknown.
    """

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Caller:
    """
    Who is calling, as the server knows it; never taken from what was said.

    An identity is unique within its tenant only: two tenants may both have a `sam`.
    """

    identity: str
    call_id: str
    tenant: str | None = None
    name: str | None = None
    """For people to read, as the caller's sign-in has it."""


class IdempotencyKey(str):
    """One per intended effect. Send it to the backend, so that a retry does nothing new."""


@dataclass(frozen=True)
class Target:
    """What a tool acts on, as its `resolve` step found it: which one "my next appointment" is."""

    id: str
    """Names it at the backend. Whatever has the same id is the same."""
    shown: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the caller sees and hears of it; `confirm` can name it in braces."""


Resolve = Callable[..., Awaitable[Target]]


@dataclass(frozen=True)
class Rule:
    """A rule of policy: it refuses an invocation by raising `ToolRefused`, or returns nothing."""

    name: str
    description: str
    reads: frozenset[str]
    """The arguments that it needs."""
    injected: Mapping[str, type]
    check: Callable[..., Awaitable[Any] | None]


@dataclass(frozen=True)
class Guards:
    """How a tool is guarded."""

    effect: Effect
    confirm: str | None = None
    """The question to the caller, with arguments in braces; None: the caller is not asked."""
    confirm_by: ConfirmBy = "any"
    """`screen`: only a click on the card approves it, no spoken or typed yes."""
    timeout_s: float = TIMEOUT_S
    idempotent: bool = False
    """Whether the backend supports idempotency keys, so that a retry does nothing new."""
    backend: str | None = None
    """Within a call, tools of the same backend share a circuit breaker and a concurrency limit;
    None: the tool has its own."""
    policy: tuple[Rule, ...] = ()
    max_per_call: int | None = None
    """How often it may run in one call; None: 10 times when it writes, 50 when it reads."""
    expires_s: float = EXPIRES_S
    """How long the question waits for an answer."""
    in_words: Mapping[str, InWords] = field(default_factory=dict)
    """By argument: how its value is said, if not as it is."""
    resolve: Rule | None = None
    """Finds out what it acts on; `reads` are the arguments by which it is found."""
    details: frozenset[str] = frozenset()
    """Arguments that only describe the effect, such as a reason."""

    @property
    def repeatable(self) -> bool:
        """Whether a retry is safe."""
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
    """What the server sets, by parameter."""
    run: Callable[..., Awaitable[Answer]]
    source: str = ""
    """File and line."""
    server: str = ""
    """The MCP server that has it; empty: it is a function of the agent's author."""
    ready: Callable[[], Awaitable[object]] | None = None
    """Makes ready what takes time and changes nothing before `run`, such as a connection."""

    @property
    def effect(self) -> Effect:
        return self.guards.effect

    @property
    def backend(self) -> str:
        return self.guards.backend or (f"mcp:{self.server}" if self.server else self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as a model sees it, as an OpenAI function."""
        return {
            "name": self.name,
            "description": self.description,
            "parameters": self.arguments.schema,
        }

    def in_words(self, arguments: Mapping[str, JsonValue], now: datetime) -> dict[str, str]:
        """
        All *arguments* as a person reads them.

        Args: now: When, in the caller's time zone: "tomorrow" depends on it.
        """
        return {name: self._worded(name, value, now) for name, value in arguments.items()}

    def question(self, arguments: Mapping[str, JsonValue], now: datetime) -> str:
        """The question to the caller before it runs; *now*: as `in_words`."""
        assert self.guards.confirm is not None
        return self.guards.confirm.format(**self.in_words(arguments, now))

    def _worded(self, name: str, value: JsonValue, now: datetime) -> str:
        if (in_words := self.guards.in_words.get(name)) is not None:
            return in_words(value)
        kind = self.arguments.kinds.get(name)
        if kind is None or value is None:
            return _plain(value)
        try:
            return kind.say(kind.from_json(value), now)
        except ValueError:  # a `resolve` step shows something else by that name
            return _plain(value)


@validate_call(config=STRICT)
def tool(
    *,
    effect: Effect,
    confirm: Text | None = None,
    confirm_by: ConfirmBy = "any",
    timeout_s: TimeoutS = TIMEOUT_S,
    idempotent: bool = False,
    backend: Text | None = None,
    policy: Sequence[Callable[..., Awaitable[None] | None]] = (),
    max_per_call: Often | None = None,
    expires_s: ExpiresS = EXPIRES_S,
    in_words: Mapping[str, InWords] | None = None,
    resolve: Resolve | None = None,
    details: Sequence[str] = (),
) -> Callable[[Callable[..., Awaitable[Answer]]], Tool]:
    """
    Make an async function a tool.

    A model sees its name, its docstring and its positional parameters, which need type annotations
    that pydantic knows. The server fills in keyword-only parameters by their type: `Caller`,
    `IdempotencyKey`, or whatever the agent's `open` yields. A model can neither see nor set them.

    Args:
        effect: `write` if it changes something; the gate never cancels a write halfway.
        confirm: The question to the caller, such as `"Cancel order {order_number}?"`. The caller
            also sees or hears every argument that the question does not mention.
        confirm_by: `"screen"` for what only a click on the card may approve, no spoken or typed
            yes. A caller whose page shows no cards cannot have it done.
        timeout_s: How long the caller waits for the result.
        idempotent: Whether the backend supports idempotency keys: then the gate sends the same
            `IdempotencyKey` again when the backend does not answer, and after a crash.
        backend: Name of the backend. Within a call, tools with the same backend share a circuit
            breaker and a concurrency limit.
        policy: Functions that raise `ToolRefused` if the tool may not run. They take arguments of
            the tool by name and, keyword-only, what the server injects.
        max_per_call: How often it may run in one call.
        expires_s: How long the question stays open.
        in_words: By argument: how its value is said, where its kind of value does not say it.
        resolve: An async function that finds out what the tool acts on, once, before the caller is
            asked. It takes arguments of the tool by name and, keyword-only, what the server
            injects, and returns a `Target`, which the tool gets as a keyword-only parameter. It
            may raise `ToolRefused`. Sending again acts on the same target.
        details: Arguments that only describe the effect, such as a reason: wishes that differ in
            nothing else are the same effect, of which one must be settled before the next begins.

    Raises: ToolMistake: something does not fit, with file and line. ValidationError: an argument
        is unknown or of the wrong type; `load_agent` says where.
    """

    def make(function: Callable[..., Awaitable[Answer]]) -> Tool:
        source = location_of(function)
        name = getattr(function, "__name__", type(function).__name__)
        where = f"{source}: {name}"
        if not (inspect.isfunction(function) and inspect.iscoroutinefunction(function)):
            raise ToolMistake(f"{where}: a tool must be async, and a function")
        visible, injected = _parameters(function, where)
        if get_type_hints(function).get("return", Answer) not in (Answer, Any, NoReturn):
            raise ToolMistake(f"{where}: a tool must return an Answer")
        arguments = _arguments(name, visible, where)
        guards = check_guards(
            Guards(
                effect=effect,
                confirm=confirm,
                confirm_by=confirm_by,
                timeout_s=timeout_s,
                idempotent=idempotent,
                backend=backend,
                policy=tuple(make_rule(rule) for rule in policy),
                max_per_call=max_per_call,
                expires_s=expires_s,
                in_words=dict(in_words or {}),
                resolve=None if resolve is None else make_rule(resolve),
                details=frozenset(details),
            ),
            where,
        )
        made = Tool(
            name, _docstring(function, where), guards, arguments, injected, function, source
        )
        check_names(made, where)
        return made

    return make


def make_rule(function: Callable[..., Awaitable[Any] | None]) -> Rule:
    """
    A rule of policy from *function*.

    Raises: ToolMistake: it is no function, has no docstring, or a parameter without annotation.
    """
    if not inspect.isfunction(function):
        raise ToolMistake(f"{location_of(function)}: policy: a rule must be a function")
    where = f"{location_of(function)}: {function.__name__}"
    visible, injected = _parameters(function, where)
    description = _docstring(function, where)
    return Rule(function.__name__, description, frozenset(visible), injected, function)


def check_guards(guards: Guards, where: str) -> Guards:
    """
    *guards*, if they go together.

    Raises: ToolMistake: they do not.
    """
    if guards.effect == "read" and (guards.confirm or guards.idempotent):
        raise ToolMistake(f"{where}: only a tool that writes can have confirm or idempotent")
    if guards.confirm_by != "any" and guards.confirm is None:
        raise ToolMistake(f"{where}: confirm_by needs a question: give confirm as well")
    if guards.resolve and not inspect.iscoroutinefunction(guards.resolve.check):
        raise ToolMistake(f"{where}: resolve must be async")
    return guards


def check_names(made: Tool, where: str) -> None:
    """
    Check that the guards name only arguments of the tool.

    Raises: ToolMistake: they name others.
    """
    known = made.arguments.names
    resolve = made.guards.resolve
    named = [("confirm", name) for name in _placeholders(made.guards.confirm or "", where)]
    named += [("in_words", name) for name in made.guards.in_words]
    for name in made.guards.details:
        if name not in known:
            raise ToolMistake(f"{where}: details: there is no parameter {name!r}")
    for what, name in named:
        # What a `resolve` step shows besides, only its answer tells.
        if name not in known and resolve is None:
            raise ToolMistake(f"{where}: {what}: there is no parameter {name!r}")
    for rule in (*made.guards.policy, *([resolve] if resolve else [])):
        if unknown := rule.reads - known:
            raise ToolMistake(f"{where}: rule {rule.name}: no parameter {min(unknown)!r}")
    if resolve is None and Target in made.injected.values():
        raise ToolMistake(f"{where}: takes a Target, but has no resolve step that finds it")


def _placeholders(text: str, where: str) -> list[str]:
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise ToolMistake(f"{where}: confirm: {error}") from None
    found = [name for _, name, form, conversion in parts if name is not None]
    if any(form or conversion for _, _, form, conversion in parts) or not all(
        name.isidentifier() for name in found
    ):
        raise ToolMistake(f"{where}: confirm: only plain {{names}} of parameters can be filled in")
    return found


def _docstring(function: Callable[..., object], where: str) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ToolMistake(f"{where}: needs a docstring, which people and models read")
    return text


def _parameters(
    function: Callable[..., object], where: str
) -> tuple[dict[str, Any], dict[str, type]]:
    """What a model sets, as pydantic fields, and what the server injects."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception as error:
        raise ToolMistake(f"{where}: an annotation is wrong: {in_words(error)}") from None
    visible: dict[str, Any] = {}
    injected: dict[str, type] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ToolMistake(f"{where}: parameter {name}: *args and **kwargs are not possible")
        if name not in hints:
            raise ToolMistake(f"{where}: parameter {name} has no type annotation")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            injected[name] = hints[name]
        elif hints[name] in (Caller, IdempotencyKey):
            raise ToolMistake(f"{where}: parameter {name}: put it after `*`: the server fills it")
        else:
            default = ... if parameter.default is parameter.empty else parameter.default
            visible[name] = (hints[name], default)
    return visible, injected


def _arguments(name: str, visible: dict[str, Any], where: str) -> ModelArguments:
    """What a model may set, as *visible* says."""
    checked = ConfigDict(strict=True, validate_default=True)
    for parameter, kind_and_default in visible.items():
        alone: dict[str, Any] = {parameter: kind_and_default}
        try:
            model = create_model(name, __config__=checked, **alone)
            if parameter not in model.model_fields:
                raise NameError("pydantic keeps such a name for itself")
            model.model_json_schema()
            if kind_and_default[1] is not ...:
                model()
        except ValidationError as error:
            raise ToolMistake(f"{where}: the default of parameter {problem(error)}") from None
        except Exception as error:
            raise ToolMistake(f"{where}: parameter {parameter}: {in_words(error)}") from None
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    return ModelArguments(create_model(name, __config__=config, **visible))


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
