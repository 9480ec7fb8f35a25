"""HTTP as uvicorn speaks it, but with an end to waiting for a request that does not come."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN_S = 10.0
"""From a connection's begin, or a request's first byte, to the end of the request's headers."""


class BoundedHttp(H11Protocol):
    """Closes connections that stay open and send nothing, or a little at a time."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Its first request is due."""
        super().connection_made(transport)
        self._due = self.loop.call_later(HEAD_WITHIN_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """More of a request, or all of it."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._arrived()
        elif self._due is None:
            self._due = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._arrived()
        super().connection_lost(exc)

    def _arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
