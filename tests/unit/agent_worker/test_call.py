"""One call's end, on a real record; without a room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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


@dataclass
class Scene:
    """Where a call is made: a record, a worker's settings, a job without a room."""

    record: Record
    database_url: str
    folder: Path
    agent: AgentDefinition
    job: NoRoom = field(default_factory=NoRoom)
    told: list[str] = field(default_factory=list)
    """The calls whose end the worker was told."""

    @asynccontextmanager
    async def call(
        self, history: CallHistory | None = None, **changes: Any
    ) -> AsyncIterator[ShortCall]:
        """A claimed call, with *changes* of the settings."""
        settings = load(
            WorkerSettings,
            database_url=self.database_url,
            journal_keys_file=self.folder / "journal-keys.yaml",
            _env_file=None,
            **changes,
        )
        metrics = Metrics(None)
        call_id = await requested(self.record)
        dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller="caller-1")

        async def tell() -> bool:
            self.told.append(call_id)
            return True

        async with claim_call(
            settings, dispatch, owner="worker/job", worker_id="worker", metrics=metrics
        ) as claim:
            yield ShortCall(
                cast(JobContext, cast(Any, self.job)),
                dispatch,
                self.agent,
                self.agent.all_tools,
                settings,
                metrics,
                claim,
                Migration(signals=False),
                history,
                tell_ended=tell,
            )


@pytest.fixture
def scene(record: Record, database_url: str, tmp_path: Path, agent: AgentDefinition) -> Scene:
    return Scene(record, database_url, tmp_path, agent)


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_end_is_told_to_the_worker_only_of_a_call_that_this_job_has_ended(
    scene: Scene, is_taken_over: bool
) -> None:
    """
    A call that another attempt has goes on, perhaps on the same worker, which would count its slot
    as free.
    """
    async with scene.call() as call:
        call.is_taken_over = is_taken_over
        await call.run()
    assert scene.told == ([] if is_taken_over else [call._dispatch.call_id])
    assert scene.job.room_deleted is not is_taken_over


@pytest.mark.parametrize(("turns_max", "left"), [(8, 5), (3, 1)])
async def test_turns_before_a_take_over_count(scene: Scene, turns_max: int, left: int) -> None:
    """At least one is left, which is answered and followed by the goodbye."""
    said = [ChatMessage(role="user", content=[f"look at room {number}"]) for number in range(3)]
    items = [ChatMessage(role="assistant", content=["Hello."]), *said]
    async with scene.call(CallHistory((), items=[*items]), call_turns_max=turns_max) as call:
        assert call._turns_left == left
