"""
The queue of callers who were told "busy": who asked first gets the next free slot.

A caller keeps its position by asking again. Entries are ordered by the turns of admission, not by a
clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.tables import queue_entry

Who = tuple[str | None, str | None]
"""Tenant and caller."""

SOON = 3
"""Positions whose turn comes soon: they are told to ask every 2 s, the others every 5 s."""
FORGET_AFTER_MS = 20_000
"""Who has not asked again for longer has left the queue."""
FORGET_SOON_AFTER_MS = 8_000
"""The same for those whose turn comes soon: a slot that is kept for them serves nobody."""
LENGTH_MAX = 1_000
"""Who comes when so many wait is told "busy" without a position."""


@dataclass(frozen=True)
class QueueEntry:
    """A caller who waits."""

    tenant: str | None
    caller: str
    rank: int
    """Who asked first has the lowest."""
    asked_at_ms: int
    networks: str | None = None
    """As in `call_record.calls.Call`."""

    @property
    def who(self) -> Who:
        """The caller, with its tenant."""
        return (self.tenant, self.caller)


class Queue:
    """
    The queue within one turn of admission. `save` writes what changed in it.

    Args: turn: grows from one turn of admission to the next.
    """

    def __init__(self, entries: Iterable[QueueEntry], turn: int, now_ms: int) -> None:
        self._next_rank = turn * LENGTH_MAX
        self._now_ms = now_ms
        self._entries: dict[Who, QueueEntry] = {}
        self._removed: list[Who] = []
        for entry in sorted(entries, key=lambda one: one.rank):
            if self._age_ms(entry) > _forget_after_ms(len(self._entries) + 1):
                self._removed.append(entry.who)
            else:
                self._entries[entry.who] = entry
        self._written: set[Who] = set()

    def ahead_of(self, who: Who) -> int:
        """How many wait who came before that caller."""
        waiting = list(self._entries)
        return waiting.index(who) if who in self._entries else len(waiting)

    def __iter__(self) -> Iterator[QueueEntry]:
        return iter(self._entries.values())

    def entry(self, who: Who) -> QueueEntry | None:
        """The caller's; None: it does not wait."""
        return self._entries.get(who)

    def wait(self, who: Who, networks: str | None = None) -> int | None:
        """
        The caller waits, or goes on waiting.

        Returns: its position, from 1; None: the queue is full.
        """
        entry = self._entries.get(who)
        if entry is None:
            if len(self._entries) >= LENGTH_MAX or who[1] is None:
                return None
            new = QueueEntry(who[0], who[1], self._next_rank, self._now_ms, networks)
            self._write(new)
            self._next_rank += 1
        elif self._age_ms(entry) > _forget_after_ms(self.ahead_of(who) + 1) / 4:
            # Not each time: most of those who ask again change nothing.
            self._write(replace(entry, asked_at_ms=self._now_ms))
        return self.ahead_of(who) + 1

    def leave(self, who: Who) -> None:
        """The caller waits no more."""
        if self._entries.pop(who, None) is not None:
            self._written.discard(who)
            self._removed.append(who)

    @property
    def changed(self) -> bool:
        """Whether there is anything to save that cannot wait for the next turn."""
        return bool(self._written)

    async def save(self, connection: AsyncConnection) -> None:
        """Write what changed, within the transaction that holds the turn."""
        for tenant, caller in (*self._removed, *self._written):
            await connection.execute(
                delete(queue_entry).where(
                    queue_entry.c.tenant == (tenant or ""), queue_entry.c.caller == caller
                )
            )
        entries = [self._entries[who] for who in self._written]
        rows = [{**vars(entry), "tenant": entry.tenant or ""} for entry in entries]
        if rows:
            await connection.execute(insert(queue_entry), rows)

    def _write(self, entry: QueueEntry) -> None:
        self._entries[entry.who] = entry
        self._written.add(entry.who)

    def _age_ms(self, entry: QueueEntry) -> int:
        return self._now_ms - entry.asked_at_ms


def _forget_after_ms(position: int) -> int:
    return FORGET_SOON_AFTER_MS if position <= SOON else FORGET_AFTER_MS


async def read(connection: AsyncConnection, turn: int, now_ms: int) -> Queue:
    """The queue, in the caller's transaction, which holds that turn of admission."""
    rows: Sequence[QueueEntry] = [
        QueueEntry(**{**row._mapping, "tenant": row.tenant or None})
        for row in await connection.execute(select(queue_entry))
    ]
    return Queue(rows, turn, now_ms)


async def remove_forgotten(connection: AsyncConnection, now_ms: int) -> None:
    """Remove who has left the queue; admission does so too. In the caller's transaction."""
    is_forgotten = queue_entry.c.asked_at_ms < now_ms - FORGET_AFTER_MS
    await connection.execute(delete(queue_entry).where(is_forgotten))
