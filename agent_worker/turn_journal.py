"""Writes both sides' turns and the state of the dialog into the journal as they happen."""

from collections import deque
from collections.abc import Callable

from livekit.agents import AgentSession, AgentStateChangedEvent, ConversationItemAddedEvent
from livekit.agents.llm import ChatMessage

from agent_worker import livekit_compat
from agent_worker.reasoning.dialog import follow
from agent_worker.reasoning.llm import user_turns
from agent_worker.reasoning.templates import Templates
from call_record.writer import JournalWriter
from voice_contract.journal import AgentTurnEnded, AgentTurnStarted, IntentState, UserTurn

SPEECHES_MAX = 16
"""How many speeches' words are kept. Some are prepared and never spoken."""


class TurnJournal:
    """
    Writes the turns of *session*.

    An agent's turn is written twice: when its first sound plays, with the words planned by then,
    and when it ends, with the words that were heard.

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
        self._typed: deque[str] = deque(maxlen=SPEECHES_MAX)
        self._turns = 0
        self._speaking: str | None = None
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

    def typed(self, text: str) -> None:
        """Mark the caller's next turn with this text as typed."""
        self._typed.append(text)

    def _on_agent_state(self, event: AgentStateChangedEvent) -> None:
        if event.new_state == "speaking":
            speech = self._session.current_speech
            planned = self._planned.get(speech.id if speech else "", [])
            self._turns += 1
            self._speaking = f"turn_{self._attempt}_{self._turns}"
            self._journal.write(AgentTurnStarted(turn_id=self._speaking, planned="".join(planned)))
        elif event.old_state == "speaking":
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
        if self._speaking is None:
            return
        turn_id, self._speaking = self._speaking, None
        self._journal.write(
            AgentTurnEnded(
                turn_id=turn_id,
                heard=(heard.text_content or "") if heard else "",
                interrupted=heard is None or heard.interrupted,
                invocation_ids=self._told_by(heard) if heard else (),
            )
        )

    def _write_user(self, item: ChatMessage) -> None:
        text = item.text_content or ""
        typed = text in self._typed
        if typed:
            self._typed.remove(text)
        self._journal.write(UserTurn(text=text, typed=typed, turn_id=item.id))
        dialog = follow(self._templates, user_turns(self._session.history.items))
        asking = None
        if dialog.intent is not None:
            questions = self._templates.rules[dialog.intent].ask
            asking = next((slot for slot in questions if slot not in dialog.slots), None)
        state = IntentState(intent=dialog.intent, slots=dict(dialog.slots), asking=asking)
        if state != self._intent:
            self._intent = state
            self._journal.write(state)
