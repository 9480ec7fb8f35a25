"""
A PostgreSQL user for each service, with no more rights than its work needs.

Somebody who breaks into the token service can read calls and what came of them, and change calls
that go on; it can remove nothing, and does not reach what the work after calls is driven by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.database import Database
from service_base.settings import SettingsError

READ = "SELECT"
WRITE = "SELECT, INSERT"
CHANGE = "SELECT, UPDATE"
PASSWORD = re.compile(r"[A-Za-z0-9_-]{20,200}")
PASSWORD_FILE = "pgpass"  # noqa: S105 - a file's name
WAIT_S = 30.0


@dataclass(frozen=True)
class User:
    """What one service may do."""

    name: str
    tables: Mapping[str, str]
    own_database: str | None = None
    """One more database, of which it is the owner."""
    connections: int = -1
    """At most, of all its processes; -1: no limit."""


COMMON = {"alembic_version": READ}
IDLE_MAX_S = 5
"""A process that is stopped in mid-transaction must not keep its locks; behind a pooler the setting
of a connection does not arrive."""


USERS = (
    User(
        "token_service",
        {
            "call": "SELECT, INSERT, UPDATE",
            "journal": WRITE,
            "admission": CHANGE,
            "worker": READ,
            "queue_entry": "SELECT, INSERT, UPDATE, DELETE",
            "deny_entry": READ,
            # What a caller may see of its own call.
            "follow_up": READ,
            "follow_up_step": READ,
            "tombstone": READ,
        },
        connections=100,
    ),
    User(
        "agent_worker",
        {
            "call": CHANGE,
            "journal": WRITE,
            "admission": CHANGE,
            "worker": "SELECT, INSERT, UPDATE, DELETE",
            "tombstone": READ,
        },
    ),
    User(
        "call_supervisor",
        {
            "call": CHANGE,
            "journal": WRITE,
            "admission": CHANGE,
            "worker": CHANGE,
            "deny_entry": READ,
            "tombstone": READ,
        },
        connections=40,
    ),
    User(
        "post_call",
        {
            "call": "SELECT, UPDATE (taken)",
            "journal": READ,
            "tombstone": READ,
            "follow_up": "SELECT, INSERT, UPDATE",
            "follow_up_step": "SELECT, INSERT, UPDATE",
            "executor": "SELECT, INSERT, UPDATE, DELETE",
        },
        own_database="post_call",
        connections=100,
    ),
)


async def grant(url: str, folder: Path | None) -> list[str]:
    """
    Make the users that are missing, and give each its rights and no others.

    Args:
        url: of the record's database, as its owner, who may make users and databases.
        folder: where each user's password is, in `FOLDER/<user, with hyphens>/pgpass`, a line as
            PostgreSQL's own programs read it; None: passwords stay as they are.
    Returns: the users' names.
    Raises: SettingsError: the database is not PostgreSQL, or a password cannot be read. What
        `DATABASE_DOWN` lists.
    """
    database = Database(url, connections=1, wait_s=WAIT_S)
    try:
        if database.is_sqlite:
            raise SettingsError("PARLEY_DATABASE_URL: only PostgreSQL has users.")
        passwords = {one.name: _password(folder, one.name) for one in USERS} if folder else {}
        async with database.writing() as connection:
            for user in USERS:
                await _make(connection, user.name, passwords.get(user.name))
                await _grant(connection, user, make_url(url).database or "")
        async with database.statement() as connection:  # databases are made in no transaction
            for user in USERS:
                if user.own_database is not None:
                    await _make_database(connection, user.own_database, user.name)
    finally:
        await database.close()
    return [one.name for one in USERS]


async def _make(connection: AsyncConnection, name: str, password: str | None) -> None:
    found = text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if (await connection.execute(found, {"name": name})).scalar_one_or_none() is None:
        await connection.execute(text(f"CREATE ROLE {name} LOGIN"))
    if password is not None:
        await connection.execute(text(f"ALTER ROLE {name} PASSWORD '{password}'"))


async def _grant(connection: AsyncConnection, user: User, database: str) -> None:
    statements = [
        f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO {user.name}',
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {user.name}",
        f"ALTER ROLE {user.name} CONNECTION LIMIT {user.connections}",
        f"ALTER ROLE {user.name} SET idle_in_transaction_session_timeout = '{IDLE_MAX_S}s'",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {user.name}",
        *(
            f"GRANT {rights} ON {table} TO {user.name}"
            for table, rights in {**COMMON, **user.tables}.items()
        ),
    ]
    for statement in statements:
        await connection.execute(text(statement))


async def _make_database(connection: AsyncConnection, name: str, owner: str) -> None:
    found = text("SELECT 1 FROM pg_database WHERE datname = :name")
    if (await connection.execute(found, {"name": name})).scalar_one_or_none() is None:
        # Only a member may make others owners.
        await connection.execute(text(f"GRANT {owner} TO CURRENT_USER"))
        await connection.execute(text(f"CREATE DATABASE {name} OWNER {owner}"))
    await connection.execute(text(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC"))


def _password(folder: Path, name: str) -> str:
    file = folder / name.replace("_", "-") / PASSWORD_FILE
    try:
        password = file.read_text().strip().rpartition(":")[2]
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from None
    if not PASSWORD.fullmatch(password):
        raise SettingsError(f"{file}: expected host:port:database:user:password.")
    return password
