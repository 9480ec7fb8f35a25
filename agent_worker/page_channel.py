"""Sends messages to the caller's page, and to nobody else in the room."""

import asyncio

import structlog
from livekit import rtc

from service_base.tasks import TaskSet
from voice_contract.messages import NOTICE_MAX_CHARS, AgentMessage, Notice, NoticeCode
from voice_contract.names import MESSAGE_TOPIC

log = structlog.get_logger()


class PageChannel:
    """The page of *caller* in *room*."""

    def __init__(self, room: rtc.Room, caller: str) -> None:
        self._room = room
        self._caller = caller
        self._one_by_one = asyncio.Lock()
        self._tasks = TaskSet()
        self._shown = ""

    async def send(self, message: AgentMessage) -> None:
        """Send *message* after all earlier ones. Logs a failure and does not raise it."""
        await self._start(message)

    def push(self, message: AgentMessage) -> None:
        """
        Send *message* in the background.

        Does nothing outside the room: a page asks for what it needs when an agent joins.
        """
        if self._room.isconnected():
            self._start(message)

    def show(self, code: NoticeCode, text: str) -> None:
        """
        Show *text*, cut to `NOTICE_MAX_CHARS`, unless this turn has just shown it.

        When speech fails, the announcement of that failure fails too; showing it once is enough.
        """
        text = text[:NOTICE_MAX_CHARS]
        if text != self._shown:
            self._shown = text
            self.push(Notice(code=code, text=text))

    def begin_turn(self) -> None:
        """Start the caller's next turn, which may show the same text again."""
        self._shown = ""

    def _start(self, message: AgentMessage) -> asyncio.Task[None]:
        # Awaited sends are tasks too; otherwise they would overtake messages pushed just before.
        return self._tasks.start(self._send(message), name=f"send {message.type}")

    async def _send(self, message: AgentMessage) -> None:
        try:
            async with self._one_by_one:
                await self._room.local_participant.send_text(
                    message.model_dump_json(),
                    topic=MESSAGE_TOPIC,
                    destination_identities=[self._caller],
                )
        except Exception as error:
            log.warning("message.not_sent", type=message.type, exc_info=error)
