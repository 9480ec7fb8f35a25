"""The database of the work under way: rows that somebody else put there run no code."""

import base64
import os
import pickle
import secrets
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos._schemas.system_database import SystemSchema
from sqlalchemy.engine import make_url

from post_call import dbos_setup
from tests.conftest import psql
from tests.integration.post_call.conftest import PostCallWorkplace
from tests.support.ended_calls import ORDER_STATUS, ended
from tests.support.local_stack import until

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


class Code:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self._folder),)


def pickled(folder: Path) -> str:
    """What DBOS would unpickle."""
    return base64.b64encode(pickle.dumps(Code(folder))).decode()


def engine_of(workplace: PostCallWorkplace) -> sa.Engine:
    """The database of the work, as somebody else who can write to it has it."""
    url = make_url(workplace.variables["PARLEY_DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        plain = sa.create_engine(f"sqlite:///{workplace.folder}/post-call.db")
        return plain.execution_options(schema_translate_map=translated(None))
    psycopg = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    return psycopg.execution_options(schema_translate_map=translated(dbos_setup.SCHEMA))


def translated(schema: str | None) -> dict[str | None, str | None]:
    return {SystemSchema.metadata_obj.schema: schema}


def add_workflow(connection: sa.Connection, workflow_id: str, **columns: Any) -> None:
    """A workflow of ours that waits in the queue."""
    now_ms = round(time.time() * 1000)
    connection.execute(
        sa.insert(SystemSchema.workflow_status).values(
            workflow_uuid=workflow_id,
            status="ENQUEUED",
            name="follow_up",
            queue_name=dbos_setup.QUEUE,
            application_version=dbos_setup.VERSION,
            created_at=now_ms,
            updated_at=now_ms,
            priority=0,
            recovery_attempts=0,
            **columns,
        )
    )


@pytest.mark.parametrize("database_url", DATABASES, indirect=True)
@pytest.mark.parametrize("serialization", ["py_pickle", "PY_PICKLE", None, "else"])
async def test_row_of_another_serialization_runs_no_code(
    workplace: PostCallWorkplace, serialization: str | None
) -> None:
    """As a workflow's input, a step's output and a step's error; the calls' own work goes on."""
    codes = {name: workplace.folder / f"code-{name}" for name in ("input", "output", "error")}
    workplace.start()
    await workplace.ready()
    now_ms = round(time.time() * 1000)
    engine = engine_of(workplace)
    with engine.begin() as connection:
        add_workflow(connection, "1", inputs=pickled(codes["input"]), serialization=serialization)
        for workflow_id, column in (("2", "output"), ("3", "error")):
            connection.execute(
                sa.insert(SystemSchema.operation_outputs).values(
                    workflow_uuid=workflow_id,
                    function_id=1,
                    function_name="plan",
                    serialization=serialization,
                    retention_timestamp=now_ms,
                    **{column: pickled(codes[column])},
                )
            )
            add_workflow(
                connection,
                workflow_id,
                inputs='{"positionalArgs":["no-call"],"namedArgs":{}}',
                serialization="portable_json",
            )
    status = sa.select(SystemSchema.workflow_status.c.status).where(
        SystemSchema.workflow_status.c.workflow_uuid.in_(["1", "2", "3"])
    )

    def are_taken() -> bool:
        with engine.begin() as connection:
            return "ENQUEUED" not in set(connection.scalars(status))

    await until(are_taken)
    call_id = await ended(workplace.record, ORDER_STATUS)
    await workplace.settled(call_id)
    engine.dispose()
    assert not any(folder.exists() for folder in codes.values())
    assert await workplace.accepted(call_id, "steady") == 1


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_work_in_a_database_and_with_a_user_of_its_own(
    workplace: PostCallWorkplace, postgres_url: str
) -> None:
    """As docs/operating.md sets it up: that user can not read a call."""
    name = f"work_{secrets.token_hex(8)}"
    psql(postgres_url, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    psql(postgres_url, f"CREATE DATABASE {name} OWNER {name}")
    url = make_url(postgres_url).set(username=name, password="secret", database=name)
    workplace.variables["PARLEY_POST_CALL_DATABASE_URL"] = url.render_as_string(hide_password=False)
    workplace.start()
    call_id = await ended(workplace.record, ORDER_STATUS)
    await workplace.settled(call_id)
    assert await workplace.accepted(call_id, "steady") == 1
    record = make_url(workplace.variables["PARLEY_DATABASE_URL"]).database
    own = sa.create_engine(url.set(drivername="postgresql+psycopg", database=record))
    with own.connect() as connection, pytest.raises(sa.exc.ProgrammingError, match="denied"):
        connection.execute(sa.text("SELECT 1 FROM call"))
    own.dispose()
