"""Declares an MCP server: which of its tools the agent may use, and behind which guards."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, InstanceOf, validate_call

from agent_worker.mistakes import STRICT, author_location
from agent_worker.tools.arguments import SchemaArguments
from agent_worker.tools.tool import (
    EXPIRES_S,
    TIMEOUT_S,
    Answer,
    Caller,
    ConfirmBy,
    Effect,
    ExpiresS,
    Guards,
    IdempotencyKey,
    InWords,
    Often,
    Text,
    TimeoutS,
    Tool,
    ToolMistake,
    check_guards,
    check_names,
    make_rule,
)

Injected = Literal["caller", "caller_name", "call_id", "tenant", "idempotency_key"]
NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
VARIABLE = re.compile(r"[A-Za-z_]\w*")
CALLER, KEY = "parley/caller", "parley/key"
"""The gate injects under these names, which no tool of a server has as parameters."""


@dataclass(frozen=True)
class Allowed:
    """A tool of a server that may be used, and its guards. Made by `allow`."""

    guards: Guards
    description: str | None
    inject: Mapping[str, Injected]
    errors_are_refusals: bool
    source: str


@dataclass(frozen=True)
class McpServer:
    """A server and those of its tools that are offered. Made by `mcp_server`."""

    name: str
    tools: Mapping[str, Allowed]
    command: tuple[str, ...]
    url: str
    env: tuple[str, ...]
    headers: Callable[[], Mapping[str, str]]
    source: str


class Listed(BaseModel):
    """A tool as its server lists it."""

    description: str = ""
    parameters: dict[str, Any] = {}


Listing = dict[str, Listed]
"""The allowed tools of a server, by name."""
Send = Callable[[str, dict[str, Any]], Awaitable[Answer]]
Ready = Callable[[], Awaitable[object]]


def _no_headers() -> Mapping[str, str]:
    return {}


@validate_call(config=STRICT)
def allow(
    *,
    effect: Effect,
    confirm: Text | None = None,
    confirm_by: ConfirmBy = "any",
    timeout_s: TimeoutS = TIMEOUT_S,
    idempotent: bool = False,
    policy: Sequence[Callable[..., Awaitable[None] | None]] = (),
    max_per_call: Often | None = None,
    expires_s: ExpiresS = EXPIRES_S,
    in_words: Mapping[str, InWords] | None = None,
    description: Text | None = None,
    inject: Mapping[str, Injected] | None = None,
    errors_are_refusals: bool = False,
    details: Sequence[str] = (),
) -> Allowed:
    """
    Allow a tool of an MCP server, with the same guards as `@tool`.

    Args:
        description: What a model reads instead of the server's own description.
        inject: By parameter of the tool: what the gate sets; a model sees none of these parameters.
        errors_are_refusals: Whether an error that the tool reports means that nothing was done, and
            its text can be spoken. If not, such an error leaves the outcome of a write unknown.
        details: As of `@tool`.

    Raises: ToolMistake: something does not fit, with file and line. ValidationError: an argument
        is unknown or of the wrong type; `load_agent` says where.
    """
    source = author_location()
    where = f"{source}: allow"
    guards = Guards(
        effect=effect,
        confirm=confirm,
        confirm_by=confirm_by,
        timeout_s=timeout_s,
        idempotent=idempotent,
        policy=tuple(make_rule(rule) for rule in policy),
        max_per_call=max_per_call,
        expires_s=expires_s,
        in_words=dict(in_words or {}),
        details=frozenset(details),
    )
    injections = dict(inject or {})
    if idempotent and "idempotency_key" not in injections.values():
        raise ToolMistake(f"{where}: idempotent needs a parameter to inject idempotency_key into")
    if effect == "read" and "idempotency_key" in injections.values():
        raise ToolMistake(f"{where}: inject: only a tool that writes has an idempotency_key")
    return Allowed(
        check_guards(guards, where), description, injections, errors_are_refusals, source
    )


@validate_call(config=STRICT)
def mcp_server(
    name: str,
    *,
    tools: Mapping[str, InstanceOf[Allowed]],
    command: Sequence[str] = (),
    url: str = "",
    env: Sequence[str] = (),
    headers: Callable[[], Mapping[str, str]] = _no_headers,
) -> McpServer:
    """
    Use an MCP server. Only the tools that *tools* lists are offered.

    Args:
        command: The command that starts a server over stdio; each call starts one process.
        url: Or the address of a server over streamable HTTP.
        env: Names of environment variables that the started process gets besides PATH, HOME and
            the like.
        headers: Returns HTTP headers, such as one with a token.

    Raises: ToolMistake: something does not fit, with file and line. ValidationError: an argument
        is unknown or of the wrong type; `load_agent` says where.
    """
    source = author_location()
    where = f"{source}: mcp_server {name!r}"
    if not NAME.fullmatch(name):
        raise ToolMistake(f"{where}: a name is made of letters, digits, _ and -")
    if bool(command) == bool(url):
        raise ToolMistake(f"{where}: give either command or url")
    if not tools:
        raise ToolMistake(f"{where}: no tool is allowed; list at least one")
    if wrong := [tool for tool in tools if not NAME.fullmatch(tool)]:
        raise ToolMistake(f"{where}: {wrong[0]!r} cannot be the name of a tool")
    if not all(map(VARIABLE.fullmatch, env)):
        # Not quoted: it may be a value.
        raise ToolMistake(
            f"{where}: env: give the names of environment variables, without their values"
        )
    return McpServer(name, dict(tools), tuple(command), url, tuple(env), headers, source)


def as_tools(
    server: McpServer, listing: Listing, send: Send, ready: Ready | None = None
) -> list[Tool]:
    """
    The allowed tools of *server*, each behind its guards.

    Args: ready: Connects before a tool is sent; None: there is nothing to connect.

    Raises: ToolMistake: the server has no such tool, or the guards name parameters that it lacks.
    """
    made = [_as_tool(server, name, listing, send) for name in server.tools]
    return [replace(tool, ready=ready) for tool in made]


def _as_tool(server: McpServer, name: str, listing: Listing, send: Send) -> Tool:
    allowed = server.tools[name]
    where = f"{allowed.source}: {server.name}.{name}"
    if name not in listing:
        raise ToolMistake(f"{where}: the server has no such tool")
    listed = listing[name]
    properties = listed.parameters.get("properties", {})
    if missing := sorted(allowed.inject.keys() - properties.keys()):
        raise ToolMistake(f"{where}: inject: there is no parameter {missing[0]!r}")
    try:
        arguments = SchemaArguments(listed.parameters, frozenset(allowed.inject))
    except SchemaError as error:
        raise ToolMistake(f"{where}: the server's schema is wrong: {error.message}") from None

    async def run(**values: Any) -> Answer:
        caller, key = values.pop(CALLER), values.pop(KEY, None)
        known = {
            "caller": caller.identity,
            "caller_name": caller.name,
            "call_id": caller.call_id,
            "tenant": caller.tenant,
            "idempotency_key": key,
        }
        injected = {parameter: known[what] for parameter, what in allowed.inject.items()}
        return await send(name, {**values, **injected})

    keyed = {KEY: IdempotencyKey} if allowed.guards.effect == "write" else {}
    made = Tool(
        name=name,
        description=allowed.description or listed.description or name,
        guards=allowed.guards,
        arguments=arguments,
        injected={CALLER: Caller, **keyed},
        run=run,
        source=allowed.source,
        server=server.name,
    )
    check_names(made, where)
    return made
