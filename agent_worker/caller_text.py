"""Reads what the caller types, on LiveKit's topic `lk.chat`, within bounds."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from livekit import rtc

from agent_worker.refusals import Refusals
from call_record.clock import SystemClock
from service_base.tasks import TaskSet
from voice_contract.messages import TEXT_MAX_CHARS

TOPIC = "lk.chat"
READ_WITHIN_S = 10.0
OPEN_MAX = 4
"""Texts under way at the same time; one more pushes out the oldest. A person types one."""


class CallerText:
    """
    The texts in *room*. `CallLimits` has refused those that are not the caller's, or too long.

    The framework's own reader keeps all of a text, however long.

    Args: act: gets each text that is not empty, cut to `TEXT_MAX_CHARS`, and when it began to
        arrive: seconds of the clock for deadlines.
    """

    def __init__(
        self,
        room: rtc.Room,
        refusals: Refusals,
        act: Callable[[str, float], Awaitable[None]],
    ) -> None:
        self._refusals = refusals
        self._act = act
        self._open: deque[rtc.TextStreamReader] = deque()
        self._tasks = TaskSet()
        room.register_text_stream_handler(TOPIC, self._on_stream)

    def _on_stream(self, reader: rtc.TextStreamReader, _: str) -> None:
        self._open.append(reader)
        if len(self._open) > OPEN_MAX:
            self._open.popleft().close()
        began_s = SystemClock().boot_s()
        self._tasks.start(self._take(reader, began_s), name="typed-text")

    async def _take(self, reader: rtc.TextStreamReader, began_s: float) -> None:
        text = await self._read(reader)
        if reader not in self._open:
            self._refusals.add("text", "pushed-out")
            return
        self._open.remove(reader)
        reader.close()
        if text:
            await self._act(text, began_s)

    async def _read(self, reader: rtc.TextStreamReader) -> str:
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
            self._refusals.add("text", "broken-off")
            return ""
        return text.strip()[:TEXT_MAX_CHARS]
