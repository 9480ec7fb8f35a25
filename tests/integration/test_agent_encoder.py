"""A call whose agent asks a sentence encoder over HTTP: real SFU and record, no speech."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent_worker.settings import WorkerSettings
from call_record.record import Record
from service_base.settings import load
from tests.support.calls import requested
from tests.support.canned_service import listening
from tests.support.local_stack import LocalStack, free_ports, until
from tests.support.room_call import SPEECHLESS, RoomCall, running_call
from tests.support.scripted_encoder import ScriptedEncoder
from tests.unit.agent_worker.small_agent import TEMPLATES, load_templates, small_agent

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LOOK = "  look:\n    tool: look\n"
WITH_EXAMPLES = TEMPLATES.replace(
    "    range: {from: 1, to: 999, words: false}\n", "    type: number\n    from: 1\n    to: 999\n"
).replace(
    LOOK,
    f"{LOOK}    examples: |\n"
    "      what is inside room {number}\n"
    "      show me what room {number} has\n",
)
SAID = "would room 7 have my things"
"""No template accepts it, and to the classifier alone it is like nothing."""


@asynccontextmanager
async def _call(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path, encoder_url: str
) -> AsyncIterator[RoomCall]:
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        encoder_url=encoder_url,
        _env_file=None,
        **SPEECHLESS,
    )
    agent = small_agent(load_templates(tmp_path, WITH_EXAMPLES))
    call_id = await requested(record, "caller-1")
    async with running_call(sfu, record, settings, agent, call_id) as call:
        await until(lambda: bool(call.caller.remote_participants))
        yield call


async def test_call_with_an_encoder_understands_what_it_finds_alike(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> None:
    """The examples are learned in the background, then each open sentence is asked about."""
    service = ScriptedEncoder(
        {"would room number have my things": {"what is inside room number": 0.8}}
    )
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/v1"
    with capture_logs() as logs:
        async with (
            listening(service.app(), port),
            _call(sfu, record, database_url, tmp_path, url) as call,
        ):
            await until(lambda: any(line["event"] == "encoder.learned" for line in logs))
            assert await call.result(SAID) == "Room 7 has 0 coats."
    assert service.asked[-1] == ["would room number have my things"]


async def test_call_whose_encoder_is_away_goes_on(
    sfu: LocalStack, record: Record, database_url: str, tmp_path: Path
) -> None:
    """What a template accepts is answered as ever, and the log says once that it is away."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}/v1"
    with capture_logs() as logs:
        async with _call(sfu, record, database_url, tmp_path, url) as call:
            await until(lambda: any(line["event"] == "encoder.unavailable" for line in logs))
            await call.write(SAID)
            await call.heard(SAID)
            assert await call.result("look at room 5") == "Room 5 has 0 coats."
    assert [line["event"] for line in logs].count("encoder.unavailable") == 1
