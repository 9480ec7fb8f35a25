"""Connections to SQLite that are closed in the middle of a statement."""

import asyncio
from pathlib import Path

import pytest

from call_record.database import Database as Record
from examples.backend_base.database import Database as Backend

LONG = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
    "SELECT max(i) FROM n"
)


@pytest.mark.parametrize("kind", [Record, Backend])
@pytest.mark.parametrize("ticks", range(6))
async def test_statement_that_is_cancelled_twice_leaves_no_task(
    tmp_path: Path, kind: type[Record | Backend], ticks: int
) -> None:
    """First its connection is closed, then, however far that is, stopped; both end."""
    database = kind(f"sqlite+aiosqlite:///{tmp_path}/some.db")
    started = asyncio.Event()

    async def read() -> None:
        async with database.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
            started.set()
            await connection.exec_driver_sql(LONG)

    before = asyncio.all_tasks()
    reading = asyncio.create_task(read())
    await started.wait()
    await asyncio.sleep(0)
    reading.cancel()
    for _ in range(ticks):
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait({reading})
    left = asyncio.all_tasks() - before
    if left:
        await asyncio.wait(left, timeout=30)
    assert [task for task in left if not task.done()] == []
    await database.close()
