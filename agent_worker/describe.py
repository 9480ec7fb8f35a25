"""An agent's tools and their guards as a page of Markdown."""

from collections.abc import Iterable, Iterator, Sequence

from agent_worker.agent import AgentDefinition
from agent_worker.tools.tool import Tool


def describe(agent: AgentDefinition, tools: Sequence[Tool]) -> str:
    """The page of *agent*; *tools* are its own and those of its MCP servers."""
    return "\n".join(_page(agent, tools)) + "\n"


def _page(agent: AgentDefinition, tools: Sequence[Tool]) -> Iterator[str]:
    yield f"# {agent.name}: tools and guards"
    yield ""
    yield (
        f"{len(tools)} tools, which run at most {agent.tool_calls_max} times in one call. "
        "The agent can do nothing else."
    )
    yield ""
    yield from _table(
        ("tool", "effect", "asks first", "at most", "timeout", "retried", "backend"),
        (
            (
                f"[`{tool.name}`](#{tool.name})",
                "**writes**" if tool.effect == "write" else "reads",
                tool.guards.confirm or "",
                f"{tool.guards.most} a call",
                f"{tool.guards.timeout_s:g} s",
                _again(tool),
                tool.backend,
            )
            for tool in tools
        ),
    )
    for tool in tools:
        yield ""
        yield from _tool(tool)
    if agent.mcp:
        yield ""
        yield "## MCP servers"
        yield ""
        yield from _table(
            ("server", "reached by", "allowed"),
            (
                (
                    server.name,
                    f"`{server.url}`" if server.url else "its own process, over stdio",
                    ", ".join(f"`{name}`" for name in server.tools),
                )
                for server in agent.mcp
            ),
        )


def _tool(tool: Tool) -> Iterator[str]:
    yield f"## {tool.name}"
    yield ""
    yield f"{tool.description} ({tool.source.rpartition(':')[0]})"
    if tool.arguments.names:
        yield ""
        yield from _table(
            ("argument", "is", "needed", "what it is"),
            (
                (f"`{name}`", _type(schema), "yes" if name in tool.arguments.required else "",
                 _what(schema))
                for name, schema in tool.arguments.schema.get("properties", {}).items()
            ),
        )  # fmt: skip
    facts = list(_facts(tool))
    if facts:
        yield ""
        yield from (f"- {fact}" for fact in facts)


def _facts(tool: Tool) -> Iterator[str]:
    for rule in tool.guards.policy:
        yield f"policy `{rule.name}`: {' '.join(rule.description.split())}"
    if tool.guards.resolve:
        yield f"acts on: {' '.join(tool.guards.resolve.description.split())}"
    if tool.guards.confirm:
        yield (
            f"asks: “{tool.guards.confirm}”, shows all arguments, and waits "
            f"{tool.guards.expires_s:g} s for a yes"
            + (" on the screen" if tool.guards.confirm_by == "screen" else "")
        )
    injected = [getattr(kind, "__name__", str(kind)) for kind in tool.injected.values()]
    if injected:
        yield f"the server fills in: {', '.join(dict.fromkeys(injected))}"


def _again(tool: Tool) -> str:
    if tool.effect == "read":
        return "yes"
    return "yes, with the same key" if tool.guards.idempotent else "never"


def _type(schema: dict[str, object]) -> str:
    if "enum" in schema:
        values = schema["enum"]
        assert isinstance(values, list)
        return " or ".join(f"`{value}`" for value in values)
    if "anyOf" in schema:
        options = schema["anyOf"]
        assert isinstance(options, list)
        return " or ".join(_type(one) for one in options if one.get("type") != "null")
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("exclusiveMinimum", "above"),
            ("minLength", "at least"),
            ("maxLength", "up to"),
        )
        if key in schema
    ]
    return " ".join((str(schema.get("type", "anything")), *bounds))


def _what(schema: dict[str, object]) -> str:
    """What is said of it, or of what it may be."""
    options = schema.get("anyOf", [])
    assert isinstance(options, list)
    return next((str(one["description"]) for one in (schema, *options) if "description" in one), "")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"
