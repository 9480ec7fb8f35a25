"""
What the agents before this one left, rebuilt from the journal by the agent that takes a call over.

The dialog's state follows from the conversation, so it needs nothing of its own. What tools did is
the gate's to rebuild, from the same entries.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog
from livekit.agents.llm import ChatItem, ChatMessage, FunctionCall, FunctionCallOutput

from agent_worker.agent import AgentDefinition
from agent_worker.claim import CallClaim
from agent_worker.reasoning import message_tags, yes_no
from agent_worker.reasoning.dialog import follow
from agent_worker.reasoning.listening import asks_to_wait
from agent_worker.reasoning.llm import END_CALL, user_turns
from call_record.database import DATABASE_DOWN
from call_record.journal import Recorded
from call_record.timeline import Timeline, fold
from call_record.timeline_parts import CallerTurn, Confirmation, Invocation, InvocationEnd
from call_record.verification import Verdict, is_of, read_verified
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import JournalGap, ToolFinished

log = structlog.get_logger()

READ_WITHIN_S = 5.0
READ_EVERY_S = 0.2
ECHO_MAX_CHARS = 160
"""Longer words are not said back."""


@dataclass
class CallHistory:
    """What is known of the call so far, when its agent is not the first one."""

    recorded: Sequence[Recorded]
    """The whole journal: the gate is rebuilt from it too. Empty if it is not trusted."""
    items: list[ChatItem] = field(default_factory=list)
    """The conversation, for the session."""
    greeted: bool = False
    """Whether a turn of an agent was heard to its end, not counting what all callers must hear."""
    protected: Sequence[str] = ()
    """Such words that were heard to their end."""
    unanswered: str | None = None
    """The caller's last words, if nothing was heard in answer to them."""
    holds: bool = False
    """Whether the caller's last words asked the agent to wait."""
    asks: bool = False
    """Whether the caller was asked to confirm something and has not answered."""
    elapsed_s: float = 0.0
    """Since the caller joined."""
    trusted: bool = True
    """Whether the journal tells all that was done. If not, no effect starts in this call."""


class CallerInDoubt(Exception):
    """The journal does not prove whose call it is: an agent must serve nobody in it."""


def rebuild(recorded: Sequence[Recorded], now_ms: int) -> CallHistory | None:
    """
    The past of a call from its journal.

    Args: now_ms: Unix time in milliseconds.
    Returns: None: no agent spoke with the caller before.
    """
    line = fold(recorded)
    if len(line.claims) < 2 or line.joined is None:
        return None
    return _history(recorded, line, now_ms)


def _history(recorded: Sequence[Recorded], line: Timeline, now_ms: int) -> CallHistory:
    return CallHistory(
        recorded,
        items=_items(line),
        greeted=any(turn.was_heard and not turn.was_protected for turn in line.agent_turns),
        protected=[t.text for t in line.agent_turns if t.was_heard and t.was_protected],
        unanswered=_unanswered(line),
        holds=any(asks_to_wait(turn.text) for turn in line.caller_turns[-1:]),
        asks=any(one.asked and one.decision is None for one in line.confirmations),
        elapsed_s=max(0, now_ms - line.joined.at_ms) / 1000 if line.joined else 0.0,
    )


async def recall(claim: CallClaim, dispatch: DispatchMetadata) -> CallHistory | None:
    """
    The past of the call, as far as its journal is as it was written.

    If that is not all of the journal, or the journal itself says that entries are gone, the claim
    lets no effect start any more.

    Returns: None: no agent spoke with the caller before.
    Raises: TimeoutError: the record did not answer within 5 s. An agent that does not know what was
        done must not act. CallerInDoubt.
    """
    async with asyncio.timeout(READ_WITHIN_S):
        while True:
            try:
                finding, recorded = await read_verified(claim.record, dispatch.call_id)
                break
            except DATABASE_DOWN as error:
                log.warning("call.not_recalled", error=type(error).__name__)
                await asyncio.sleep(READ_EVERY_S)
    intact = finding.verdict is Verdict.INTACT
    # What the agent goes by is the row as it was at the claim, which may have been put right since.
    ours = is_of(recorded[0] if recorded else None, claim.call)
    if not ours or claim.call.caller != dispatch.caller:
        raise CallerInDoubt(finding.problem or "row, dispatch and first entry name several callers")
    now_ms = claim.record.clock.now_ms()
    line = fold(recorded)
    gaps = [one.entry for one in line.gaps]
    if not intact:
        gaps.append(JournalGap(lost=0, cause="changed"))
    cause = next((gap.cause for gap in gaps if gap.ends_effects), None)
    if cause is None:
        return rebuild(recorded, now_ms)
    log.error("journal.not_trusted", cause=cause, seq=finding.seq, problem=finding.problem)
    claim.journal.distrust(cause)
    history = _history(recorded, line, now_ms)
    return replace(history, recorded=(), asks=False, trusted=False)


@dataclass(frozen=True)
class Resumption:
    """How an agent takes a call up again."""

    say: tuple[str, ...]
    """What it says first, one utterance each."""
    answer: bool
    """Whether it then answers the caller's last words."""
    holds: bool = False
    """Whether it waits, as the caller asked."""


def resume(agent: AgentDefinition, history: CallHistory) -> Resumption:
    """A short apology, then the thread is picked up."""
    phrases = agent.phrases
    sorry = (phrases.recovered,) if history.trusted else (phrases.recovered, phrases.no_changes)
    if history.holds:
        # An answer would be one to the wish before, which may be done already.
        return Resumption(sorry if history.asks else (*sorry, phrases.hold), False, holds=True)
    if history.unanswered is not None:
        words = history.unanswered.strip().rstrip(".?! ")
        echo = [phrases.you_said.format(words=words)] if len(words) <= ECHO_MAX_CHARS else []
        return Resumption((*sorry, *echo), answer=True)
    if not history.greeted:
        return Resumption((*sorry, agent.greeting), answer=False)
    if history.asks:
        # The gate asks again by itself.
        return Resumption(sorry, answer=False)
    dialog = follow(agent.templates, user_turns(history.items, agent.templates.zone))
    if dialog.question:
        return Resumption((*sorry, dialog.question), answer=False)
    return Resumption((*sorry, phrases.go_on), answer=False)


def _items(line: Timeline) -> list[ChatItem]:
    """The conversation in the order of the journal."""
    found: list[tuple[int, list[ChatItem]]] = [
        (turn.seq, [_said(turn)]) for turn in line.caller_turns if turn.text
    ]
    found += [
        # Of words that were cut off nobody knows how much was heard.
        (turn.seq, [_message("assistant", turn.text, interrupted=turn.was_interrupted)])
        for turn in line.agent_turns
        if turn.text
    ]
    found += [
        (end.seq, _result(invocation, end.entry))
        for invocation in line.invocations
        for end in invocation.ends
        # Whoever was about to end the call is gone: it is to be ended anew.
        if invocation.tool not in ("", END_CALL)
    ]
    items = [item for _, several in sorted(found, key=lambda one: one[0]) for item in several]
    # The session sorts by time, and another machine's clock may be ahead.
    first_s = time.time() - len(items) - 1
    for number, item in enumerate(items):
        item.created_at = first_s + number
    return items


def _unanswered(line: Timeline) -> str | None:
    last = next((turn for turn in reversed(line.caller_turns) if turn.text), None)
    # What becomes of a yes or no is told by the gate.
    if last is None or last.decides is not None:
        return None
    heard = [turn.seq for turn in line.agent_turns if turn.was_heard]
    # A question is the answer to what was said, and the gate asks it again.
    asked = [one.asked.seq for one in line.confirmations if one.asked]
    # "One moment, please" is no answer, if the agent was gone before anything came of it.
    turn_id = last.noted.entry.turn_id
    left = [one for one in line.invocations if one.is_left and not one.confirmations]
    if any(turn_id in one.turn_ids for one in left):
        return last.text
    return None if max([*heard, *asked], default=0) > last.seq else last.text


def _said(turn: CallerTurn) -> ChatMessage:
    """A turn that knows when it was said: "tomorrow" is the day after that."""
    message = _message("user", turn.text, identity=turn.noted.entry.turn_id)
    message_tags.set_said_at(message, turn.noted.at_ms / 1000)
    if turn.decides is not None and yes_no.read(turn.text, _about(turn.decides)) in yes_no.ANSWERS:
        # It was answered then; it is no wish.
        message_tags.set_reply(message, "")
    return message


def _about(confirmation: Confirmation) -> str:
    """The words that an answer may repeat, as far as the journal has them."""
    asked = confirmation.asked.entry if confirmation.asked else None
    return " ".join((asked.title, *map(str, asked.arguments.values()))) if asked else ""


def _result(invocation: Invocation, end: InvocationEnd) -> list[ChatItem]:
    named = {"call_id": invocation.invocation_id, "name": invocation.tool}
    proposed = invocation.proposed.arguments if invocation.proposed else invocation.arguments
    if isinstance(end, ToolFinished):
        output = json.dumps({"say": end.say, "data": end.data})
    else:
        output = end.reason
    return [
        FunctionCall(**named, arguments=json.dumps(proposed)),
        FunctionCallOutput(**named, output=output, is_error=not isinstance(end, ToolFinished)),
    ]


def _message(role: str, text: str, *, identity: str = "", interrupted: bool = False) -> ChatMessage:
    fields: dict[str, object] = {"id": identity} if identity else {}
    return ChatMessage.model_validate(
        {"role": role, "content": [text], "interrupted": interrupted, **fields}
    )
