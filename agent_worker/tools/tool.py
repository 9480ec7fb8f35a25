"""What an agent's author writes: a function that becomes a guarded tool."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

Effect = Literal["read", "write"]


class Answer(BaseModel):
    """What a tool found or did."""

    model_config = ConfigDict(extra="forbid")

    say: str
    """The result in words that can be spoken as they are."""
    data: dict[str, Any] = {}
    """The same for a model that words its own answer. JSON values only."""


class ToolRefused(Exception):
    """The tool will not do it. The message is a reason that can be spoken as it is."""


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the server knows it. Never from what was said."""

    identity: str
    call_id: str


class IdempotencyKey(str):
    """One per intended effect; send it to the backend so that a repetition does nothing new."""


@dataclass(frozen=True)
class Tool:
    """A tool of an agent. Made by `@tool`."""

    name: str
    description: str
    effect: Effect
    timeout_s: float
    arguments: type[BaseModel]
    """What the model may set."""
    injected: Mapping[str, type]
    """What the server sets: keyword-only parameters, by name."""
    run: Callable[..., Awaitable[Answer]]

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as a model sees it, in OpenAI's function shape."""
        parameters = self.arguments.model_json_schema()
        for part in (parameters, *parameters.get("properties", {}).values()):
            part.pop("title", None)
        return {"name": self.name, "description": self.description, "parameters": parameters}


def tool(
    *, effect: Effect, timeout_s: float = 5.0
) -> Callable[[Callable[..., Awaitable[Answer]]], Tool]:
    """
    Make an async function a tool.

    Its name, its docstring and its positional parameters are what a model sees; parameters need
    type annotations that pydantic knows. Keyword-only parameters are filled by the server, by
    their type: `Caller`, `IdempotencyKey`, or whatever the agent's `open` yields. The model can
    neither see nor set them.

    Args:
        effect: `write` when it changes something; such a call is never cancelled half-way.
        timeout_s: Time in seconds that the caller waits for the result.

    Raises: TypeError: the function has no docstring, is not async, or lacks an annotation.
    """

    def make(function: Callable[..., Awaitable[Answer]]) -> Tool:
        place = f"{function.__module__}.{function.__qualname__}"
        description = inspect.getdoc(function)
        if not description:
            raise TypeError(f"{place}: a tool needs a docstring: the model reads it")
        if not inspect.iscoroutinefunction(function):
            raise TypeError(f"{place}: a tool must be async")
        hints = get_type_hints(function, include_extras=True)
        visible: dict[str, Any] = {}
        injected: dict[str, type] = {}
        for name, parameter in inspect.signature(function).parameters.items():
            if name not in hints:
                raise TypeError(f"{place}: parameter {name} has no type annotation")
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
                injected[name] = hints[name]
            else:
                default = ... if parameter.default is parameter.empty else parameter.default
                visible[name] = (hints[name], default)
        arguments = create_model(
            function.__name__, __config__=ConfigDict(extra="forbid"), **visible
        )
        return Tool(
            function.__name__, description, effect, timeout_s, arguments, injected, function
        )

    return make
