"""Connects to MCP servers over stdio and streamable HTTP."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2 as httpx
import structlog
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp.types import (
    CONNECTION_CLOSED,
    REQUEST_TIMEOUT,
    CallToolResult,
    PaginatedRequestParams,
    TextContent,
)

from agent_worker.mistakes import in_words
from agent_worker.tools.arguments import ARGUMENTS_MAX_BYTES
from agent_worker.tools.mcp import Listed, Listing, McpServer
from agent_worker.tools.tool import Answer, BackendUnavailable, ToolRefused

log = structlog.get_logger()

CONNECT_S = 10.0
PING_S = 2.0
CLOSE_S = 8.0
WORK_S = 60.0
"""How long a server that does not answer is believed to be at work: no caller waits longer."""
SAY_MAX_CHARS = 2_000
DATA_MAX_BYTES = ARGUMENTS_MAX_BYTES * 2
PAGES_MAX = 20
SDK_WORDS = re.compile(r"^Error executing tool [\w-]+:\s*")
"""What MCP's Python SDK puts before the text of an error."""


class McpUnavailable(Exception):
    """A server cannot be used. The message says which, and why."""


class _Session(ClientSession):
    """One that takes every answer of a tool: what the tool did is done."""

    async def validate_tool_result(self, name: str, result: CallToolResult) -> None:
        """
        Nothing: a further request for the tool's schema, or an answer that does not fit it, would
        make a write that was done one of which nobody knows.
        """


class Connection:
    """
    A connection to one server, made at its first use and again after it broke.

    It lives in its own task, so that a user of it can be cancelled, or close it from another task.
    """

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._lock = asyncio.Lock()
        self._session: ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self._status: int | None = None
        self._under_way: list[float] = []
        """When each request to run a tool was sent, by the loop's clock."""

    async def list_tools(self) -> Listing:
        """
        The allowed tools of the server.

        Raises: McpUnavailable.
        """
        try:
            session = await self._connected()
            found: Listing = {}
            cursor: str | None = None
            for _ in range(PAGES_MAX):
                async with asyncio.timeout(CONNECT_S):
                    page = await session.list_tools(params=PaginatedRequestParams(cursor=cursor))
                for tool in page.tools:
                    if tool.name in self._server.tools:
                        found[tool.name] = Listed(
                            description=tool.description or "", parameters=tool.input_schema
                        )
                cursor = page.next_cursor
                if not cursor:
                    break
        except Exception as error:
            raise McpUnavailable(
                f"{self._server.source}: the MCP server {self._server.name!r} does not answer: "
                f"{_cause(self._server, error, self._status)}"
            ) from error
        return found

    async def send(self, name: str, arguments: dict[str, Any]) -> Answer:
        """
        Run a tool. If this is cancelled, the server is told to stop midway.

        Raises: ToolRefused: the tool reported an error, and its errors are refusals.
            BackendUnavailable: the request was not sent. TimeoutError: the answer was lost.
        """
        session = await self.ready()
        began_s = asyncio.get_running_loop().time()
        self._under_way.append(began_s)
        try:
            # Without a timeout of the client, which would tell the server to stop.
            result = await session.call_tool(name, arguments)
        except MCPError as error:
            if error.code in (CONNECTION_CLOSED, REQUEST_TIMEOUT):
                raise TimeoutError from error
            raise
        except httpx.TransportError as error:
            raise TimeoutError from error
        finally:
            self._under_way.remove(began_s)
        return self._answer(name, result)

    async def ready(self) -> ClientSession:
        """
        Connect, or see that the connection still works.

        Raises: BackendUnavailable.
        """
        try:
            return await self._connected()
        except Exception as error:
            log.warning("mcp.away", server=self._server.name, error=type(error).__name__)
            raise BackendUnavailable from error

    async def aclose(self) -> None:
        """Close the connection; a server that this connection started ends."""
        async with self._lock:
            await self._disconnect()

    async def _connected(self) -> ClientSession:
        """A session that answers a ping: a request into a dead one has an unknown outcome."""
        async with self._lock:
            if self._session is not None:
                try:
                    async with asyncio.timeout(PING_S):
                        await self._session.send_ping()
                    return self._session
                except Exception as error:
                    if isinstance(error, TimeoutError) and self._is_at_work:
                        # It may be too busy to answer: what it does must not be cut off.
                        raise
                    log.warning("mcp.broken", server=self._server.name, error=type(error).__name__)
                    await self._disconnect()
            return await self._connect()

    @property
    def _is_at_work(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        return any(now_s - began_s < WORK_S for began_s in self._under_way)

    async def _connect(self) -> ClientSession:
        ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._live(ready), name=f"mcp {self._server.name}")
        try:
            async with asyncio.timeout(CONNECT_S):
                self._session = await ready
        except BaseException:
            await self._disconnect()
            raise
        return self._session

    async def _live(self, ready: "asyncio.Future[ClientSession]") -> None:
        closing = self._closing
        try:
            async with AsyncExitStack() as stack:
                streams = await stack.enter_async_context(_transport(self._server, self._note))
                session = await stack.enter_async_context(_Session(*streams))
                # Here too: cancelling this task from outside could leave the server's process.
                async with asyncio.timeout(CONNECT_S):
                    await session.initialize()
                if not ready.done():
                    ready.set_result(session)
                await closing.wait()
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
            else:
                log.warning("mcp.broken", server=self._server.name, error=type(error).__name__)

    async def _disconnect(self) -> None:
        self._session = None
        self._closing.set()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=CLOSE_S)
            if not done:
                self._task.cancel()
            self._task = None

    async def _note(self, response: httpx.Response) -> None:
        if response.is_error:
            self._status = response.status_code

    def _answer(self, name: str, result: CallToolResult) -> Answer:
        text = " ".join(
            part.text.strip() for part in result.content if isinstance(part, TextContent)
        )
        data = result.structured_content or {}
        if result.is_error:
            allowed = self._server.tools[name]
            words = SDK_WORDS.sub("", text)
            if allowed.errors_are_refusals and words:
                keyed = "idempotency_key" in allowed.inject.values()
                raise ToolRefused(_cut(words), settles=keyed)
            raise RuntimeError(f"{self._server.name}.{name} reported an error")
        say = data.get("say", text)
        if len(str(data).encode(errors="replace")) > DATA_MAX_BYTES:
            data = {}
        return Answer(say=_cut(str(say) or "Done."), data=data)


def _cause(server: McpServer, error: BaseException, status: int | None) -> str:
    """
    Why *server* does not answer, in words for its author.

    Args: status: Of its last HTTP answer that was an error; MCP's SDK does not tell it.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case TimeoutError():
            cause = f"it had {CONNECT_S:g} s to do so"
        case MCPError(code=code) if code == CONNECTION_CLOSED and server.command:
            cause = "its process ended; run its command by hand to see why"
        case MCPError() if status is not None:
            cause = f"HTTP status {status}: {error}"
        case httpx.HTTPStatusError():  # whose text has the address, which may hold a token
            cause = f"HTTP status {error.response.status_code}"
        case _:
            cause = in_words(error)
    unset = [name for name in server.env if name not in os.environ]
    return cause + (f"; {', '.join(unset)} of `env` is not set" if unset else "")


def _headers(server: McpServer) -> dict[str, str]:
    try:
        return dict(server.headers())
    except Exception as error:
        raise ValueError(f"`headers` failed: {in_words(error)}") from error


def _cut(text: str) -> str:
    return text if len(text) <= SAY_MAX_CHARS else text[: SAY_MAX_CHARS - 1] + "…"


@asynccontextmanager
async def _transport(
    server: McpServer, note: Callable[[httpx.Response], Awaitable[None]]
) -> AsyncIterator[tuple[Any, Any]]:
    if server.command:
        program, *rest = server.command
        env = {name: os.environ[name] for name in server.env if name in os.environ}
        parameters = StdioServerParameters(command=program, args=rest, env=env)
        # What the server prints may hold what callers said, which must not reach the logs.
        with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230 - it never blocks
            async with stdio_client(parameters, errlog=nowhere) as (read, write):
                yield read, write
    else:
        http = httpx.AsyncClient(
            headers=_headers(server),
            timeout=httpx.Timeout(60, connect=3),
            event_hooks={"response": [note]},
        )
        async with http, streamable_http_client(server.url, http_client=http) as (read, write):
            yield read, write


async def list_servers(servers: Sequence[McpServer]) -> dict[str, Listing]:
    """
    What each of *servers* offers, by its name.

    Raises: McpUnavailable: one does not answer.
    """
    connections = [Connection(server) for server in servers]
    try:
        found = await asyncio.gather(*(one.list_tools() for one in connections))
        return {server.name: listing for server, listing in zip(servers, found, strict=True)}
    finally:
        await asyncio.gather(*(one.aclose() for one in connections))


@asynccontextmanager
async def connections(servers: Sequence[McpServer]) -> AsyncIterator[dict[str, Connection]]:
    """By server name: what runs its tools. It connects at its first use."""
    made = {server.name: Connection(server) for server in servers}
    try:
        yield made
    finally:
        await asyncio.gather(*(one.aclose() for one in made.values()))
