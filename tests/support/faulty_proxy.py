"""Stands between a client and a real server, and breaks what a test wants broken."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Mode = Literal["passes", "slow", "loses the answer", "loses the request", "busy"]
SLOW_S = 1.4


class FaultyProxy:
    """
    `slow`: the answer comes 1.4 s late. `loses the answer`: the request is done, and the line goes
    dead. `loses the request`: the line goes dead before. `busy`: 503 without a wait, and the server
    is not asked.
    """

    def __init__(self, target_port: int) -> None:
        self.mode: Mode = "passes"
        self.port = 0
        self._target_port = target_port

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _mode_for(self, request_line: bytes) -> Mode:
        """For the request that begins so, which is not passed on before this returns."""
        return self.mode

    async def _answered(self, request_line: bytes) -> None:
        """The server has answered; the client knows nothing of it before this returns."""

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head[:-4].split(b"\r\n")
        fields = {
            name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)
        }
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        mode = await self._mode_for(lines[0])
        if mode == "busy":
            writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            return
        if mode == "loses the request":
            return
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        target_reader, target = await asyncio.open_connection("127.0.0.1", self._target_port)
        target.write(b"\r\n".join([*kept, b"Connection: close", b"", b""]) + body)
        answer = await target_reader.read()
        target.close()
        await self._answered(lines[0])
        if mode == "slow":
            await asyncio.sleep(SLOW_S)
        if mode != "loses the answer":
            writer.write(answer)
            await writer.drain()


@contextmanager
def faulty_proxy(target_port: int) -> Iterator[FaultyProxy]:
    """A proxy in a thread of its own, so that tests of any event loop can use it."""
    proxy = FaultyProxy(target_port)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(proxy.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()
