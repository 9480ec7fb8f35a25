"""
The same tool three times: as a function, and behind an MCP server over stdio and over HTTP.

`python -m tests.support.native_and_mcp_tools SHOP_URL [PORT]` is the server.
"""

import sys
from typing import Any

import httpx2 as httpx
from mcp.server.mcpserver import MCPServer

from agent_worker.tools.mcp import McpServer, allow, mcp_server
from agent_worker.tools.tool import (
    Answer,
    BackendUnavailable,
    Caller,
    IdempotencyKey,
    Tool,
    ToolRefused,
    tool,
)

CONFIRMED, PLAIN = "call_back_if_yes", "call_back"
"""The tool behind a confirmation, and without one."""
HIDDEN = "call_back_anybody"
"""Nobody allowed this one."""
TIMEOUT_S = 1.0


async def ask_shop(url: str, number: int, key: str, call_id: str) -> str:
    """
    The effect: a row in the shop's ledger.

    Raises: httpx2.TransportError: the answer was lost. BackendUnavailable: the shop was busy.
    """
    async with httpx.AsyncClient(base_url=url, timeout=5) as http:
        headers = {"Idempotency-Key": key, "X-Call-Id": call_id}
        answer = await http.post("/v1/callbacks", json={"reason": f"{number}"}, headers=headers)
    if answer.status_code == 503:
        raise BackendUnavailable
    answer.raise_for_status()
    return f"Callback {number} is noted."


def server(url: str) -> MCPServer[Any]:
    """The MCP server."""
    # It would take a second to print an error.
    made: MCPServer[Any] = MCPServer("matrix", log_level="CRITICAL")

    async def work(number: int, key: str, call_id: str) -> str:
        return await ask_shop(url, number, key, call_id)

    for name in (PLAIN, CONFIRMED, HIDDEN):
        made.add_tool(work, name=name, description="Have somebody call back.")
    return made


def small(number: int) -> None:
    """Only small numbers."""
    if number > 50:
        raise ToolRefused("That number is too large.")


CONFIRM = "Call back about {number}?"


def native(url: str) -> list[Tool]:
    """The functions."""
    made: list[Tool] = []
    for name, confirm in ((PLAIN, None), (CONFIRMED, CONFIRM)):

        async def work(number: int, *, caller: Caller, key: IdempotencyKey) -> Answer:
            """Have somebody call back."""
            return Answer(say=await ask_shop(url, number, key, caller.call_id))

        work.__name__ = name
        decorate = tool(
            effect="write",
            confirm=confirm,
            timeout_s=TIMEOUT_S,
            backend="shop",
            policy=[small],
            max_per_call=6,
        )
        made.append(decorate(work))
    return made


def over_mcp(**where: Any) -> McpServer:
    """The server's policy table."""
    guards: dict[str, Any] = {
        "effect": "write",
        "timeout_s": TIMEOUT_S,
        "policy": [small],
        "max_per_call": 6,
        "inject": {"key": "idempotency_key", "call_id": "call_id"},
    }
    tools = {PLAIN: allow(**guards), CONFIRMED: allow(confirm=CONFIRM, **guards)}
    return mcp_server("matrix", tools=tools, **where)


if __name__ == "__main__":
    shop, *port = sys.argv[1:]
    if port:
        server(shop).run(transport="streamable-http", host="127.0.0.1", port=int(port[0]))
    else:
        server(shop).run()
