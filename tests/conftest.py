"""Fixtures for all tests: real processes, started once for those that ask for them."""

import asyncio
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog

from call_record import keys
from call_record.database import Database
from call_record.prepare import prepare
from call_record.record import Record
from call_record.tables import metadata
from devstack import postgres
from tests.support.ci_skips import pytest_runtest_makereport as pytest_runtest_makereport
from tests.support.local_stack import LocalStack, running_sfu, running_stack

BOTH_DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

# Its usual tracebacks, with all variables, take seconds.
_renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*structlog.get_config()["processors"][:-1], _renderer])


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The whole stack, ready, on free ports; shared by all tests, so leave no call behind."""
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(scope="session")
def sfu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The SFU alone, ready, on free ports: use its `sfu_url`, `key`, `keys_file`, `variables`."""
    with running_sfu(tmp_path_factory.mktemp("sfu")) as started:
        yield started


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of our own; its commits do not wait for the disk."""
    with postgres.running(durable=False) as url:
        yield url


@pytest.fixture(params=BOTH_DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    server: str = request.getfixturevalue("postgres_url")
    name = f"test_{uuid.uuid4().hex}"
    psql(server, f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


@pytest.fixture(params=BOTH_DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database ready for a record that is empty, once of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "parley.db")
        return f"sqlite+aiosqlite:///{tmp_path}/parley.db"
    url: str = request.getfixturevalue("postgres_record_url")
    psql(
        url,
        f"TRUNCATE {', '.join(set(metadata.tables) - {'admission'})};"  # noqa: S608 - our own names
        "UPDATE admission SET n = 0",
    )
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the tables."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    in_a_thread(prepare(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_record_url(postgres_url: str) -> str:
    """A database with the tables; every test empties it for itself."""
    psql(postgres_url, "CREATE DATABASE record")
    url = f"{postgres_url.rpartition('/')[0]}/record"
    in_a_thread(prepare(url))
    return url


@pytest.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    """An empty record of calls, on both databases."""
    opened = Record(Database(database_url), keys.ensure(tmp_path / "journal-keys.yaml"))
    yield opened
    await opened.close()


def psql(url: str, statement: str) -> None:
    """Run a statement as PostgreSQL's own client does."""
    programs = postgres.find()
    assert programs is not None
    subprocess.run(
        [programs / "psql", "-q", "-d", url.replace("+asyncpg", ""), "-c", statement], check=True
    )


def in_a_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* in an event loop of its own, apart from that of the tests."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
