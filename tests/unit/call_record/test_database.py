"""The connection to the database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from call_record.database import DATABASE_DOWN, Database, what_is_wrong

MIGRATE = "`python -m call_record migrate` makes or updates its tables."


async def told(url: str, statement: str = "SELECT * FROM call") -> str:
    """What is said when *statement* fails."""
    database = Database(url, connections=1, wait_s=1.0)
    try:
        with pytest.raises(DATABASE_DOWN) as caught:
            async with database.reading() as connection:
                await connection.exec_driver_sql(statement)
    finally:
        await database.close()
    return what_is_wrong(caught.value)


async def test_database_without_tables_is_told_with_what_makes_them(
    empty_database_url: str,
) -> None:
    """Of the driver's error the words alone."""
    expected = {
        "sqlite": "no such table: call",
        "postgresql": 'relation "call" does not exist',
    }[empty_database_url.partition("+")[0]]
    assert await told(empty_database_url) == f"{expected}: {MIGRATE}"


async def test_table_of_an_earlier_version_is_told_with_what_updates_it(database_url: str) -> None:
    """A column that is missing."""
    assert (await told(database_url, "SELECT newer FROM call")).endswith(f": {MIGRATE}")


async def test_database_that_is_locked_is_told_so(tmp_path: Path) -> None:
    """Nothing is said of tables, which are there."""
    file = tmp_path / "parley.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE call (n)")
        other.execute("BEGIN EXCLUSIVE")
        assert await told(f"sqlite+aiosqlite:///{file}") == "database is locked"


async def test_database_that_cannot_be_reached_is_told_so() -> None:
    """With the address."""
    assert "Connect call failed" in await told("postgresql+asyncpg://x@127.0.0.1:1/x")


def test_database_that_gives_no_answer_is_told_so() -> None:
    """An error without words."""
    assert what_is_wrong(TimeoutError()) == "no answer"
