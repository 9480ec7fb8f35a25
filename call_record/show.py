"""A call as text: the conversation for people, or every entry."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from call_record.calls import Call
from call_record.journal import Recorded
from voice_contract.journal import (
    AgentTurnEnded,
    CallEnded,
    CallEnding,
    CallLeft,
    ClientActionOutcome,
    ClientActionProposed,
    ConfirmationAnswered,
    ConfirmationAsked,
    Entry,
    JournalGap,
    ToolFailed,
    ToolFinished,
    ToolRefused,
    ToolStarted,
    ToolUnknown,
    UserTurn,
    encode,
)


def heading(call: Call) -> str:
    """One line on the call itself."""
    admitted = datetime.fromtimestamp(call.admitted_at_ms / 1000, UTC).isoformat(" ", "seconds")
    caller = call.caller if call.caller is not None else "(erased)"
    reason = f" ({call.end_reason})" if call.end_reason else ""
    return plain(f"{call.call_id}  {admitted}  {caller}  {call.state}{reason}")


def conversation(call: Call, recorded: Sequence[Recorded]) -> Iterator[str]:
    """What was said and done, one line each, by the time since the call was admitted."""
    for one in recorded:
        said = "(erased)" if one.entry is None else _words(one.entry)
        if one.entry is None and not one.kind.startswith(("turn.", "tool.")):
            continue
        if said:
            yield plain(f"{(one.at_ms - call.admitted_at_ms) / 1000:8.1f} s  {said}")


def every_entry(recorded: Sequence[Recorded]) -> Iterator[str]:
    """Each entry: place, attempt, time, kind, body."""
    for one in recorded:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).isoformat(" ", "milliseconds")
        body = "(erased)" if one.entry is None else encode(one.entry)[1]
        yield plain(f"{one.seq:5}  {one.attempt:3}  {at}  {one.kind}  {body}")


def plain(text: str) -> str:
    """On one line, without characters that would steer a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _words(entry: Entry) -> str:
    match entry:
        case UserTurn():
            return f"caller: {entry.text}"
        case AgentTurnEnded():
            return f"agent: {entry.heard}{' ... (interrupted)' if entry.interrupted else ''}"
        case ToolStarted():
            arguments = ", ".join(f"{name}={value!r}" for name, value in entry.arguments.items())
            return f"tool: {entry.tool}({arguments})"
        case ToolFinished():
            return f"tool answered: {entry.say}"
        case ToolFailed() | ToolRefused() | ToolUnknown():
            return f"{entry.kind.replace('.', ' ')}: {entry.reason}"
        case ConfirmationAsked():
            return f"asked to confirm: {entry.title}"
        case ConfirmationAnswered():
            return f"caller {'approved' if entry.approved else 'declined'} by {entry.by}"
        case ClientActionProposed():
            return f"suggested to the app: {entry.action}"
        case ClientActionOutcome():
            return f"the app answered: {entry.outcome} {entry.detail}".rstrip()
        case CallEnding() | CallEnded() | CallLeft():
            return f"-- {entry.kind.replace('.', ' ')} {entry.reason}".rstrip()
        case JournalGap():
            return f"-- {entry.lost} entries were lost here"
        case _ if entry.kind in ("call.claimed", "call.joined", "call.returned"):
            return f"-- {entry.kind.replace('.', ' ')}"
        case _:
            return ""
