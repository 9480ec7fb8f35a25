"""A connection to an MCP server; tests/integration/test_mcp_client.py has servers that die."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from agent_worker.tools.mcp import allow, mcp_server
from agent_worker.tools.mcp_client import (
    DATA_MAX_BYTES,
    SAY_MAX_CHARS,
    Connection,
    McpUnavailable,
)
from agent_worker.tools.tool import Answer, ToolRefused
from tests.support.canned_service import listening
from tests.support.local_stack import free_ports

LONG = "x" * (SAY_MAX_CHARS + 1)


async def tell(text: str) -> str:
    """Tell the text."""
    return text


async def give(characters: int) -> dict[str, Any]:
    """Give data and words."""
    return {"say": "Here.", "text": "x" * characters}


async def refuse(text: str, key: str = "") -> str:
    """Refuse with the text."""
    raise ToolError(text)


@pytest.fixture
async def line() -> AsyncIterator[Connection]:
    """To a server with three tools and one more, under two sets of guards."""
    server: MCPServer[Any] = MCPServer("odd", log_level="CRITICAL")
    for function in (tell, give, refuse):
        server.add_tool(function)
    server.add_tool(refuse, name="refuse_key")
    server.add_tool(refuse, name="fail")
    server.add_tool(tell, name="hidden")
    allowed = {
        "tell": allow(effect="read"),
        "give": allow(effect="read"),
        "refuse": allow(effect="write", errors_are_refusals=True),
        "refuse_key": allow(
            effect="write", errors_are_refusals=True, inject={"key": "idempotency_key"}
        ),
        "fail": allow(effect="write"),
    }
    (port,) = free_ports(1)
    async with listening(server.streamable_http_app(), port):
        made = Connection(mcp_server("odd", url=f"http://127.0.0.1:{port}/mcp", tools=allowed))
        yield made
        await made.aclose()


async def test_only_what_is_allowed_is_listed(line: Connection) -> None:
    """With the server's description and schema."""
    listing = await line.list_tools()
    assert listing.keys() == {"tell", "give", "refuse", "refuse_key", "fail"}
    assert listing["tell"].description == "Tell the text."
    assert listing["tell"].parameters["required"] == ["text"]


async def test_answer_is_told_as_it_is_or_cut(line: Connection) -> None:
    """Words are cut to what can be said; data that is too large is dropped."""
    assert (await line.send("tell", {"text": "Hello."})).say == "Hello."
    assert (await line.send("tell", {"text": ""})).say == "Done."
    assert (await line.send("tell", {"text": LONG})).say == LONG[: SAY_MAX_CHARS - 1] + "…"
    assert await line.send("give", {"characters": 1}) == Answer(
        say="Here.", data={"say": "Here.", "text": "x"}
    )
    assert await line.send("give", {"characters": DATA_MAX_BYTES}) == Answer(say="Here.")


async def test_error_is_a_refusal_only_where_that_is_said(line: Connection) -> None:
    """And settles what became of an earlier try only where the server knows the key; with words."""
    for name, settles in (("refuse", False), ("refuse_key", True)):
        with pytest.raises(ToolRefused, match=r"^Closed\.$") as refused:
            await line.send(name, {"text": "Closed."})
        assert refused.value.settles == settles
    for name, text in (("fail", "hunter2"), ("refuse", "")):
        with pytest.raises(RuntimeError, match=f"^odd.{name} reported an error$"):
            await line.send(name, {"text": text})


async def test_connection_is_kept_and_made_again_where_it_was_closed(line: Connection) -> None:
    """A user of it notices nothing."""
    session = await line.ready()
    assert await line.ready() is session
    await line.aclose()
    assert await line.ready() is not session


async def test_server_that_is_away_is_told_with_what_its_environment_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the names that its author listed, those that are not set, and no others."""
    monkeypatch.setenv("PARLEY_TEST_IS_SET", "1")
    made = Connection(
        mcp_server(
            "away",
            command=("/bin/false",),
            env=("PARLEY_TEST_IS_SET", "PARLEY_TEST_IS_NOT"),
            tools={"tell": allow(effect="read")},
        )
    )
    with pytest.raises(McpUnavailable) as raised:
        await made.list_tools()
    assert str(raised.value).endswith("; PARLEY_TEST_IS_NOT of `env` is not set")
