"""The process of a call."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from sqlalchemy import update

from agent_worker import job
from agent_worker.call import Call
from agent_worker.job import run_job
from agent_worker.settings import WorkerSettings
from call_record import calls
from call_record.calls import Claim
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as call_table
from service_base import logs
from service_base.settings import load
from tests.support.calls import fence, requested, the_call
from voice_contract.dispatch import DispatchMetadata

PROGRAM = """
import json, sys
import agent_worker.job
before = set(sys.modules)
from agent_worker.settings import WorkerSettings
from agent_worker.voice.providers import _client
from call_record.database import Database
from pydantic import SecretStr
client = _client("http://127.0.0.1:9/v1", SecretStr("local"))
client.audio.speech.with_streaming_response, client.audio.transcriptions, client.chat.completions
Database("sqlite+aiosqlite:////nowhere/parley.db")
Database("postgresql+asyncpg://nobody@127.0.0.1:9/parley")
print(json.dumps(sorted(set(sys.modules) - before)))
"""


async def _speak(_: object) -> None:
    pytest.fail("an agent serves the caller")


def test_libraries_of_a_call_are_imported_before_it() -> None:
    """
    The worker imports `agent_worker.job` once for all calls. What a library imports on first use
    would block a call's event loop just when it should speak.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("edit", [{"caller": "caller-2"}, {"tenant": "another"}], ids=str)
async def test_job_of_a_call_whose_caller_was_edited_ends_it_without_a_word(
    record: Record,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attempt: int,
    edit: dict[str, str],
) -> None:
    """It would speak to one person as another; no further agent is sent. The first one as well."""
    monkeypatch.setattr(logs, "configure_job", lambda: None)
    monkeypatch.setattr(job, "bound_native_logs", lambda: None)
    monkeypatch.setattr(Call, "run", _speak)
    call_id = await requested(record, "caller-1")
    if attempt == 2:
        assert await calls.claim(record, call_id, 1, "job-1", "worker") is Claim.CLAIMED
        assert await fence(record, call_id, (await the_call(record, call_id)).seen)
    async with record.database.writing() as connection:
        await connection.execute(update(call_table).values(edit))
    caller = edit.get("caller", "caller-1")
    dispatch = DispatchMetadata(call_id=call_id, attempt=attempt, caller=caller)
    left: list[str] = []
    context: Any = SimpleNamespace(
        job=SimpleNamespace(id="job-2", metadata=dispatch.model_dump_json()),
        shutdown=lambda reason: left.append(reason),
    )
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
    )
    await run_job(
        context,
        settings=settings,
        listings={},
        worker_id="worker",
        metrics_address=str(tmp_path / "nobody"),
        call_end_address=str(tmp_path / "nobody"),
        renewals_address=str(tmp_path / "nobody"),
    )
    structlog.contextvars.clear_contextvars()
    assert left == ["caller-in-doubt"]
    call = await the_call(record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "caller-in-doubt")
