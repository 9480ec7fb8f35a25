"""A call as text."""

import dataclasses

from call_record import erasure, journal, show
from call_record.record import Record
from tests.support.calls import FakeClock, live, the_call
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    ConfirmationAnswered,
    ConfirmationAsked,
    Entry,
    JournalGap,
    ToolFailed,
    ToolFinished,
    ToolStarted,
    Unknown,
    Usage,
    UserTurn,
)

SAID: list[Entry] = [
    AgentTurnStarted(turn_id="1", planned="Hello, this is a machine."),
    AgentTurnEnded(turn_id="1", heard="Hello, this", interrupted=True),
    UserTurn(text="Cancel order \x1b[31mseven\n"),
    ConfirmationAsked(
        confirmation_id="c",
        invocation_id="t",
        tool="cancel_order",
        title="Cancel order 7?",
        arguments={},
        digest="",
        expires_in_ms=1,
    ),
    ConfirmationAnswered(confirmation_id="c", approved=True, by="voice"),
    ToolStarted(invocation_id="t", tool="cancel_order", effect="write", arguments={"order": 7}),
    ToolFailed(invocation_id="t", reason="The shop is closed."),
    ToolFinished(invocation_id="t", say="It is cancelled."),
    JournalGap(lost=2),
    JournalGap(lost=1, cause="rolled-back"),
    JournalGap(lost=0, cause="changed"),
    Usage(amounts={"tts_characters": 12}),
    Unknown(kind="mood", body="{}"),
]


async def test_conversation_is_what_was_heard_and_done(clocked: Record, clock: FakeClock) -> None:
    """In words, by the time since the call was admitted, safe for a terminal."""
    call_id = await live(clocked)
    clock.seconds += 2.5
    await journal.append(clocked, call_id, 1, SAID)
    call = await the_call(clocked, call_id)
    lines = list(show.conversation(call, await journal.read(clocked, call_id)))
    assert [line.strip() for line in lines] == [
        "0.0 s  -- call claimed",
        "2.5 s  agent: Hello, this ... (interrupted)",
        "2.5 s  caller: Cancel order  [31mseven",
        "2.5 s  asked to confirm: Cancel order 7?",
        "2.5 s  caller approved by voice",
        "2.5 s  tool: cancel_order(order=7)",
        "2.5 s  tool failed: The shop is closed.",
        "2.5 s  tool answered: It is cancelled.",
        "2.5 s  -- 2 entries were lost here",
        "2.5 s  -- the database lost what it had stored here, 1 entries or more",
        "2.5 s  -- what stands before this was edited",
    ]
    assert show.heading(call).endswith("live")


async def test_conversation_has_words_that_were_cut_off(record: Record) -> None:
    """The agent died as it spoke; the ticket of such a call names that line too."""
    call_id = await live(record)
    await journal.append(record, call_id, 1, [AgentTurnStarted(turn_id="1", planned="One moment.")])
    call = await the_call(record, call_id)
    [*_, last] = show.conversation(call, await journal.read(record, call_id))
    assert last.endswith("agent: One moment. ... (nobody knows what was heard)")


async def test_every_entry_is_shown_as_stored_and_erased_ones_as_erased(record: Record) -> None:
    """The audit's view."""
    call_id = await live(record)
    await journal.append(record, call_id, 1, SAID)
    lines = list(show.every_entry(await journal.read(record, call_id)))
    assert len(lines) == 15
    assert lines[-2].endswith('usage  {"amounts":{"tts_characters":12.0}}')
    assert lines[-1].endswith("mood  {}")
    await erasure.end(record, call_id, "caller")
    await erasure.erase(record, call_id, "asked")
    read = await journal.read(record, call_id)
    lines = list(show.every_entry(read))
    assert lines and all(line.endswith("(erased)") for line in lines)
    call = await the_call(record, call_id)
    assert "(erased)" in show.heading(call)
    heard = list(show.conversation(dataclasses.replace(call), read))
    assert heard and all(line.endswith("(erased)") for line in heard)
