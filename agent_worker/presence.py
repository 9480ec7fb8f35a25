"""Whether the caller is in the room: gone without hanging up, back, or taken over elsewhere."""

import asyncio
from collections.abc import Callable

import structlog
from livekit import rtc

from call_record.writer import JournalWriter
from voice_contract.journal import CallLeft, CallReturned
from voice_contract.limits import GRACE_S

log = structlog.get_logger()


class Presence:
    """
    Watches *caller* in *room* once it has joined, and writes into the journal what it sees.

    Args:
        on_gone: Called when the caller is gone, without having hung up.
        on_back: Called when it is back within the grace time; True: on another device, while the
            first one was still there.
        on_given_up: Called when it did not come back in time.
    """

    def __init__(
        self,
        room: rtc.Room,
        caller: str,
        journal: JournalWriter,
        *,
        on_gone: Callable[[], None],
        on_back: Callable[[bool], None],
        on_given_up: Callable[[], None],
    ) -> None:
        self._room = room
        self._caller = caller
        self._journal = journal
        self._on_gone = on_gone
        self._on_back = on_back
        self._on_given_up = on_given_up
        self._grace: asyncio.TimerHandle | None = None
        self._taken_over = False
        room.on("participant_connected", self._connected)
        room.on("participant_disconnected", self._disconnected)

    def stop(self) -> None:
        """Watch no more."""
        self._room.off("participant_connected", self._connected)
        self._room.off("participant_disconnected", self._disconnected)
        if self._grace is not None:
            self._grace.cancel()

    def expect_back(self) -> None:
        """The caller is not there: give up on it after the grace time."""
        self._grace = asyncio.get_running_loop().call_later(GRACE_S, self._on_given_up)

    def _connected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or self._grace is None:
            return
        self._grace.cancel()
        self._grace = None
        log.info("connection.state_changed", side="caller", new="connected")
        self._journal.write(CallReturned(another_device=self._taken_over))
        self._on_back(self._taken_over)

    def _disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity != self._caller or self._grace is not None:
            return
        reason = participant.disconnect_reason
        name = "unknown" if reason is None else rtc.DisconnectReason.Name(reason).lower()
        self._taken_over = reason == rtc.DisconnectReason.DUPLICATE_IDENTITY
        log.info("connection.state_changed", side="caller", new="disconnected", reason=name)
        self._journal.write(CallLeft(reason=name.replace("_", "-")))
        self.expect_back()
        self._on_gone()
