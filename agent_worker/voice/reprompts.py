"""Asks again when the conversation stalls: the caller is silent, or speech has no words."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from livekit.agents import (
    AgentSession,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    UserTranscriptionTimeoutEvent,
)

from agent_worker.agent import Phrases
from agent_worker.metrics import Metrics
from agent_worker.waits import Waits
from voice_contract.messages import EndReason

log = structlog.get_logger()


class Reprompts:
    """
    Counts stalls, asks again, and ends the call politely if asking does not help.

    Silence counts only while the caller could speak and did not ask the agent to wait.

    Args:
        is_speaking: Whether the agent speaks, or has paused.
        is_reading: Whether the caller reads a question on the screen.
        say_goodbye: Says the words and ends the call with the reason.
    """

    def __init__(
        self,
        session: AgentSession[None],
        phrases: Phrases,
        metrics: Metrics,
        waits: Waits,
        *,
        is_speaking: Callable[[], bool],
        is_reading: Callable[[], bool],
        say_goodbye: Callable[[str, EndReason], Awaitable[None]],
    ) -> None:
        self._session = session
        self._phrases = phrases
        self._metrics = metrics
        self._waits = waits
        self._is_speaking = is_speaking
        self._is_reading = is_reading
        self._say_goodbye = say_goodbye
        self._silences = 0
        self._unheard = 0
        self._excused = False
        self._paused = False
        self._busy = False
        """Whether the page says that the caller is muted or types."""
        self._held = False
        """Whether the caller asked to wait."""
        self._waiting_since_s: float | None = None
        self._patience_told = False
        self._sound_since_s: float | None = None
        self._lasted_s = 0.0
        self._sound_counts = False
        """Whether the caller's last sound, if it has no words, was speech that was not heard."""
        self._task: asyncio.Task[None] | None = None
        session.on("user_state_changed", self._on_user_state)
        session.on("user_transcription_timeout", self._on_unheard)
        session.on("user_input_transcribed", self._on_heard)

    def heard(self) -> None:
        """The caller was understood, by voice or text: count from zero again."""
        self._silences = self._unheard = 0
        self._excused = self._held = self._patience_told = False
        self._waiting_since_s = None

    def excuse(self) -> None:
        """Do not count the current stall: it is our fault, not the caller's."""
        self._excused = True

    def listened(self) -> None:
        """The caller's last sound only said that they listen."""
        self._sound_counts = False

    @property
    def is_short(self) -> bool:
        """Whether the caller's last sound was too short for more than a word or two."""
        return self._lasted_s < self._waits.noise_s

    def hold(self) -> None:
        """The caller asks to wait."""
        self.heard()
        self._held = True

    def busy(self, busy: bool) -> None:
        """Note whether the caller is muted or types."""
        if busy is not self._busy:
            self._busy = busy
            self._session.reset_away_timer()

    def pause(self) -> None:
        """Stop counting silence while the caller is disconnected."""
        self._paused = True

    def resume(self) -> None:
        """Count again: the caller is back."""
        self._paused = False
        self.heard()
        self._session.reset_away_timer()

    def _on_heard(self, event: UserInputTranscribedEvent) -> None:
        if event.is_final and event.transcript.strip():
            self.heard()

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        if event.new_state == "speaking":
            self._sound_since_s = time.monotonic()
            self._sound_counts = not self._is_speaking()
        elif event.old_state == "speaking" and self._sound_since_s is not None:
            self._lasted_s = time.monotonic() - self._sound_since_s - self._waits.pause_s
            self._sound_counts = self._sound_counts and not self.is_short
        if event.new_state != "away" or self._paused:
            return
        if self._has_patience():
            self._session.reset_away_timer()
            return
        self._silences += 1
        self._ask_again(
            "silence",
            self._silences,
            self._phrases.silence,
            self._phrases.silence_end,
        )

    def _has_patience(self) -> bool:
        """Whether silence does not count now. After a long one, says once that the agent waits."""
        if not (self._busy or self._held or self._is_reading()):
            self._waiting_since_s = None
            self._patience_told = False
            return False
        now_s = time.monotonic()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s - self._waits.silence_s
        waited_s = now_s - self._waiting_since_s
        if waited_s >= self._waits.patience_s and not self._patience_told:
            self._patience_told = True
            self._task = asyncio.create_task(self._say(self._phrases.patience))
        return waited_s < 2 * self._waits.patience_s

    def _on_unheard(self, _: UserTranscriptionTimeoutEvent) -> None:
        if self._excused or self._paused or not self._sound_counts:
            self._excused = False
            return
        self._unheard += 1
        self._ask_again(
            "not-heard",
            self._unheard,
            self._phrases.not_heard,
            self._phrases.not_heard_end,
        )

    def _ask_again(self, cause: str, times: int, phrases: tuple[str, ...], farewell: str) -> None:
        self._metrics.reprompt(cause)
        log.info("caller.reprompted", cause=cause, times=times)
        if times <= len(phrases):
            self._task = asyncio.create_task(self._say(phrases[times - 1]))
        else:
            reason: EndReason = "silence" if cause == "silence" else "not-understood"
            self._task = asyncio.create_task(self._give_up(farewell, reason))

    async def _say(self, text: str) -> None:
        await self._session.say(text)
        # The framework reports silence once, until its timer is reset.
        self._session.reset_away_timer()

    async def _give_up(self, farewell: str, reason: EndReason) -> None:
        await self._say_goodbye(farewell, reason)
        self._session.reset_away_timer()
