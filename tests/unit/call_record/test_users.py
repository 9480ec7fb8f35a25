"""A PostgreSQL user for each service."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from call_record.database import Database
from call_record.users import USERS, grant
from service_base.settings import SettingsError
from tests.conftest import psql

needs_postgres = pytest.mark.postgres


async def refused(url: str, user: str, statement: str) -> str:
    """What PostgreSQL says to *statement* of that user; empty: it was done."""
    named = make_url(url).set(username=user).render_as_string(hide_password=False)
    database = Database(named, connections=1)
    try:
        async with database.writing() as connection:
            await connection.execute(text(statement))
        return ""
    except ProgrammingError as error:
        return str(error.orig)
    finally:
        await database.close()


@needs_postgres
@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("token_service", "DELETE FROM call"),
        ("token_service", "UPDATE journal SET body = NULL"),
        ("token_service", "UPDATE follow_up SET state = 'ready'"),
        ("token_service", "SELECT 1 FROM executor"),
        ("token_service", "CREATE TABLE mine (id int)"),
        ("agent_worker", "INSERT INTO deny_entry VALUES ('', '', '', 0)"),
        ("agent_worker", "DELETE FROM journal"),
        ("agent_worker", "SELECT 1 FROM follow_up"),
        ("call_supervisor", "DELETE FROM call"),
        ("call_supervisor", "DELETE FROM worker"),
        ("post_call", "UPDATE call SET owner = NULL"),
        ("post_call", "DELETE FROM follow_up"),
        ("post_call", "SELECT 1 FROM queue_entry"),
        ("post_call", "INSERT INTO worker (worker_id) VALUES ('w')"),
    ],
)
async def test_user_may_do_no_more_than_its_work_needs(
    postgres_record_url: str, user: str, statement: str
) -> None:
    """That it may do its work, every test of the chaos tests' fleet shows."""
    await grant(postgres_record_url, None)
    assert "permission denied" in await refused(postgres_record_url, user, statement)


@needs_postgres
async def test_rights_that_were_given_beside_are_taken_back(postgres_record_url: str) -> None:
    """Said again, it is as the code says; the users are the same."""
    assert await grant(postgres_record_url, None) == [user.name for user in USERS]
    psql(postgres_record_url, "GRANT ALL ON deny_entry TO token_service")
    assert await refused(postgres_record_url, "token_service", "DELETE FROM deny_entry") == ""
    await grant(postgres_record_url, None)
    assert await refused(postgres_record_url, "token_service", "DELETE FROM deny_entry")
    assert await refused(postgres_record_url, "token_service", "SELECT 1 FROM call") == ""


@needs_postgres
async def test_passwords_are_set_from_their_files(postgres_record_url: str, tmp_path: Path) -> None:
    """A file that is missing or of another form is named."""
    for user in USERS:
        folder = tmp_path / user.name.replace("_", "-")
        folder.mkdir()
        (folder / "pgpass").write_text(f"*:*:*:{user.name}:{'p' * 40}\n")
    await grant(postgres_record_url, tmp_path)
    (tmp_path / "post-call" / "pgpass").write_text("*:*:*:post_call:it's\n")
    with pytest.raises(SettingsError, match="post-call/pgpass: expected"):
        await grant(postgres_record_url, tmp_path)
    (tmp_path / "post-call" / "pgpass").unlink()
    with pytest.raises(SettingsError, match="post-call/pgpass cannot be read"):
        await grant(postgres_record_url, tmp_path)


async def test_sqlite_has_no_users(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(SettingsError, match="only PostgreSQL has users"):
        await grant(f"sqlite+aiosqlite:///{tmp_path}/parley.db", None)
