"""The lines of one call to the shop and to the record, which break at exact moments."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

from tests.support.faulty_proxy import FaultyProxy, Mode

HANGS_S = 6.0
"""Longer than the shop's client and the gate wait."""
CHUNK_BYTES = 65_536
ShopFault = Literal["answer lost", "request lost", "busy", "hangs", "hangs and arrives", "passes"]
_MODES: dict[ShopFault, Mode] = {
    "answer lost": "loses the answer",
    "request lost": "loses the request",
    "busy": "busy",
}
Moment = Callable[[], Awaitable[None]]


class ShopFaults:
    """
    What happens to the writes of one call on their way to the shop.

    Args: hit: told of each fault.
    """

    def __init__(self, hit: Callable[[str], None]) -> None:
        self.hit = hit
        self.next: deque[ShopFault] = deque()
        """Of the next writes, one each."""
        self.rest: ShopFault = "passes"
        """Of the writes after these."""
        self.on_request: Moment | None = None
        """What happens once when a write has arrived."""
        self.on_done: Moment | None = None
        """The same when the shop has done it."""
        self.under_way: set[asyncio.Task[Any]] = set()
        """Requests that may still be done; asyncio alone would not keep them."""

    async def mode(self) -> Mode:
        """For a write that has arrived."""
        if self.on_request is not None:
            moment, self.on_request = self.on_request, None
            await moment()
        fault = self.next.popleft() if self.next else self.rest
        if fault == "passes":
            return "passes"
        self.hit(fault.partition(" and ")[0])
        if fault.startswith("hangs"):
            await asyncio.sleep(HANGS_S)
            return "loses the answer" if fault == "hangs and arrives" else "loses the request"
        return _MODES[fault]

    async def aclose(self) -> None:
        """Pass nothing on any more."""
        tasks = list(self.under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def done(self) -> None:
        """The shop has done a write."""
        if self.on_done is not None:
            moment, self.on_done = self.on_done, None
            await moment()


class ShopLine(FaultyProxy):
    """
    One agent's line to the shop: what reads passes, what writes has the call's faults.

    Args: on_write: told of each write that arrives.
    """

    def __init__(self, shop_port: int, faults: ShopFaults, on_write: Callable[[], None]) -> None:
        super().__init__(shop_port)
        self._faults = faults
        self._on_write = on_write

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._faults.under_way.add(task)
        try:
            await super()._forward(reader, writer)
        finally:
            self._faults.under_way.discard(task)

    async def _mode_for(self, request_line: bytes) -> Mode:
        if not request_line.startswith(b"POST"):
            return "passes"
        self._on_write()
        return await self._faults.mode()

    async def _answered(self, request_line: bytes) -> None:
        if request_line.startswith(b"POST"):
            await self._faults.done()


class RecordLine:
    """
    A line to PostgreSQL.

    Args: fault_hit: told of an answer that was lost.
    """

    def __init__(self, port: int, fault_hit: Callable[[], None]) -> None:
        self._target_port = port
        self._hit = fault_hit
        self._connections: set[asyncio.Task[None]] = set()
        self._cut = False
        self.lose_commit_of = b""
        """The COMMIT after these bytes were sent is done, and the line goes dead."""

    async def start(self) -> int:
        """Listen. Returns: the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def aclose(self) -> None:
        """End all of it."""
        self._server.close()
        self.cut(True)
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self, cut: bool) -> None:
        """Cut the line, or mend it."""
        self._cut = cut
        if cut:
            for connection in self._connections:
                connection.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self._cut:
                far = await asyncio.open_connection("127.0.0.1", self._target_port)
                await _Passage((reader, writer), far, self).run()
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()


End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Passage:
    """One connection."""

    def __init__(self, near: End, far: End, line: RecordLine) -> None:
        self._near = near
        self._far = far
        self._line = line
        self._seen = False
        self._loses = False

    async def run(self) -> None:
        """Until one end closes it or an answer is lost."""
        ways = [asyncio.create_task(self._up()), asyncio.create_task(self._down())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._far[1].transport.abort()

    async def _up(self) -> None:
        with suppress(OSError):
            while data := await self._near[0].read(CHUNK_BYTES):
                marker = self._line.lose_commit_of
                self._seen = self._seen or bool(marker and marker in data)
                if self._seen and b"COMMIT" in data:
                    self._line.lose_commit_of = b""
                    self._loses = True
                self._far[1].write(data)
                await self._far[1].drain()

    async def _down(self) -> None:
        with suppress(OSError):
            while data := await self._far[0].read(CHUNK_BYTES):
                if self._loses:
                    self._line._hit()
                    return
                self._near[1].write(data)
                await self._near[1].drain()
