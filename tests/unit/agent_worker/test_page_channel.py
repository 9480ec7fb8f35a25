"""What goes to the caller's page, in which order, and what does not."""

import asyncio
from typing import Any

import pytest
from livekit import rtc
from structlog.testing import capture_logs

from agent_worker.page_channel import PageChannel
from voice_contract.messages import CallEnded, Notice
from voice_contract.names import MESSAGE_TOPIC

pytestmark = pytest.mark.usefixtures("virtual_time")

CALLER = "caller-1"
LONG = "word " * 1_000


class Room(rtc.Room):
    """A room that keeps what is sent in it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_here = True
        self.is_broken = False
        self.sent: list[str] = []

    def isconnected(self) -> bool:
        """As the test says."""
        return self.is_here

    @property
    def local_participant(self) -> Any:
        """Who sends."""
        return self

    async def send_text(self, text: str, *, topic: str, destination_identities: list[str]) -> None:
        """Sent, the first texts the slowest."""
        await asyncio.sleep(0.02 / (1 + len(self.sent)))
        if self.is_broken:
            raise ConnectionError("gone")
        assert (topic, destination_identities) == (MESSAGE_TOPIC, [CALLER])
        self.sent.append(text)


@pytest.fixture
async def room() -> Room:
    """Where page and agent are."""
    return Room()


@pytest.fixture
async def page(room: Room) -> PageChannel:
    """The page of the caller in it."""
    return PageChannel(room, CALLER)


def notice(text: str) -> str:
    """How it goes over the wire."""
    return Notice(code="no-voice", text=text).model_dump_json()


async def test_messages_come_in_the_order_in_which_they_were_pushed(
    page: PageChannel, room: Room
) -> None:
    """Though each is sent in the background."""
    for number in range(5):
        page.push(Notice(code="no-voice", text=str(number)))
    await page.send(CallEnded(reason="agent"))
    assert room.sent == [
        *(notice(str(number)) for number in range(5)),
        CallEnded(reason="agent").model_dump_json(),
    ]


async def test_notice_is_shown_once_in_a_turn_and_shortened(page: PageChannel, room: Room) -> None:
    """An apology that can not be spoken either is not shown twice."""
    for text in ("sorry", "sorry", LONG, LONG, "sorry"):
        page.show("no-voice", text)
    page.begin_turn()
    page.show("no-voice", "sorry")
    await page.send(CallEnded(reason="agent"))
    assert room.sent[:-1] == [notice(text) for text in ("sorry", LONG[:2_000], "sorry", "sorry")]


async def test_message_of_an_agent_that_is_in_no_room_is_not_sent(
    page: PageChannel, room: Room
) -> None:
    """A page asks for what it needs when an agent joins."""
    room.is_here = False
    with capture_logs() as logs:
        page.push(CallEnded(reason="agent"))
        room.is_here = True
        await page.send(CallEnded(reason="caller"))
    assert room.sent == [CallEnded(reason="caller").model_dump_json()]
    assert logs == []


async def test_message_that_can_not_be_sent_is_logged_without_its_words(
    page: PageChannel, room: Room
) -> None:
    """And costs the call nothing."""
    room.is_broken = True
    with capture_logs() as logs:
        await page.send(Notice(code="no-voice", text="order seven"))
    assert [(log["event"], log["type"]) for log in logs] == [("message.not_sent", "notice")]
    assert "order seven" not in str(logs)
