"""One call's end, on a real record; without a room."""

from pathlib import Path
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import JobContext
from livekit.agents.llm import ChatMessage

from agent_worker.agent import AgentDefinition
from agent_worker.call import Call
from agent_worker.call_migration import Migration
from agent_worker.claim import claim_call
from agent_worker.metrics import Metrics
from agent_worker.resume import CallHistory
from agent_worker.settings import WorkerSettings
from call_record import calls
from call_record.record import Record
from service_base.settings import load
from tests.support.calls import requested, the_call
from voice_contract.dispatch import DispatchMetadata


class NoRoom:
    """A job whose room nobody has entered."""

    def __init__(self) -> None:
        self.room = rtc.Room()
        self.room_deleted = False

    async def delete_room(self) -> None:
        self.room_deleted = True

    def shutdown(self, reason: str) -> None:
        pass


class ShortCall(Call):
    """A call that ends where it would begin."""

    is_taken_over = False

    async def _start(self) -> None:
        pass

    async def _greet(self) -> None:
        if self.is_taken_over:
            seen = (await the_call(self._claim.record, self._dispatch.call_id)).seen
            assert await calls.raise_attempt(self._claim.record, self._dispatch.call_id, seen)
        self.end(None)


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_end_is_told_to_the_worker_only_of_a_call_that_this_job_has_ended(
    record: Record,
    database_url: str,
    tmp_path: Path,
    agent: AgentDefinition,
    is_taken_over: bool,
) -> None:
    """
    A call that another attempt has goes on, perhaps on the same worker, which would count its slot
    as free.
    """
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        _env_file=None,
    )
    told: list[str] = []
    job = NoRoom()
    metrics = Metrics(None)
    dispatch = DispatchMetadata(call_id=await requested(record), attempt=1, caller="caller-1")

    async def tell() -> bool:
        told.append(dispatch.call_id)
        return True

    async with claim_call(
        settings, dispatch, owner="worker/job", worker_id="worker", metrics=metrics
    ) as claim:
        context = cast(JobContext, cast(Any, job))
        call = ShortCall(
            context,
            dispatch,
            agent,
            agent.all_tools,
            settings,
            metrics,
            claim,
            Migration(signals=False),
            None,
            tell_ended=tell,
        )
        call.is_taken_over = is_taken_over
        await call.run()
    assert told == ([] if is_taken_over else [dispatch.call_id])
    assert job.room_deleted is not is_taken_over


@pytest.mark.parametrize(("turns_max", "left"), [(8, 5), (3, 1)])
async def test_turns_before_a_take_over_count(
    record: Record,
    database_url: str,
    tmp_path: Path,
    agent: AgentDefinition,
    turns_max: int,
    left: int,
) -> None:
    """At least one is left, which is answered and followed by the goodbye."""
    settings = load(
        WorkerSettings,
        database_url=database_url,
        journal_keys_file=tmp_path / "journal-keys.yaml",
        call_turns_max=turns_max,
        _env_file=None,
    )
    metrics = Metrics(None)
    dispatch = DispatchMetadata(call_id=await requested(record), attempt=1, caller="caller-1")
    said = [ChatMessage(role="user", content=[f"look at room {number}"]) for number in range(3)]
    items = [ChatMessage(role="assistant", content=["Hello."]), *said]

    async def tell() -> bool:
        return True

    async with claim_call(
        settings, dispatch, owner="worker/job", worker_id="worker", metrics=metrics
    ) as claim:
        context = cast(JobContext, cast(Any, NoRoom()))
        call = Call(
            context,
            dispatch,
            agent,
            agent.all_tools,
            settings,
            metrics,
            claim,
            Migration(signals=False),
            CallHistory((), items=[*items]),
            tell_ended=tell,
        )
    assert call._turns_left == left
