"""What the gate needs of the record: where it writes, and whether it may act."""

from typing import Protocol

from voice_contract.journal import Entry, encode


class Journal(Protocol):
    """Where every step is written; `call_record.writer.JournalWriter` is one."""

    @property
    def healthy(self) -> bool:
        """Whether what is written is stored in time. If not, no effect starts."""

    def write(self, entry: Entry) -> None:
        """Store *entry* soon."""

    async def write_ahead(self, entry: Entry) -> None:
        """Store *entry* and all before it; durable on return, or raises."""


class Lease(Protocol):
    """Whether the call is still ours; `call_record.lease.Lease` is one."""

    def may_act(self) -> bool:
        """Whether an effect may start."""


class MemoryJournal:
    """A journal that ends with its process, where no record is kept: rehearsals."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.healthy = True

    def write(self, entry: Entry) -> None:
        """
        Keep *entry*.

        Raises: EntryTooLarge: a real one would not take it.
        """
        encode(entry)
        self.entries.append(entry)

    async def write_ahead(self, entry: Entry) -> None:
        """Keep *entry*."""
        self.write(entry)


class AlwaysOurs:
    """The lease of a call that nobody else could take."""

    def may_act(self) -> bool:
        """Yes."""
        return True
