"""
How a call's process tells the worker that the call has ended.

An ended call no longer needs its slot, but its process takes seconds to exit. The message travels
over a stream socket and is acknowledged, so a slot is not kept because a message was lost. If the
worker does not answer, the slot is freed when the process exits.
"""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from agent_worker.socket_folder import socket_folder

log = structlog.get_logger()

ACKNOWLEDGEMENT = b"\n"
MESSAGE_MAX_BYTES = 256
TELL_WITHIN_S = 2.0
TRY_EVERY_S = 0.1
READ_WITHIN_S = 2.0


async def tell_call_ended(address: str, call_id: str) -> bool:
    """
    Tell the worker that listens at *address* that the call has ended; try for 2 s at most.

    Returns: whether the worker acknowledged it.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(TELL_WITHIN_S):
            while True:
                if await _acknowledged(address, call_id):
                    return True
                await asyncio.sleep(TRY_EVERY_S)
    log.warning("call_end.not_told", call_id=call_id)
    return False


async def _acknowledged(address: str, call_id: str) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return False
    try:
        writer.write(call_id.encode() + b"\n")
        return await reader.read(len(ACKNOWLEDGEMENT)) == ACKNOWLEDGEMENT
    except OSError:
        return False
    finally:
        writer.close()


class CallEndListener:
    """
    The receiving side, in the worker's process. `address` is what `tell_call_ended` needs.

    Args:
        on_ended: Called with the id of a call that has ended; again when it is told again.
    """

    def __init__(self, on_ended: Callable[[str], None]) -> None:
        self._on_ended = on_ended
        self._folder = socket_folder()
        self.address = str(Path(self._folder.name) / "call-ends")
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(
            self._receive, self.address, limit=MESSAGE_MAX_BYTES
        )

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        self._folder.cleanup()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                line = await reader.readline()
                if not line.endswith(b"\n"):
                    raise ValueError("the message is cut off")
                self._handle(line.decode().strip())
                writer.write(ACKNOWLEDGEMENT)
                await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            log.warning("call_end.not_understood", error=type(error).__name__)
        finally:
            writer.close()

    def _handle(self, call_id: str) -> None:
        try:
            self._on_ended(call_id)
        except Exception as error:
            # It is acknowledged all the same: told again, it would fail again.
            stack = "".join(traceback.format_tb(error.__traceback__))
            log.error(
                "call_end.not_handled", call_id=call_id, error=type(error).__name__, stack=stack
            )
