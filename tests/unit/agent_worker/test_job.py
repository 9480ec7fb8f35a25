"""The process of a call."""

import json
import subprocess
import sys

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


def test_libraries_of_a_call_are_imported_before_it() -> None:
    """
    The worker imports `agent_worker.job` once for all calls. What a library imports on first use
    would block a call's event loop just when it should speak.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
