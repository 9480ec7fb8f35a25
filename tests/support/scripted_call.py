"""A call as its agent writes it, in a process that tests kill."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from call_record import keys
from call_record.database import Database
from call_record.record import Record
from call_record.writer import JournalWriter
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    Entry,
    IntentState,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    UserTurn,
)

SCRIPT: tuple[tuple[Entry, bool], ...] = (
    (AgentTurnStarted(turn_id="1", planned="Hello."), False),
    (AgentTurnEnded(turn_id="1", heard="Hello.", interrupted=False), False),
    (UserTurn(text="Refund order seven."), False),
    (ToolProposed(invocation_id="t", tool="refund", arguments={"order": 7}), False),
    (ToolStarted(invocation_id="t", tool="refund", effect="write", arguments={"order": 7}), True),
    (ToolFinished(invocation_id="t", say="It is refunded."), True),
    (IntentState(intent="refund"), False),
    (ToolStarted(invocation_id="u", tool="mail", effect="write", arguments={}), True),
)
"""Entries, and whether each is written ahead."""


def run(url: str, keys_file: Path, call_id: str, acknowledge: Connection) -> None:
    """Write the script; send the number of each entry when its write has returned; then wait."""
    asyncio.run(_run(url, keys_file, call_id, acknowledge))


async def _run(url: str, keys_file: Path, call_id: str, acknowledge: Connection) -> None:
    record = Record(Database(url, connections=1), keys.read(keys_file))
    async with JournalWriter(record, call_id, 1) as writer:
        for number, (entry, ahead) in enumerate(SCRIPT):
            if ahead:
                await writer.write_ahead(entry)
            else:
                writer.write(entry)
            acknowledge.send(number)
        await asyncio.sleep(60)
