"""When the agent made a sound, and when the caller began to speak."""

import time
from collections import deque
from dataclasses import dataclass

from livekit.agents import (
    AgentSession,
    AgentStateChangedEvent,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)

from call_record.clock import Clock

ECHO_S = 0.2
"""How long the agent's sound may still come back: on its way out, through the room, and back."""
NOTICED_LATE_S = 0.1
"""Speech is noticed when it has gone on for a moment."""
WORDS_WITHIN_S = 3.0
"""After this time, speech without words was none, such as a cough."""
KEPT_MAX = 16


@dataclass(frozen=True)
class Turn:
    """A turn of the caller. Its times are the gate's clock's, in seconds."""

    id: str
    began_s: float
    """When the caller began to speak, or the first of a typed text arrived."""
    ended_s: float


@dataclass
class _Sound:
    began_s: float
    ended_s: float | None = None


class Floor:
    """Who made a sound when, in one call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._agent: deque[_Sound] = deque(maxlen=KEPT_MAX)
        self._caller: deque[_Sound] = deque(maxlen=KEPT_MAX)
        self._has_words = False

    def follow(self, session: AgentSession[None]) -> None:
        """Take the sounds of *session* from now on."""
        session.on("agent_state_changed", self._on_agent_state)
        session.on("user_state_changed", self._on_user_state)
        session.on("user_input_transcribed", self._on_words)

    def agent_sounds(self, sounds: bool) -> None:
        """The agent begins to make a sound, or falls silent."""
        _note(self._agent, sounds, self._clock.boot_s())

    def caller_sounds(self, sounds: bool) -> None:
        """The caller begins to speak, or falls silent."""
        now_s = self._clock.boot_s()
        last = self._caller[-1] if self._caller else None
        if sounds and not self._has_words and last and last.ended_s is not None:
            if now_s - last.ended_s > WORDS_WITHIN_S:
                self._caller.clear()
        _note(self._caller, sounds, now_s)

    def spoken(self, turn_id: str, started_at_s: float | None = None) -> Turn:
        """
        The turn that has just been spoken: from the first speech since the turn before.

        Args: started_at_s: When it began by the session, in Unix time. It counts where no sound was
            noted: the session counts a cough before the turn as its beginning.
        """
        now_s = self._clock.boot_s()
        if self._caller:
            began_s = self._caller[0].began_s - NOTICED_LATE_S
        else:
            began_s = 0.0 if started_at_s is None else now_s - (time.time() - started_at_s)
        # Speech that goes on may be the beginning of the next turn.
        rest = [one for one in self._caller if one.ended_s is None]
        self._caller.clear()
        self._caller.extend(rest)
        self._has_words = False
        return Turn(turn_id, began_s, now_s)

    def typed(self, turn_id: str, began_s: float | None = None) -> Turn:
        """The turn that has just been typed; *began_s* is when its text began to arrive."""
        now_s = self._clock.boot_s()
        return Turn(turn_id, now_s if began_s is None else began_s, now_s)

    def overlaps(self, turn: Turn) -> bool:
        """Whether the agent's own sound, or its echo, may have been in *turn*."""
        return any(
            one.began_s < turn.ended_s
            and (one.ended_s is None or one.ended_s + ECHO_S > turn.began_s)
            for one in self._agent
        )

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        self.agent_sounds(event.new_state == "speaking")

    def _on_user_state(self, event: UserStateChangedEvent) -> None:
        self.caller_sounds(event.new_state == "speaking")

    def _on_words(self, event: UserInputTranscribedEvent) -> None:
        self._has_words = self._has_words or bool(event.transcript.strip())


def _note(sounds: deque[_Sound], begins: bool, now_s: float) -> None:
    goes_on = bool(sounds) and sounds[-1].ended_s is None
    if begins and not goes_on:
        sounds.append(_Sound(now_s))
    elif not begins and goes_on:
        sounds[-1].ended_s = now_s
