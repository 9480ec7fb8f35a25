"""Tracks whether the caller is in the room: connected, cut off, gone, or back."""

import asyncio
import time
from collections.abc import Callable

import structlog
from livekit import rtc

from call_record.writer import JournalWriter
from voice_contract.journal import CallLeft, CallReturned
from voice_contract.limits import GRACE_S

log = structlog.get_logger()

TAKE_OVER_WITHIN_S = 1.0


class Presence:
    """
    Watches *caller* in *room* after it has joined, and records changes in the journal.

    Args:
        on_cut_off: Called with True when no data arrives from the caller, seconds before the SFU
            drops it; with False when data arrives again.
        on_gone: Called when the caller has left without hanging up.
        on_back: Called when the caller is back within the grace time; with True when it came from
            another device while the first one was still connected.
        on_given_up: Called when the caller did not come back in time.
    """

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        journal: JournalWriter,
        *,
        on_cut_off: Callable[[bool], None],
        on_gone: Callable[[], None],
        on_back: Callable[[bool], None],
        on_given_up: Callable[[], None],
    ) -> None:
        self._room = room
        self._caller = caller
        self._journal = journal
        self._on_cut_off = on_cut_off
        self._on_gone = on_gone
        self._on_back = on_back
        self._on_given_up = on_given_up
        self._cut_off = False
        self._grace: asyncio.TimerHandle | None = None
        self._left_s = 0.0
        self._left_by_itself = True
        room.on("participant_connected", self._connected)
        room.on("participant_disconnected", self._disconnected)
        room.on("connection_quality_changed", self._quality_changed)

    def stop(self) -> None:
        """Stop watching."""
        self._room.off("participant_connected", self._connected)
        self._room.off("participant_disconnected", self._disconnected)
        self._room.off("connection_quality_changed", self._quality_changed)
        if self._grace is not None:
            self._grace.cancel()

    def expect_back(self) -> None:
        """Start the grace time, after which the caller counts as gone."""
        self._grace = asyncio.get_running_loop().call_later(GRACE_S, self._on_given_up)

    def _connected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or self._grace is None:
            return
        self._grace.cancel()
        self._grace = None
        log.info("connection.state_changed", side="caller", new="connected")
        # The SFU gives no reason when it replaces a device.
        immediately = time.monotonic() - self._left_s < TAKE_OVER_WITHIN_S
        another_device = immediately and not self._left_by_itself
        self._journal.write(CallReturned(another_device=another_device))
        self._cut_off = False
        self._on_back(another_device)

    def _quality_changed(
        self, participant: rtc.Participant | None, quality: rtc.ConnectionQuality
    ) -> None:
        if participant is None or participant.identity != self._caller or self._grace is not None:
            return
        cut_off = quality == rtc.ConnectionQuality.QUALITY_LOST
        if cut_off is not self._cut_off:
            self._cut_off = cut_off
            new = "cut-off" if cut_off else "connected"
            log.info("connection.state_changed", side="caller", new=new)
            self._on_cut_off(cut_off)

    def _disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or self._grace is not None:
            return
        reason = participant.disconnect_reason
        name = "unknown" if reason is None else rtc.DisconnectReason.Name(reason).lower()
        self._left_s = time.monotonic()
        self._left_by_itself = reason == rtc.DisconnectReason.CLIENT_INITIATED
        log.info("connection.state_changed", side="caller", new="disconnected", reason=name)
        self._journal.write(CallLeft(reason=name.replace("_", "-")))
        self.expect_back()
        self._on_gone()
