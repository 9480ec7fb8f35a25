"""Asks again when the conversation stalls: the caller is silent, or speech has no words."""

import asyncio
from collections.abc import Callable

import structlog
from livekit.agents import (
    AgentSession,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
    UserTranscriptionTimeoutEvent,
)

from agent_worker.agent import Phrases
from agent_worker.metrics import Metrics
from voice_contract.messages import EndReason

log = structlog.get_logger()

TRANSCRIPTION_TIMEOUT_S = 2.5
"""Speech without a transcript after this time counts as not heard."""


class Reprompts:
    """
    Counts stalls, asks again, and ends the call politely if asking does not help.

    Args:
        end: Called with the reason after the farewell.
    """

    def __init__(
        self,
        session: AgentSession[None],
        phrases: Phrases,
        metrics: Metrics,
        end: Callable[[EndReason], None],
    ) -> None:
        self._session = session
        self._phrases = phrases
        self._metrics = metrics
        self._end = end
        self._silences = 0
        self._unheard = 0
        self._excused = False
        self._paused = False
        self._task: asyncio.Task[None] | None = None
        session.on("user_state_changed", self._on_user_state)
        session.on("user_transcription_timeout", self._on_unheard)
        session.on("user_input_transcribed", self._on_heard)

    def heard(self) -> None:
        """The caller was understood, by voice or text: count from zero again."""
        self._silences = self._unheard = 0
        self._excused = False

    def excuse(self) -> None:
        """Do not count the current stall: it is our fault, not the caller's."""
        self._excused = True

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
        if event.new_state == "away" and not self._paused:
            self._silences += 1
            self._ask_again(
                "silence",
                self._silences,
                self._phrases.silence,
                self._phrases.silence_end,
            )

    def _on_unheard(self, _: UserTranscriptionTimeoutEvent) -> None:
        if self._excused or self._paused:
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
        last = times > len(phrases)
        text = farewell if last else phrases[times - 1]
        reason: EndReason = "silence" if cause == "silence" else "not-understood"
        self._task = asyncio.create_task(self._say(text, reason if last else None))

    async def _say(self, text: str, end_reason: EndReason | None) -> None:
        await self._session.say(text)
        if end_reason is not None:
            self._end(end_reason)
        else:
            # The framework reports silence once, until its timer is reset.
            self._session.reset_away_timer()
