"""What was said in a call, from its journal."""

from sqlalchemy import select

from call_record.journal import select_entries
from call_record.record import Record
from call_record.tables import journal as entries
from call_record.timeline import fold
from call_record.timeline_parts import CallerTurn
from voice_contract.journal import AgentTurnEnded, UserTurn
from voice_contract.tokens import TRANSCRIPT_MAX_LINES, TranscriptLine

SPOKEN = tuple(turn.model_fields["kind"].default for turn in (UserTurn, AgentTurnEnded))


async def read(record: Record, call_id: str) -> list[TranscriptLine]:
    """
    The last lines in order: the caller's words as understood, the agent's as heard.

    Leaves out what was erased, and words of the agent of which nobody knows how much was heard.
    """
    last = (
        select(entries.c.seq)
        .where(
            entries.c.call_id == call_id,
            entries.c.kind.in_(SPOKEN),
            entries.c.body.is_not(None),
        )
        .order_by(entries.c.seq.desc())
        .limit(TRANSCRIPT_MAX_LINES)
    )
    async with record.database.reading() as connection:
        recorded = await select_entries(connection, call_id, entries.c.seq.in_(last))
    return [
        TranscriptLine(
            seq=turn.seq,
            speaker="caller" if isinstance(turn, CallerTurn) else "agent",
            text=turn.text,
            typed=isinstance(turn, CallerTurn) and turn.noted.entry.typed,
        )
        for turn in fold(recorded).turns
        if turn.text
    ]
