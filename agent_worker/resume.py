"""
What the agents before this one left, rebuilt from the journal by the agent that takes a call over.

The dialog's state follows from the conversation, so it needs nothing of its own. What tools did is
the gate's to rebuild, from the same entries.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from livekit.agents.llm import ChatItem, ChatMessage, FunctionCall, FunctionCallOutput

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.dialog import follow
from agent_worker.reasoning.llm import user_turns
from call_record import journal
from call_record.database import DATABASE_DOWN
from call_record.journal import Recorded
from call_record.record import Record
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    CallClaimed,
    CallJoined,
    ConfirmationAnswered,
    ConfirmationAsked,
    ConfirmationExpired,
    ToolFailed,
    ToolFinished,
    ToolProposed,
    ToolRefused,
    ToolUnknown,
    UserTurn,
)

log = structlog.get_logger()

READ_WITHIN_S = 5.0
READ_EVERY_S = 0.2
ECHO_MAX_CHARS = 160
"""Longer words are not said back."""


@dataclass
class CallHistory:
    """What is known of the call so far, when its agent is not the first one."""

    recorded: Sequence[Recorded]
    """The whole journal: the gate is rebuilt from it too."""
    items: list[ChatItem] = field(default_factory=list)
    """The conversation, for the session."""
    greeted: bool = False
    """Whether a turn of an agent was heard to its end."""
    unanswered: str | None = None
    """The caller's last words, if nothing was heard in answer to them."""
    asks: bool = False
    """Whether the caller was asked to confirm something and has not answered."""
    elapsed_s: float = 0.0
    """Since the caller joined."""


def rebuild(recorded: Sequence[Recorded], now_ms: int) -> CallHistory | None:
    """
    The past of a call from its journal.

    Args: now_ms: Unix time in milliseconds.
    Returns: None: no agent spoke with the caller before.
    """
    claims = sum(isinstance(one.entry, CallClaimed) for one in recorded)
    joined_at_ms = next((one.at_ms for one in recorded if isinstance(one.entry, CallJoined)), None)
    if claims < 2 or joined_at_ms is None:
        return None
    history = CallHistory(recorded, elapsed_s=max(0, now_ms - joined_at_ms) / 1000)
    reading = _Reading(history)
    for one in recorded:
        reading.read(one)
    reading.end()
    # The session sorts by time, and another machine's clock may be ahead.
    first_s = time.time() - len(history.items) - 1
    for number, item in enumerate(history.items):
        item.created_at = first_s + number
    return history


async def recall(record: Record, call_id: str) -> CallHistory | None:
    """
    The past of that call.

    Returns: None: this is its first agent.
    Raises: TimeoutError: the record did not answer within 5 s; whoever does not know what was done
        must not do anything.
    """
    async with asyncio.timeout(READ_WITHIN_S):
        while True:
            try:
                return rebuild(await journal.read(record, call_id), record.clock.now_ms())
            except DATABASE_DOWN as error:
                log.warning("call.not_recalled", error=type(error).__name__)
                await asyncio.sleep(READ_EVERY_S)


@dataclass(frozen=True)
class Resumption:
    """How an agent takes a call up again."""

    say: tuple[str, ...]
    """What it says first, one utterance each."""
    answer: bool
    """Whether it then answers the caller's last words."""


def resume(agent: AgentDefinition, history: CallHistory) -> Resumption:
    """A short apology, then the thread is picked up."""
    phrases = agent.phrases
    if history.unanswered is not None:
        words = history.unanswered.strip().rstrip(".?! ")
        echo = [phrases.you_said.format(words=words)] if len(words) <= ECHO_MAX_CHARS else []
        return Resumption((phrases.recovered, *echo), answer=True)
    if not history.greeted:
        return Resumption((phrases.recovered, agent.greeting), answer=False)
    if history.asks:
        # The gate asks again by itself.
        return Resumption((phrases.recovered,), answer=False)
    dialog = follow(agent.templates, user_turns(history.items))
    if dialog.intent is not None:
        questions = agent.templates.rules[dialog.intent].ask
        question = next((text for slot, text in questions.items() if slot not in dialog.slots), "")
        if question:
            return Resumption((phrases.recovered, question), answer=False)
    return Resumption((phrases.recovered, phrases.go_on), answer=False)


@dataclass
class _Reading:
    history: CallHistory
    proposed: dict[str, ToolProposed] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    decided: bool = False
    """The caller's next turn is the yes or no that has been taken already."""
    speaking: AgentTurnStarted | None = None

    def read(self, recorded: Recorded) -> None:
        """Take in one entry."""
        history = self.history
        match recorded.entry:
            case UserTurn() as turn if turn.text:
                self._cut_off()
                history.items.append(_message("user", turn.text, identity=_turn_id(turn)))
                history.unanswered = None if self.decided else turn.text
                self.decided = False
            case AgentTurnStarted() as turn:
                self._cut_off()
                self.speaking, self.decided = turn, False
            case AgentTurnEnded() as turn:
                self.speaking = None
                if turn.heard:
                    history.items.append(
                        _message("assistant", turn.heard, interrupted=turn.interrupted)
                    )
                if turn.heard and not turn.interrupted:
                    history.greeted, history.unanswered = True, None
            case ToolProposed() as tool:
                self.proposed[tool.invocation_id] = tool
            case ToolFinished() as tool:
                self._result(tool.invocation_id, json.dumps({"say": tool.say, "data": tool.data}))
            case ToolFailed() | ToolUnknown() | ToolRefused() as tool:
                self._result(tool.invocation_id, tool.reason, is_error=True)
            case ConfirmationAsked() as question:
                self.asked.add(question.confirmation_id)
                # It is the answer to what was said, and the gate asks it again.
                history.unanswered = None
            case ConfirmationAnswered() as question:
                self.asked.discard(question.confirmation_id)
                # What becomes of it is told by the gate; a "yes" needs no other answer.
                self.decided = question.by != "screen"
            case ConfirmationExpired() as question:
                self.asked.discard(question.confirmation_id)
            case CallClaimed():
                self._cut_off()
            case _:
                pass

    def end(self) -> None:
        """The journal ends here."""
        self._cut_off()
        self.history.asks = bool(self.asked)

    def _cut_off(self) -> None:
        """Nobody knows how much of these words was heard."""
        if self.speaking is not None and self.speaking.planned:
            self.history.items.append(
                _message("assistant", self.speaking.planned, interrupted=True)
            )
        self.speaking = None

    def _result(self, invocation_id: str, output: str, *, is_error: bool = False) -> None:
        tool = self.proposed.get(invocation_id)
        if tool is None:
            return
        self.history.items += [
            FunctionCall(
                call_id=invocation_id, name=tool.tool, arguments=json.dumps(tool.arguments)
            ),
            FunctionCallOutput(
                call_id=invocation_id, name=tool.tool, output=output, is_error=is_error
            ),
        ]


def _turn_id(turn: UserTurn) -> str:
    return str(getattr(turn, "turn_id", ""))


def _message(role: str, text: str, *, identity: str = "", interrupted: bool = False) -> ChatMessage:
    fields: dict[str, object] = {"id": identity} if identity else {}
    return ChatMessage.model_validate(
        {"role": role, "content": [text], "interrupted": interrupted, **fields}
    )
