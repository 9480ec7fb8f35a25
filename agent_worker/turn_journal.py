"""Writes both sides' turns and the state of the dialog into the journal as they happen."""

import time
from collections import deque
from collections.abc import Callable

from livekit.agents import AgentSession, AgentStateChangedEvent, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage
from livekit.agents.voice import SpeechHandle

from agent_worker import livekit_compat
from agent_worker.reasoning.dialog import follow
from agent_worker.reasoning.llm import user_turns
from agent_worker.reasoning.templates import Templates
from call_record.writer import JournalWriter
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, IntentState, UserTurn

SPEECHES_MAX = 16
"""How many speeches' words are kept. Some are prepared and never spoken."""
CHARS_PER_S = 15.0
"""How fast voices speak, roughly."""
ANSWERED_EARLY_S = 1.5
"""Callers who know the question answer before its end."""


class TurnJournal:
    """
    Writes the turns of *session*.

    An agent's turn is written twice: when its first sound plays, with the words planned by then,
    and when it ends, with the words that were heard. One that pauses and goes on is one turn.

    Args:
        attempt: The agent's attempt, which keeps the turn ids of different agents apart.
        told_by: Returns the invocations whose results the caller heard in an agent's turn.
    """

    def __init__(
        self,
        session: AgentSession[None],
        journal: JournalWriter,
        templates: Templates,
        *,
        attempt: int,
        told_by: Callable[[ChatMessage], tuple[str, ...]] = lambda _: (),
    ) -> None:
        self._session = session
        self._journal = journal
        self._templates = templates
        self._attempt = attempt
        self._told_by = told_by
        self._planned: dict[str, list[str]] = {}
        self._broken: dict[str, float] = {}
        self._typed: deque[str] = deque(maxlen=SPEECHES_MAX)
        self._turns = 0
        self._turn_id = ""
        """The agent's turn that has begun and not ended; empty: there is none."""
        self._speech: SpeechHandle | None = None
        """What is said in it."""
        self._began_s = 0.0
        self._protected: deque[SpeechHandle] = deque(maxlen=SPEECHES_MAX)
        self._intent: IntentState | None = None
        session.on("agent_state_changed", self._on_agent_state)
        session.on("conversation_item_added", self._on_item)

    def plan(self) -> list[str]:
        """A new list for the words that are synthesized for the current task's speech."""
        words: list[str] = []
        self._planned[livekit_compat.current_speech_id()] = words
        while len(self._planned) > SPEECHES_MAX:
            del self._planned[next(iter(self._planned))]
        return words

    def broke_off(self, sounded_s: float) -> None:
        """Note that the voice of the current task's speech failed after that many seconds."""
        self._broken[livekit_compat.current_speech_id()] = sounded_s
        while len(self._broken) > SPEECHES_MAX:
            del self._broken[next(iter(self._broken))]

    def is_whole(self, speech: SpeechHandle) -> bool:
        """Whether *speech*, which is over, sounded to its end."""
        return not speech.interrupted and speech.id not in self._broken

    def typed(self, text: str) -> None:
        """Mark the caller's next turn with this text as typed."""
        self._typed.append(text)

    def protect(self, speech: SpeechHandle) -> SpeechHandle:
        """Note in the journal that nobody can interrupt *speech*."""
        self._protected.append(speech)
        return speech

    @property
    def is_speaking(self) -> bool:
        """Whether the agent has begun to speak and not ended; it may have paused."""
        return bool(self._turn_id)

    @property
    def is_asking(self) -> bool:
        """Whether the agent's current turn ends in a question, of which most was heard by now."""
        words = "".join(self._planned.get(self._speech.id, ())).strip() if self._speech else ""
        heard_s = time.monotonic() - self._began_s
        return words.endswith("?") and heard_s > len(words) / CHARS_PER_S - ANSWERED_EARLY_S

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state != "speaking":
            # Whether it ends or only pauses, what follows tells.
            return
        speech = self._session.current_speech
        if self.is_speaking and speech is self._speech:
            return
        self._end(None)
        speech_id = speech.id if speech else ""
        self._turns += 1
        self._turn_id = f"turn_{self._attempt}_{self._turns}"
        self._speech = speech
        self._began_s = time.monotonic()
        self._journal.write(
            AgentTurnStarted(
                turn_id=self._turn_id,
                planned="".join(self._planned.get(speech_id, [])),
            )
        )
        if speech is not None:
            speech.add_done_callback(self._on_done)

    def _on_done(self, speech: SpeechHandle) -> None:
        """Nothing of it was heard, or its message would have ended the turn."""
        if speech is self._speech:
            self._end(None)

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if not isinstance(item, ChatMessage):
            return
        if item.role == "user":
            self._write_user(item)
        elif item.role == "assistant":
            self._end(item)

    def _end(self, heard: ChatMessage | None) -> None:
        if not self._turn_id:
            return
        turn_id, speech, self._turn_id, self._speech = self._turn_id, self._speech, "", None
        words = (heard.text_content or "") if heard else ""
        sounded_s = self._broken.get(speech.id) if speech else None
        if sounded_s is not None:
            words = words[: round(sounded_s * CHARS_PER_S)]
        self._journal.write(
            AgentTurnEnded(
                turn_id=turn_id,
                heard=words,
                interrupted=heard is None or heard.interrupted or sounded_s is not None,
                protected=speech in self._protected,
                invocation_ids=self._told_by(heard) if heard else (),
            )
        )

    def _write_user(self, item: ChatMessage) -> None:
        text = item.text_content or ""
        typed = text in self._typed
        if typed:
            self._typed.remove(text)
        self._journal.write(UserTurn(text=text, typed=typed, turn_id=item.id))
        dialog = follow(
            self._templates, user_turns(self._session.history.items, self._templates.zone)
        )
        state = IntentState(intent=dialog.intent, slots=dict(dialog.slots), asking=dialog.asked)
        if state != self._intent:
            self._intent = state
            self._journal.write(state)
