"""The caller leaves, comes back, is taken over elsewhere, or stays away. Events by hand."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from livekit import rtc

from agent_worker import presence
from agent_worker.presence import Presence
from call_record import journal
from call_record.record import Record
from call_record.writer import JournalWriter
from tests.support.calls import live
from voice_contract.journal import CallLeft, CallReturned, Entry

CALLER = "caller-1"
LOST = rtc.DisconnectReason.CONNECTION_TIMEOUT
CLOSED = rtc.DisconnectReason.CLIENT_INITIATED
REPLACED = rtc.DisconnectReason.UNKNOWN_REASON


class Scene:
    """A room that is not connected, and what was told of its caller."""

    def __init__(self, record: Record, call_id: str, writer: JournalWriter) -> None:
        self.room = rtc.Room()
        self.told: list[str] = []
        self.presence = Presence(
            self.room,
            CALLER,
            writer,
            on_cut_off=lambda off: self.told.append("cut off" if off else "connected"),
            on_gone=lambda: self.told.append("gone"),
            on_back=lambda another: self.told.append("taken over" if another else "back"),
            on_given_up=lambda: self.told.append("given up"),
        )
        self._record = record
        self._call_id = call_id
        self._writer = writer

    def leaves(self, reason: rtc.DisconnectReason.ValueType = LOST, who: str = CALLER) -> None:
        """The SFU says that *who* left."""
        person = SimpleNamespace(identity=who, disconnect_reason=reason)
        self.room.emit("participant_disconnected", person)

    def comes(self, who: str = CALLER) -> None:
        """The SFU says that *who* is there."""
        person = SimpleNamespace(identity=who, disconnect_reason=None)
        self.room.emit("participant_connected", person)

    def sounds(self, quality: rtc.ConnectionQuality, who: str = CALLER) -> None:
        """The SFU says how well *who* is connected."""
        person = SimpleNamespace(identity=who)
        self.room.emit("connection_quality_changed", person, quality)

    async def written(self) -> list[Entry | None]:
        """What the journal says after the claim."""
        await self._writer.flush()
        return [one.entry for one in await journal.read(self._record, self._call_id, after_seq=2)]


@pytest.fixture
async def scene(record: Record) -> AsyncIterator[Scene]:
    call_id = await live(record)
    async with JournalWriter(record, call_id, 1) as writer:
        opened = Scene(record, call_id, writer)
        yield opened
        opened.presence.stop()


async def test_caller_from_whom_nothing_comes_is_cut_off_before_it_is_gone(scene: Scene) -> None:
    """Told once for each change, until the SFU has given it up; others do not matter."""
    poor, lost = rtc.ConnectionQuality.QUALITY_POOR, rtc.ConnectionQuality.QUALITY_LOST
    scene.sounds(lost, who="caller-2")
    for quality in (poor, lost, lost, poor, lost):
        scene.sounds(quality)
    scene.leaves(CLOSED)
    scene.sounds(lost)
    scene.comes()
    scene.sounds(poor)
    assert scene.told == ["cut off", "connected", "cut off", "gone", "back"]


async def test_caller_who_comes_back_is_not_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back within the grace time, the call goes on; both are on record."""
    monkeypatch.setattr(presence, "GRACE_S", 0.05)
    scene.leaves(CLOSED)
    scene.leaves(CLOSED)
    scene.comes()
    scene.comes()
    await asyncio.sleep(0.1)
    assert scene.told == ["gone", "back"]
    assert await scene.written() == [
        CallLeft(reason="client-initiated"),
        CallReturned(another_device=False),
    ]


async def test_caller_on_another_device_takes_over(scene: Scene) -> None:
    """The SFU removes the first device; the journal says what it was."""
    scene.leaves(REPLACED)
    scene.comes()
    assert scene.told == ["gone", "taken over"]
    assert await scene.written() == [
        CallLeft(reason="unknown-reason"),
        CallReturned(another_device=True),
    ]


async def test_caller_who_stays_away_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the grace time, once."""
    monkeypatch.setattr(presence, "GRACE_S", 0.02)
    scene.leaves()
    await asyncio.sleep(0.1)
    assert scene.told == ["gone", "given up"]


async def test_others_in_the_room_are_nobody(scene: Scene) -> None:
    """Whoever else comes or goes, the call does not care; nor after it is over."""
    scene.leaves(who="stranger")
    scene.comes(who="stranger")
    scene.presence.stop()
    scene.leaves()
    assert scene.told == []
    assert await scene.written() == []
