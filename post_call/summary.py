"""The summary and action items of a call from its journal alone, where no model writes them."""

import re
from datetime import date
from typing import Literal

from post_call.call_facts import CallFacts, ToolCall, Turn
from post_call.evidence import Evidence, dates_in
from voice_contract.follow_up import ActionItem, CallSummary

Outcome = Literal["resolved", "unresolved", "unknown"]
REASON_MAX_CHARS = 200
LINE_MAX_CHARS = 300
LINES_MAX = 20
_SMALL_TALK = re.compile(
    r"^(?:(?:hello|hi|hey|good (?:morning|afternoon|evening)|yes|yeah|no|okay|ok|thanks|thank you|"
    r"please|bye|goodbye|uh|um|well|so|there)\b[\s,.!?]*)+$",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_PROMISE = re.compile(
    r"\b(?:we|i|someone|somebody|a person|a colleague|they"
    r"|(?:our|the) (?:team|staff|office|people))"
    r"(?:'ll| will| am going to| are going to| is going to)\b(?! be able)",
    re.IGNORECASE,
)
_NOT_PROMISED = re.compile(
    r"\b(?:help you|look (?:it|that|this) up|check (?:it|that|this))\b", re.I
)
_ENDINGS = {
    "caller": "The caller hung up.",
    "agent": "The agent ended the call when all was said.",
    "silence": "The call ended because nothing was said any more.",
    "not-understood": "The call ended because the agent did not understand.",
    "flood": "The call was ended because the caller's side sent far too much.",
    "no-agent": "The call ended because no agent was available.",
}


def summarize(facts: CallFacts) -> CallSummary:
    """What the call was about, what was done, and how it ended."""
    reason = why(facts)
    done = deeds(facts)
    return CallSummary(
        reason=reason,
        outcome=outcome(facts),
        text=" ".join(_sentences(facts, reason, done)),
        done=done,
        open_questions=open_questions(facts),
    )


def outcome(facts: CallFacts) -> Outcome:
    """`resolved`, `unresolved` or `unknown`: something done and nothing left is resolved."""
    if facts.unresolved or facts.is_incomplete or _unanswered(facts):
        return "unresolved"
    if facts.finished:
        return "resolved"
    if facts.refused or facts.call.end_reason in ("not-understood", "no-agent"):
        return "unresolved"
    return "unknown"


def why(facts: CallFacts) -> str:
    """Why the caller called: the first thing that is more than a greeting."""
    said = [turn.text.strip() for turn in facts.caller_turns]
    meant = next((text for text in said if text and not _SMALL_TALK.match(text)), "")
    if meant:
        return cut(meant, REASON_MAX_CHARS)
    return "The caller only greeted." if said else "The caller said nothing."


def deeds(facts: CallFacts) -> list[str]:
    """What was done by tools and by the caller's app, a line each."""
    lines = [
        cut(f"{tool.called}: {tool.words}" if tool.words else tool.called, LINE_MAX_CHARS)
        for tool in facts.finished
    ]
    lines += [
        cut(f"On the caller's screen: {step.action.replace('_', ' ')} ({step.outcome})", 300)
        for step in facts.client_steps
        if step.was_done
    ]
    return lines[:LINES_MAX]


def open_questions(facts: CallFacts) -> list[str]:
    """What went wrong, was refused or stayed unanswered."""
    lines = [_went_wrong(tool) for tool in facts.unresolved]
    lines += [f"Not done: {tool.called}: {tool.words}" for tool in facts.refused if tool.words]
    lines += [
        f"Not confirmed by the caller: {asked.title}"
        for asked in facts.confirmations
        if asked.approved is None
    ]
    if last := _unanswered(facts):
        lines.append(f"The caller's last words were not answered: {last.text}")
    if facts.lost:
        lines.append(f"{facts.lost} entries of the call's record were lost.")
    if facts.is_incomplete:
        lines.append("The call's record was edited or cut back; more may have been done.")
    return [cut(line, LINE_MAX_CHARS) for line in dict.fromkeys(lines)][:LINES_MAX]


def action_items(facts: CallFacts, known: Evidence) -> list[ActionItem]:
    """What is left to do: promises of the agent, and what went wrong."""
    items = [
        ActionItem(
            text=cut(f"Look into: {_went_wrong(tool)}", LINE_MAX_CHARS),
            owner="operator",
            evidence=tool.seqs,
        )
        for tool in facts.unresolved
    ]
    for turn in facts.turns:
        if turn.who == "agent":
            items += _promises(turn, known.day)
    for asked in facts.confirmations:
        if asked.approved is None:
            text = cut(f"Ask the caller again: {asked.title}", LINE_MAX_CHARS)
            items.append(ActionItem(text=text, owner="operator", evidence=asked.seqs))
    return items[:LINES_MAX]


def cut(text: str, limit: int) -> str:
    """*text* on one line, and no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _promises(turn: Turn, today: date) -> list[ActionItem]:
    found = []
    for sentence in _SENTENCE.split(turn.text):
        if _PROMISE.search(sentence) and not _NOT_PROMISED.search(sentence):
            days = dates_in([sentence], today)
            found.append(
                ActionItem(
                    text=cut(f"Promised to the caller: {sentence}", LINE_MAX_CHARS),
                    owner="staff",
                    due=min(days).isoformat() if days else None,
                    evidence=[turn.seq],
                )
            )
    return found


def _went_wrong(tool: ToolCall) -> str:
    how = {
        "failed": "failed",
        "unknown": "may or may not have been done",
        "started": "was begun, and how it ended is not known",
    }[tool.state]
    return f"{tool.called} {how}" + (f": {tool.words}" if tool.words else "")


def _unanswered(facts: CallFacts) -> Turn | None:
    """The caller's last words, if they were a question that nothing followed."""
    last = facts.turns[-1] if facts.turns else None
    if last is None or last.who == "agent" or not last.text.rstrip().endswith("?"):
        return None
    acted = any(seq > last.seq for tool in facts.tools for seq in tool.seqs)
    return None if acted else last


def _sentences(facts: CallFacts, reason: str, done: list[str]) -> list[str]:
    name = facts.call.display_name or "The caller"
    said = bool(facts.caller_turns)
    verb = "called" if facts.call.display_name else "said"
    sentences = [f'{name} {verb}: "{reason}"' if said else f"{name} said nothing."]
    if done:
        more = f", and {len(done) - 1} more" if len(done) > 1 else ""
        sentences.append(f"Done: {done[0].rstrip('.')}{more}.")
    elif said and not facts.unresolved:
        sentences.append("No tool did anything for the caller.")
    if wrong := facts.unresolved:
        sentences.append(f"Not settled: {'; '.join(map(_went_wrong, wrong[:3])).rstrip('.')}.")
    elif refused := [one.words for one in facts.refused if one.words]:
        sentences.append(f"The caller was told: {refused[-1]}")
    if facts.returns:
        sentences.append(f"The connection was lost and came back {facts.returns} times.")
    sentences.append(_ENDINGS.get(facts.call.end_reason or "", "The call is over."))
    begun_ms = facts.call.joined_at_ms or facts.call.admitted_at_ms
    if facts.call.ended_at_ms:
        sentences.append(f"The call took {round((facts.call.ended_at_ms - begun_ms) / 1000)} s.")
    return sentences
