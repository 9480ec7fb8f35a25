"""Relays for TCP that break where a test wants them to, in a thread of their own."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

CHUNK_BYTES = 65_536


class Relays:
    """All relays of a test run; they go on between tests, whose event loops do not."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._all: list[Relay] = []

    def to(self, port: int, *, host: str = "127.0.0.1") -> "Relay":
        """A relay that listens on *host* and leads to *port* on this machine."""
        relay = Relay(port, self._loop)
        asyncio.run_coroutine_threadsafe(relay.listen(host), self._loop).result(5)
        self._all.append(relay)
        return relay

    def mend(self) -> None:
        """Everything passes again."""
        for relay in self._all:
            relay.cut(False)
            relay.hold(requests=False, answers=False)

    def close(self) -> None:
        """End all of it."""
        for relay in self._all:
            asyncio.run_coroutine_threadsafe(relay.close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


class Relay:
    """
    Passes connections on.

    What is held is passed on when it is let go; a cut ends connections and refuses new ones.
    """

    def __init__(self, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self._target = port
        self._loop = loop
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._up.set()
        self._down.set()
        self._cut = False
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0
        self.asked = threading.Event()
        """Set when something was sent; to be cleared by hand."""
        self.answered = threading.Event()
        """The same for an answer."""

    async def listen(self, host: str) -> None:
        """Begin."""
        self._server = await asyncio.start_server(self._accept, host, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """End all connections and take no more."""
        self._server.close()
        self._end_connections()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def hold(self, *, requests: bool | None = None, answers: bool | None = None) -> None:
        """Keep back what is sent to the server, or what it answers."""
        for event, held in ((self._up, requests), (self._down, answers)):
            if held is not None:
                self._do(event.clear if held else event.set)

    def cut(self, cut: bool = True) -> None:
        """Cut the line, or mend it."""
        self._cut = cut
        if cut:
            self._do(self._end_connections)

    def _do(self, act: Callable[[], None]) -> None:
        done = threading.Event()

        def run() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(5)

    def _end_connections(self) -> None:
        for connection in self._connections:
            connection.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if not self._cut:
                await self._serve(reader, writer)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        both = [
            asyncio.create_task(self._pass(reader, far_writer, self._up, self.asked)),
            asyncio.create_task(self._pass(far_reader, writer, self._down, self.answered)),
        ]
        try:
            await asyncio.gather(*both)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            far_writer.transport.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        free: asyncio.Event,
        seen: threading.Event,
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            seen.set()
            await free.wait()
            writer.write(data)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()
