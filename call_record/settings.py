"""Settings of every process that reads or writes the record of calls."""

from pathlib import Path

from pydantic import Field

from service_base.database_url import DatabaseUrl
from service_base.settings import RunDirSettings


class RecordSettings(RunDirSettings):
    """Where the record of calls is, and the keys of its journals."""

    database_url: DatabaseUrl = Field(
        default_factory=lambda data: (
            f"sqlite+aiosqlite:///{data.get('run_dir', Path('.run'))}/parley.db"
        ),
        repr=False,
        description="Database of the calls: an SQLite file or PostgreSQL, as SQLAlchemy URL.",
    )
    journal_keys_file: Path = Field(
        default_factory=lambda data: Path(data.get("run_dir", ".run")) / "journal-keys.yaml",
        description="YAML file of the journals' keys, one `key: secret` a line, mode 600; "
        "the first one is for new calls.",
    )
