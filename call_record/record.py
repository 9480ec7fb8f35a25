"""The record as a process holds it: database, keys, clock. Nothing is connected yet."""

from dataclasses import dataclass, field

from call_record import keys
from call_record.clock import Clock, SystemClock
from call_record.database import Database
from call_record.keys import KeyRing
from call_record.settings import RecordSettings


@dataclass(frozen=True)
class Record:
    """What every function of this package needs."""

    database: Database
    keys: KeyRing
    clock: Clock = field(default_factory=SystemClock)

    async def close(self) -> None:
        """Give every connection back."""
        await self.database.close()


def open_record(settings: RecordSettings, *, connections: int = 5, wait_s: float = 5.0) -> Record:
    """
    The record of *settings*, for one event loop.

    Args: connections, wait_s: as of `Database`.
    Raises: SettingsError: the keys file is missing or wrong.
    """
    return Record(
        Database(settings.database_url, connections=connections, wait_s=wait_s),
        keys.read(settings.journal_keys_file),
    )
