"""Reads what the caller types, on LiveKit's topic `lk.chat`, within bounds."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog
from livekit import rtc

from call_record.clock import SystemClock
from service_base.tasks import TaskSet
from voice_contract.messages import TEXT_MAX_CHARS

log = structlog.get_logger()

TOPIC = "lk.chat"
READ_WITHIN_S = 10.0
OPEN_MAX = 4
"""Texts under way at the same time; one more pushes out the oldest. A person types one."""


class CallerText:
    """
    The texts of *caller* in *room*; those of others are refused.

    The framework's own reader keeps all of a text, however long, and never lets go of a stranger's.

    Args: act: gets each text that is not empty, cut to `TEXT_MAX_CHARS`, and when it began to
        arrive: seconds of the clock for deadlines.
    """

    def __init__(
        self, room: rtc.Room, caller: str, act: Callable[[str, float], Awaitable[None]]
    ) -> None:
        self._caller = caller
        self._act = act
        self._open: deque[rtc.TextStreamReader] = deque()
        self._tasks = TaskSet()
        room.register_text_stream_handler(TOPIC, self._on_stream)

    def _on_stream(self, reader: rtc.TextStreamReader, sender: str) -> None:
        if sender != self._caller:
            reader.close()
            log.warning("text.refused", reason="stranger")
            return
        self._open.append(reader)
        if len(self._open) > OPEN_MAX:
            self._open.popleft().close()
        began_s = SystemClock().boot_s()
        self._tasks.start(self._take(reader, began_s), name="typed-text")

    async def _take(self, reader: rtc.TextStreamReader, began_s: float) -> None:
        text = await _read(reader)
        if reader not in self._open:
            log.warning("text.refused", reason="pushed-out")
            return
        self._open.remove(reader)
        reader.close()
        if text:
            await self._act(text, began_s)


async def _read(reader: rtc.TextStreamReader) -> str:
    """The text as far as it counts; empty: it was refused."""
    text = ""
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            async for part in reader:
                text += part
                if len(text) > TEXT_MAX_CHARS:
                    break
    except (TimeoutError, rtc.StreamError):
        # It did not end in time, is larger than any stream may be, or the room was left.
        log.warning("text.refused", reason="broken-off", chars=len(text))
        return ""
    return text.strip()[:TEXT_MAX_CHARS]
