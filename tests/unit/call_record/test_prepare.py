"""The database made ready."""

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from call_record.database import Database
from call_record.prepare import prepare
from call_record.tables import metadata
from service_base.settings import SettingsError


async def test_prepare_by_many_at_once_makes_the_tables_that_the_code_expects(
    empty_database_url: str,
) -> None:
    """Every service does it at its start; the migrations and the tables agree."""
    await asyncio.gather(*(prepare(empty_database_url) for _ in range(6)))
    await prepare(empty_database_url)
    database = Database(empty_database_url)
    async with database.reading() as connection:
        rows = await connection.exec_driver_sql("SELECT id, n FROM admission")
        assert [tuple(row) for row in rows] == [(1, 0)]
        assert await connection.run_sync(_differences) == []
        if database.is_sqlite:
            rows = await connection.exec_driver_sql("PRAGMA journal_mode")
            assert rows.scalar_one() == "wal"
            rows = await connection.exec_driver_sql("PRAGMA synchronous")
            assert rows.scalar_one() == 2, "FULL"
    await database.close()


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_prepare_of_what_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    """It names the setting."""
    (tmp_path / "file").write_text("")
    for url in (
        f"sqlite+aiosqlite:///{tmp_path}/file/parley.db",
        f"sqlite+aiosqlite:///{tmp_path}",
        "postgresql+asyncpg://nobody@127.0.0.1:1/none",
    ):
        with pytest.raises(SettingsError, match="PARLEY_DATABASE_URL: the database cannot be"):
            await prepare(url)


async def test_prepare_of_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    """Nothing in it is changed."""
    file = tmp_path / "notes.txt"
    file.write_text("no database, but notes " * 100)
    with pytest.raises(SettingsError, match="file is not a database"):
        await prepare(f"sqlite+aiosqlite:///{file}")
    assert file.read_text().startswith("no database")
