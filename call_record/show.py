"""A call as text: the conversation for people, or every entry."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from call_record.calls import Call
from call_record.journal import Recorded
from call_record.timeline import Timeline, fold
from call_record.timeline_parts import InvocationEnd, Noted
from voice_contract.journal import JournalGap, ToolFinished, encode


def heading(call: Call) -> str:
    """One line on the call itself."""
    admitted = datetime.fromtimestamp(call.admitted_at_ms / 1000, UTC).isoformat(" ", "seconds")
    caller = call.caller if call.caller is not None else "(erased)"
    if call.tenant:
        caller += f" (tenant {call.tenant})"
    reason = f" ({call.end_reason})" if call.end_reason else ""
    return plain(f"{call.call_id}  {admitted}  {caller}  {call.state}{reason}")


def conversation(call: Call, recorded: Sequence[Recorded]) -> Iterator[str]:
    """What was said and done, one line each, by the time since the call was admitted."""
    for _, at_ms, words in sorted(_lines(fold(recorded))):
        yield plain(f"{(at_ms - call.admitted_at_ms) / 1000:8.1f} s  {words}")


def every_entry(recorded: Sequence[Recorded]) -> Iterator[str]:
    """Each entry: number, attempt, time, kind, body."""
    for one in recorded:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).isoformat(" ", "milliseconds")
        body = "(erased)" if one.entry is None else encode(one.entry)[1]
        yield plain(f"{one.seq:5}  {one.attempt:3}  {at}  {one.kind}  {body}")


def plain(text: str) -> str:
    """On one line, without characters that would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _lines(line: Timeline) -> Iterator[tuple[int, int, str]]:
    """In no order: the entry's number, its time, and words for it."""

    def told(noted: Noted[Any], words: str) -> tuple[int, int, str]:
        return noted.seq, noted.at_ms, words

    for turn in line.caller_turns:
        yield told(turn.noted, f"caller: {turn.text}")
    for spoken in line.agent_turns:
        if spoken.ended:
            cut = " ... (interrupted)" if spoken.was_interrupted else ""
            yield told(spoken.ended, f"agent: {spoken.text}{cut}")
        elif spoken.started and spoken.text:
            yield told(spoken.started, f"agent: {spoken.text} ... (nobody knows what was heard)")
    for invocation in line.invocations:
        for start in invocation.starts:
            values = (f"{name}={value!r}" for name, value in start.entry.arguments.items())
            yield told(start, f"tool: {start.entry.tool}({', '.join(values)})")
        for end in invocation.ends:
            yield told(end, _outcome(end.entry))
    for question in line.confirmations:
        if question.asked:
            yield told(question.asked, f"asked to confirm: {question.asked.entry.title}")
        if answer := question.answered:
            verb = "approved" if answer.entry.approved else "declined"
            yield told(answer, f"caller {verb} by {answer.entry.by}")
    for action in line.client_actions:
        if action.proposed:
            yield told(action.proposed, f"suggested to the app: {action.proposed.entry.action}")
        for outcome in action.outcomes:
            words = f"the app answered: {outcome.entry.outcome} {outcome.entry.detail}"
            yield told(outcome, words.rstrip())
    for claim in line.claims:
        yield told(claim, "-- call claimed")
    if line.joined:
        yield told(line.joined, "-- call joined")
    for left in line.left:
        yield told(left, f"-- call left {left.entry.reason}".rstrip())
    for back in line.returns:
        yield told(back, "-- call returned")
    for end_of_call in (line.ending, line.ended):
        if end_of_call:
            kind = end_of_call.entry.kind.replace(".", " ")
            yield told(end_of_call, f"-- {kind} {end_of_call.entry.reason}".rstrip())
    for gap in line.gaps:
        yield told(gap, f"-- {_gap(gap.entry)}")
    for erased in line.erased:
        if erased.kind.startswith(("turn.", "tool.")):
            yield erased.seq, erased.at_ms, "(erased)"


def _gap(gap: JournalGap) -> str:
    match gap.cause:
        case "queue-full":
            return f"{gap.lost} entries were lost here"
        case "rolled-back":
            return f"the database lost what it had stored here, {gap.lost} entries or more"
        case "changed":
            return "what stands before this was edited"


def _outcome(end: InvocationEnd) -> str:
    if isinstance(end, ToolFinished):
        return f"tool answered: {end.say}"
    return f"{end.kind.replace('.', ' ')}: {end.reason}"
