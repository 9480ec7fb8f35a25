"""What was said in a call, from its journal."""

from collections.abc import Iterator

from sqlalchemy import select

from call_record.record import Record
from call_record.tables import journal as entries
from voice_contract.journal import AgentTurnEnded, UserTurn, decode
from voice_contract.tokens import TRANSCRIPT_MAX_LINES, TranscriptLine

SPOKEN = tuple(turn.model_fields["kind"].default for turn in (UserTurn, AgentTurnEnded))


async def read(record: Record, call_id: str) -> list[TranscriptLine]:
    """
    The last lines in order: the caller's words as understood, the agent's as heard.

    What the agent began to say and nobody knows the end of is not in it, nor what was erased.
    """
    statement = (
        select(entries.c.seq, entries.c.kind, entries.c.body)
        .where(
            entries.c.call_id == call_id,
            entries.c.kind.in_(SPOKEN),
            entries.c.body.is_not(None),
        )
        .order_by(entries.c.seq.desc())
        .limit(TRANSCRIPT_MAX_LINES)
    )
    async with record.database.reading() as connection:
        rows = (await connection.execute(statement)).all()
    return [line for row in reversed(rows) for line in _lines(row.seq, row.kind, row.body)]


def _lines(seq: int, kind: str, body: str) -> Iterator[TranscriptLine]:
    entry = decode(kind, body)
    if isinstance(entry, UserTurn) and entry.text:
        yield TranscriptLine(seq=seq, speaker="caller", text=entry.text, typed=entry.typed)
    if isinstance(entry, AgentTurnEnded) and entry.heard:
        yield TranscriptLine(seq=seq, speaker="agent", text=entry.heard)
