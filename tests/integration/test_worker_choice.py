"""The SFU sends a job to the worker that was chosen for it: what our routing relies on."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import api

from call_record import workers
from call_record.record import Record
from tests.support.calls import deployment, requested
from tests.support.local_stack import LocalStack
from tests.support.scripted_worker import AGENT_NAME, ScriptedWorker
from voice_contract.dispatch import DispatchMetadata

DECIDED_AFTER_S = 2.0
"""The SFU has decided by then that it has nobody for a job."""


@pytest.fixture
async def pair(sfu: LocalStack, record: Record) -> AsyncIterator[list[ScriptedWorker]]:
    """Two workers under one agent name."""
    async with (
        ScriptedWorker(sfu, record, name="a", capacity=4) as first,
        ScriptedWorker(sfu, record, name="b", capacity=5) as second,
    ):
        # Being asked is all that counts: nobody joins.
        first.answers = second.answers = False
        yield [first, second]


async def send(sfu: LocalStack, call_id: str, to: str) -> None:
    metadata = DispatchMetadata(call_id=call_id, attempt=1, caller="c").model_dump_json()
    dispatch = api.RoomAgentDispatch(agent_name=AGENT_NAME, deployment=to, metadata=metadata)
    async with api.LiveKitAPI(sfu.sfu_url, sfu.key.api_key, sfu.key.secret) as client:
        await client.room.create_room(api.CreateRoomRequest(name=call_id, agents=[dispatch]))


async def asked(workers_: list[ScriptedWorker], count: int) -> list[set[str]]:
    """Wait for so many requests. Returns: the calls that each worker was asked for."""
    async with asyncio.timeout(30):
        while sum(len(one.requested) for one in workers_) < count:
            await asyncio.sleep(0.02)
    return [{metadata.call_id for metadata in one.requested} for one in workers_]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_each_job_reaches_the_worker_that_was_chosen(
    sfu: LocalStack, record: Record, pair: list[ScriptedWorker]
) -> None:
    """And no other one, although all have the same name and the same load."""
    chosen: dict[str, str] = {}
    for _ in range(6):
        call_id = await requested(record)
        chosen[call_id] = await deployment(record, call_id)
        await send(sfu, call_id, chosen[call_id])
    for worker, found in zip(
        await workers.read_all(record), await asked(pair, len(chosen)), strict=True
    ):
        assert found == {one for one, to in chosen.items() if to == worker.deployment}
        assert len(found) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("nobody", ["", "nobody"])
async def test_job_for_nobody_reaches_nobody(
    sfu: LocalStack, record: Record, pair: list[ScriptedWorker], nobody: str
) -> None:
    """A dispatch that was sent to a worker's last registration is not given to another worker."""
    await send(sfu, await requested(record), nobody)
    await asyncio.sleep(DECIDED_AFTER_S)
    assert [one.requested for one in pair] == [[], []]
