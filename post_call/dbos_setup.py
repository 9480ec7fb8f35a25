"""
How we use DBOS: where it keeps its rows, what it knows us as, and what it must not do.

Source: dbos 3.4. `application_version` is pinned, because the default is a hash of the code, and
work of another version is never taken; names of steps and workflows are the contract instead.
"""

import logging
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer
from dbos._serialization import DefaultSerializer
from sqlalchemy import event
from sqlalchemy.engine import make_url

QUEUE = "follow_up"
APPLICATION = "parley-post-call"
VERSION = "1"
SCHEMA = "post_call"
POLL_S = 0.1
QUIET_POLL_S = 1.0
"""While no call goes on, and nothing waits."""
Pace = Callable[[bool], Awaitable[None]]
WAIT_MS = 30_000
SUBSECOND_SQLITE = (3, 42)


async def launch(url: str, executor_id: str, *, concurrency: int) -> Pace:
    """
    Start DBOS in the running event loop; its workflows run there.

    Args: url: an SQLAlchemy URL as in our settings. concurrency: workflows at a time.
    Returns: what tells it whether it is quiet, when it looks for work more seldom.
    Raises: whatever the database raises.
    """
    # A row says how it is serialized; of what it can say only JSON runs no code.
    DefaultSerializer.deserialize = _refuse  # type: ignore[assignment,method-assign]
    logger = logging.getLogger("dbos")
    # With a handler of its own DBOS does not add one, and its lines go the way of ours.
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    config: DBOSConfig = {
        "name": APPLICATION,
        "application_version": VERSION,
        "executor_id": executor_id,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        "max_executor_threads": 16,
        "scheduler_polling_interval_sec": 3_600.0,
    }
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        config["system_database_engine"] = _sqlite(parsed.database or "")
    else:
        postgres = parsed.set(drivername="postgresql+psycopg")
        config["system_database_url"] = postgres.render_as_string(hide_password=False)
        config["dbos_system_schema"] = SCHEMA
        config["sys_db_pool_size"] = 8
    DBOS(config=config)
    DBOS.launch()
    queue = await DBOS.register_queue_async(
        QUEUE,
        worker_concurrency=concurrency,
        polling_interval_sec=POLL_S,
        on_conflict="always_update",
    )

    async def pace(is_quiet: bool) -> None:
        await queue.set_polling_interval_sec_async(QUIET_POLL_S if is_quiet else POLL_S)

    return pace


def _refuse(_: DefaultSerializer, __: str) -> NoReturn:
    raise TypeError("a row is pickled: whoever can write to this database could run code here")


def destroy() -> None:
    """Stop DBOS; blocks until its threads have ended."""
    DBOS.destroy()


def _sqlite(name: str) -> sa.Engine:
    """As DBOS makes its own, in WAL mode."""
    file = Path(name.removeprefix("file:"))
    file.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + WAIT_MS / 1000
    with closing(sqlite3.connect(name, uri=name.startswith("file:"))) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as error:
                # A busy database refuses that switch without waiting.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.02)
    engine = sa.create_engine(f"sqlite:///{name}", pool_size=8, max_overflow=0, pool_timeout=30)
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    # From Python 3.12 on DBOS asks for unixepoch('subsec'), which SQLite has since 3.42.
    if sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < SUBSECOND_SQLITE:
        connection.create_function("unixepoch", 1, _unixepoch)


def _unixepoch(_: str) -> float:
    return time.time()
