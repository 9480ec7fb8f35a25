"""A whole call in this process: the worker's own `Call`, a real SFU and record, no speech."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from livekit import api, rtc
from livekit.agents import JobContext

from agent_worker.agent import AgentDefinition
from agent_worker.call import Call
from agent_worker.call_migration import Migration
from agent_worker.claim import claim_call
from agent_worker.metrics import Metrics
from agent_worker.model.health import Health
from agent_worker.settings import WorkerSettings
from call_record import journal
from call_record.record import Record
from devstack.caller import CHAT_TOPIC
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import ToolFinished, UserTurn
from voice_contract.names import agent_identity

NOWHERE = "http://127.0.0.1:9/v1"
SPEECHLESS = {"stt_base_url": NOWHERE, "tts_base_url": NOWHERE}
"""Settings of a worker whose callers type and read."""


class Job:
    """What a call needs of its job, with a room of its own."""

    def __init__(self, sfu: LocalStack, call_id: str) -> None:
        self.room = rtc.Room()
        self.joined = asyncio.Event()
        """Set when the caller is in the room."""
        self._sfu = sfu
        self._call_id = call_id

    async def connect(self) -> None:
        """Join as the call's agent."""
        await enter(self._sfu, self.room, self._call_id, agent_identity(self._call_id, 1))

    async def wait_for_participant(self, *, identity: str) -> None:
        """Wait for the caller."""
        while identity not in self.room.remote_participants:
            await asyncio.sleep(0.02)
        self.joined.set()

    async def delete_room(self) -> None:
        """The SFU does that when everybody has left."""

    def shutdown(self, reason: str) -> None:
        """There is no process to end."""


async def enter(sfu: LocalStack, room: rtc.Room, name: str, identity: str) -> None:
    """Join the room of that name."""
    token = (
        api.AccessToken(sfu.key.api_key, sfu.key.secret)
        .with_identity(identity)
        .with_kind("agent" if identity.startswith("agent-") else "standard")
        .with_grants(api.VideoGrants(room_join=True, room=name))
        .to_jwt()
    )
    await room.connect(sfu.sfu_url, token)


class RoomCall:
    """A call in progress and its caller."""

    def __init__(self, record: Record, call_id: str, job: Job, caller: rtc.Room) -> None:
        self.record = record
        self.call_id = call_id
        self.job = job
        self.caller = caller

    async def entries(self) -> list[object]:
        """The call's journal by now."""
        return [one.entry for one in await journal.read(self.record, self.call_id)]

    async def heard(self, text: str) -> list[str]:
        """What the caller wrote, when *text* is among it."""
        async with asyncio.timeout(15):
            while True:
                typed = [one.text for one in await self.entries() if isinstance(one, UserTurn)]
                if text in typed:
                    return typed
                await asyncio.sleep(0.05)

    async def result(self, text: str) -> str:
        """Write *text*. Returns: what the next tool that finishes has to say."""
        before = len(await self._results())
        await self.write(text)
        async with asyncio.timeout(15):
            while len(results := await self._results()) == before:
                await asyncio.sleep(0.05)
        return results[before]

    async def _results(self) -> list[str]:
        return [one.say for one in await self.entries() if isinstance(one, ToolFinished)]

    async def write(self, text: str, topic: str = CHAT_TOPIC) -> None:
        """Send *text* at once."""
        await self.caller.local_participant.send_text(text, topic=topic)


@asynccontextmanager
async def running_call(
    sfu: LocalStack,
    record: Record,
    settings: WorkerSettings,
    agent: AgentDefinition,
    call_id: str,
    *,
    token: str | None = None,
    dispatched_as: str | None = None,
) -> AsyncIterator[RoomCall]:
    """
    The admitted call while it goes on; its caller ends it.

    Args:
        token: Of the caller, to join with; None: one is made.
        dispatched_as: Whom the dispatch names as caller; None: the caller.
    """
    identity = (await the_call(record, call_id)).caller or ""
    job, caller = Job(sfu, call_id), rtc.Room()
    if token is None:
        await enter(sfu, caller, call_id, identity)
    else:
        await caller.connect(sfu.sfu_url, token)
    dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller=dispatched_as or identity)

    async def told() -> bool:
        return True

    async with claim_call(
        settings, dispatch, owner="worker/job", worker_id="worker", metrics=Metrics(None)
    ) as claim:
        call = Call(
            cast(JobContext, job),
            dispatch,
            agent,
            agent.all_tools,
            settings,
            Metrics(None),
            claim,
            Migration(signals=False),
            None,
            tell_ended=told,
            health=Health(),
        )
        running = asyncio.create_task(call.run())
        await asyncio.wait_for(job.joined.wait(), 30)
        try:
            yield RoomCall(record, call_id, job, caller)
        finally:
            call.end("caller")
            await asyncio.wait_for(running, 60)
            await caller.disconnect()
