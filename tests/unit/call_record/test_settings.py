"""Settings of the record."""

from pathlib import Path

import pytest

from call_record.settings import RecordSettings
from service_base.settings import SettingsError, load


def test_settings_follow_the_run_folder(tmp_path: Path) -> None:
    """One setting moves everything that is made while running."""
    settings = load(RecordSettings, run_dir=tmp_path, _env_file=None)
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/parley.db"
    assert settings.journal_keys_file == tmp_path / "journal-keys.yaml"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://x/y", "sqlite+aiosqlite://", "postgresql+asyncpg://host"]
)
def test_settings_with_another_database_are_refused(url: str) -> None:
    """Two databases are tested; no other is taken. A password in it is not shown."""
    with pytest.raises(SettingsError, match="PARLEY_DATABASE_URL: expected"):
        load(RecordSettings, database_url=url, _env_file=None)
