"""What the gate needs from the record: a journal to write to, and a lease on the call."""

from typing import Protocol

from voice_contract.journal import Entry, encode


class Journal(Protocol):
    """Stores every step of an invocation; `call_record.writer.JournalWriter` is one."""

    @property
    def healthy(self) -> bool:
        """Whether entries are stored in time. If not, no write starts."""

    def write(self, entry: Entry) -> None:
        """Store *entry* in the background."""

    async def write_ahead(self, entry: Entry) -> None:
        """Store *entry* and all before it. On return they are durable; otherwise it raises."""


class Lease(Protocol):
    """This agent's claim on the call; `call_record.lease.Lease` is one."""

    def may_act(self) -> bool:
        """Whether a write may start."""


class MemoryJournal:
    """A journal in memory, for rehearsals, which keep no record."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.healthy = True

    def write(self, entry: Entry) -> None:
        """
        Keep *entry*.

        Raises: EntryTooLarge: the real journal would not take it either.
        """
        encode(entry)
        self.entries.append(entry)

    async def write_ahead(self, entry: Entry) -> None:
        """Keep *entry*."""
        self.write(entry)


class AlwaysOurs:
    """The lease of a call that no other agent can take."""

    def may_act(self) -> bool:
        """Yes."""
        return True
