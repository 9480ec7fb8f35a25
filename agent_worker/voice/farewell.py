"""Ends the call when the agent's last words were heard, unless the caller speaks over them."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from livekit.agents import AgentSession, AgentStateChangedEvent, ConversationItemAddedEvent
from livekit.agents.voice import SpeechHandle

from voice_contract.messages import EndReason

log = structlog.get_logger()

FAREWELL_MAX_S = 20.0
"""From the decision to end the call; words that cannot be spoken must not keep it."""


class Protects(Protocol):
    """Notes which speech the caller cannot interrupt: the journal of turns."""

    def protect(self, speech: SpeechHandle) -> SpeechHandle:
        """Note it; returns *speech*."""


class Farewell:
    """
    The last words of a call.

    Args:
        protected: Whether the caller cannot interrupt them.
        end: Ends the call.
    """

    def __init__(
        self,
        session: AgentSession[None],
        turns: Protects,
        *,
        protected: bool,
        end: Callable[[EndReason], None],
    ) -> None:
        self._session = session
        self._turns = turns
        self._protected = protected
        self._end = end
        self._reason: EndReason | None = None
        self._speech: SpeechHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        session.on("agent_state_changed", self._on_agent_state)
        session.on("conversation_item_added", self._on_item)

    def after_reply(self, reason: EndReason) -> None:
        """End the call when the agent's next words have been heard to their end."""
        self.cancel()
        self._reason = reason
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FAREWELL_MAX_S, self._end, reason)

    async def say(self, text: str, reason: EndReason, *, final: bool = False) -> None:
        """
        Say *text* and end the call; the caller who speaks over it stays.

        Args: final: Whether the call ends in any case: nobody can interrupt the words.
        """
        kept = final or self._protected
        speech = self._session.say(text, allow_interruptions=not kept)
        if kept:
            self._turns.protect(speech)
        await speech
        if speech.interrupted and not final:
            log.info("farewell.interrupted", reason=reason)
        else:
            self._end(reason)

    def cancel(self) -> None:
        """The call goes on."""
        if self._timer is not None:
            self._timer.cancel()
        self._reason = self._speech = self._timer = None

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        speech = self._session.current_speech
        if event.new_state != "speaking" or self._reason is None or speech is None:
            return
        if self._speech is None:
            self._speech = speech
            if self._protected and not speech.interrupted:
                speech.allow_interruptions = False
                self._turns.protect(speech)
            speech.add_done_callback(self._on_done)

    def _on_done(self, speech: SpeechHandle) -> None:
        if speech is not self._speech or self._reason is None:
            return
        if speech.interrupted:
            log.info("farewell.interrupted", reason=self._reason)
            self.cancel()
        else:
            self._end(self._reason)

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        if event.item.type == "message" and event.item.role == "user":
            self.cancel()
