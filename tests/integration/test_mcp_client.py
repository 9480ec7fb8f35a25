"""Connections to real MCP servers: made when needed, again when broken, and honest about both."""

import asyncio
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agent_worker.agent import AgentError
from agent_worker.loading import look_at_servers
from agent_worker.tools import mcp_client
from agent_worker.tools.mcp import McpServer, allow, mcp_server
from agent_worker.tools.mcp_client import Connection, McpUnavailable, list_servers
from agent_worker.tools.tool import Answer, BackendUnavailable, ToolRefused
from devstack.parent_death import die_with_parent
from examples.storefront.agent import AGENT
from tests.support.canned_service import listening
from tests.support.local_stack import ROOT, free_ports, until

SERVER = """
import asyncio, os, sys, time
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("odd")

@server.tool()
def pid() -> int:
    "Tell the process."
    return os.getpid()

@server.tool()
def secret() -> str:
    "Not allowed."
    return "secret"

@server.tool()
def refuse() -> str:
    "Refuse."
    raise ToolError("We are closed.")

@server.tool()
def refuse_key(request_id: str) -> str:
    "Refuse what a key is for."
    raise ToolError("That was too late.")

@server.tool()
def fail() -> str:
    "Fail."
    raise ToolError("db password=hunter2")

@server.tool()
async def work(file: str, seconds: float = 0.5) -> str:
    "Work for a while, and leave a trace of how it ended."
    with open(file, "a") as trace:
        try:
            trace.write("begun,"); trace.flush()
            await asyncio.sleep(seconds)
            trace.write("done,")
        except asyncio.CancelledError:
            trace.write("stopped,")
            raise
    return "Worked."

@server.tool()
async def block(file: str, seconds: float) -> str:
    "Work without ever looking at what else is asked."
    with open(file, "a") as trace:
        trace.write("begun,"); trace.flush()
        time.sleep(seconds)
        trace.write("done,")
    return "Worked."

@server.tool()
def much() -> str:
    "Answer at length."
    return "x" * 100_000

if sys.argv[1:]:
    server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
else:
    print("noise on stderr: password=hunter2", file=sys.stderr)
    server.run()
"""
TOOLS = {
    "pid": allow(effect="read"),
    "refuse": allow(effect="write", errors_are_refusals=True),
    "refuse_key": allow(
        effect="write",
        idempotent=True,
        errors_are_refusals=True,
        inject={"request_id": "idempotency_key"},
    ),
    "fail": allow(effect="write"),
    "work": allow(effect="write"),
    "much": allow(effect="read"),
    "block": allow(effect="write"),
}
RAW = """
import json, sys

for line in sys.stdin:
    asked = json.loads(line)
    match asked["method"]:
        case "initialize":
            result = {
                "protocolVersion": asked["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "raw", "version": "1"},
            }
        case "tools/call":
            result = {
                "content": [{"type": "text", "text": "Paid."}],
                "structuredContent": json.loads(sys.argv[2]),
            }
        case "tools/list" if sys.argv[1] == "dies":
            sys.exit()
        case "tools/list":
            schema = {"type": "object", "properties": {"number": {"type": "integer"}}}
            tool = {"name": "pay", "inputSchema": {"type": "object"}, "outputSchema": schema}
            result = {"tools": [tool]}
        case _:
            result = {}
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's program."""
    file = tmp_path_factory.mktemp("server") / "odd.py"
    file.write_text(SERVER)
    return file


@pytest.fixture(scope="module")
def over_http(program: Path) -> Iterator[McpServer]:
    """It serves over HTTP."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, str(program), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    url = f"http://127.0.0.1:{port}/mcp"
    for _ in range(300):
        try:
            httpx.get(url, trust_env=False)
            break
        except httpx.HTTPError:
            time.sleep(0.05)
    yield mcp_server("odd", url=url, tools=TOOLS)
    process.kill()
    process.wait()


@pytest.fixture
def over_stdio(program: Path) -> McpServer:
    return mcp_server("odd", command=(sys.executable, str(program)), tools=TOOLS)


@pytest.fixture(params=["over_stdio", "over_http"])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    """A connection of each kind."""
    connection = Connection(request.getfixturevalue(request.param))
    yield connection
    await connection.aclose()


async def test_only_allowed_tools_are_listed(line: Connection) -> None:
    """Whatever else the server has."""
    assert set(await line.list_tools()) == set(TOOLS)


async def test_errors_of_a_tool_are_refusals_only_where_that_is_said(
    line: Connection, tmp_path: Path
) -> None:
    """Clean words there, and nothing of the server's own elsewhere; long answers are cut."""
    with pytest.raises(ToolRefused, match=r"^We are closed\.$") as refused:
        await line.send("refuse", {})
    # Only an answer to the key says what became of an earlier try.
    assert not refused.value.settles
    with pytest.raises(ToolRefused) as refused:
        await line.send("refuse_key", {"request_id": "k"})
    assert refused.value.settles
    with pytest.raises(RuntimeError) as caught:
        await line.send("fail", {})
    assert "hunter2" not in str(caught.value)
    assert len((await line.send("much", {})).say) == 2_000
    # Whoever stops waiting tells the server to stop midway: the gate never does for a write.
    trace = tmp_path / "trace"
    task = asyncio.create_task(line.send("work", {"file": str(trace)}))
    await until(lambda: trace.exists() and trace.read_text() == "begun,")
    assert (await task).say == "Worked."
    assert trace.read_text() == "begun,done,"


async def test_process_that_died_is_started_again(over_stdio: McpServer, tmp_path: Path) -> None:
    """A call into a dead one is never of unknown outcome; one that was under way is."""
    connection = Connection(over_stdio)

    async def number() -> int:
        answer: Answer = await connection.send("pid", {})
        return int(answer.say)

    first = await number()
    os.kill(first, signal.SIGKILL)
    await until(lambda: not Path(f"/proc/{first}").exists())
    second = await number()
    assert second != first
    trace = tmp_path / "trace"
    work = {"file": str(trace), "seconds": 60}
    under_way = asyncio.create_task(connection.send("work", work))
    await until(lambda: trace.exists() and trace.read_text() == "begun,")
    os.kill(second, signal.SIGKILL)
    with pytest.raises(TimeoutError):
        await under_way
    third = await number()
    await connection.aclose()
    await until(lambda: not Path(f"/proc/{third}").exists())


async def test_write_is_not_cut_off_by_another_request_to_a_busy_server(
    line: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not answer a ping meanwhile: then nothing else is sent, and its answer comes."""
    monkeypatch.setattr(mcp_client, "PING_S", 0.3)
    trace = tmp_path / "trace"
    await line.ready()
    work = asyncio.create_task(line.send("block", {"file": str(trace), "seconds": 1.5}))
    await until(lambda: trace.exists() and trace.read_text() == "begun,")
    with pytest.raises(BackendUnavailable):
        await line.send("pid", {})
    assert (await work).say == "Worked."
    assert trace.read_text() == "begun,done,"
    assert (await line.send("pid", {})).say


@pytest.mark.parametrize(
    ("schema", "content"), [("dies", '{"number": 1}'), ("lists", '{"number": "one"}')]
)
async def test_answer_of_a_tool_counts_whatever_its_schema_says(
    tmp_path: Path, schema: str, content: str
) -> None:
    """It has done its work: neither a wrong answer nor a second request makes that unknown."""
    program = tmp_path / "raw.py"
    program.write_text(RAW)
    command = (sys.executable, str(program), schema, content)
    connection = Connection(
        mcp_server("raw", command=command, tools={"pay": allow(effect="write")})
    )
    assert (await connection.send("pay", {})).say == "Paid."
    await connection.aclose()


def _no_token() -> dict[str, str]:
    return {"Authorization": os.environ["PARLEY_TEST_NO_SUCH_TOKEN"]}


@pytest.mark.parametrize(
    ("where", "cause"),
    [
        ({"command": ["/nonexistent/server"]}, "FileNotFoundError: .*'/nonexistent/server'"),
        ({"command": ["python -m x"]}, "FileNotFoundError: .*'python -m x'"),
        (
            {"command": ["/bin/false"], "env": ["PARLEY_TEST_NO_SUCH_TOKEN"]},
            "its process ended; run its command by hand to see why; "
            "PARLEY_TEST_NO_SUCH_TOKEN of `env` is not set",
        ),
        ({"url": "http://127.0.0.1:9"}, "ConnectError: All connection attempts failed"),
        ({"url": "127.0.0.1:9/mcp"}, "UnsupportedProtocol: Request URL "),
        (
            {"url": "http://127.0.0.1:9", "headers": _no_token},
            "ValueError: `headers` failed: KeyError: 'PARLEY_TEST_NO_SUCH_TOKEN'",
        ),
    ],
)
async def test_server_that_is_not_there_is_told_by_name_place_and_cause(
    where: dict[str, Any], cause: str
) -> None:
    """When it is listed; a call to it is known not to have been sent."""
    server = mcp_server("dead", tools={"search": allow(effect="write")}, **where)
    place = r"test_mcp_client\.py:\d+: the MCP server 'dead' does not answer: "
    with pytest.raises(McpUnavailable, match=place + cause):
        await list_servers([server])
    with pytest.raises(AgentError, match=place + cause):
        await look_at_servers(dataclasses.replace(AGENT, mcp=(server,)))
    connection = Connection(server)
    with pytest.raises(BackendUnavailable):
        await connection.send("search", {})
    await connection.aclose()


async def test_server_that_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its time to start."""
    monkeypatch.setattr(mcp_client, "CONNECT_S", 0.5)
    server = mcp_server("mute", tools={"search": allow(effect="read")}, command=["sleep", "60"])
    with pytest.raises(McpUnavailable, match=r"'mute' does not answer: it had 0\.5 s to do so"):
        await list_servers([server])


async def test_server_that_refuses_us_is_told_without_its_address() -> None:
    """The address may hold a token."""

    async def refuse(_: Request) -> Response:
        return Response(status_code=403)

    (port,) = free_ports(1)
    server = mcp_server(
        "shut",
        tools={"search": allow(effect="read")},
        url=f"http://127.0.0.1:{port}/mcp?token=hunter2",
    )
    async with listening(Starlette(routes=[Route("/mcp", refuse, methods=["POST"])]), port):
        with pytest.raises(McpUnavailable, match="does not answer: HTTP status 403: ") as caught:
            await list_servers([server])
    assert "hunter2" not in str(caught.value)


async def test_noise_of_a_server_stays_out_of_our_output(
    over_stdio: McpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it prints may be anything."""
    assert ROOT.exists()
    connection = Connection(over_stdio)
    await connection.send("pid", {})
    await connection.aclose()
    assert "hunter2" not in "".join(capfd.readouterr())
