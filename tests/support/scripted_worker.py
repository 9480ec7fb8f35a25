"""
A worker without speech: registers with the SFU and in the record, and sends agents that renew.

It speaks the SFU's own worker protocol, and does nothing that a test does not ask for.
"""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import numpy as np
from livekit import api, rtc
from livekit.protocol import agent as protocol
from livekit.protocol import models

from call_record import calls, workers
from call_record.calls import Claim
from call_record.record import Record
from tests.support.local_stack import LocalStack
from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import agent_identity

AGENT_NAME = "parley"
RATE_HZ = 24_000
FRAME_SAMPLES = RATE_HZ // 100
TONE_HZ = 400


@dataclass
class ScriptedAgent:
    """An agent in a room: claims, sounds, renews."""

    metadata: DispatchMetadata
    owner: str
    room: rtc.Room = field(default_factory=rtc.Room)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """Its identity in the room."""
        return agent_identity(self.metadata.call_id, self.metadata.attempt)

    def hang(self) -> None:
        """Stop renewing, as a job does whose event loop hangs; its sound goes on."""
        self.tasks[0].cancel()

    async def leave(self) -> None:
        """Stop renewing and leave."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.room.disconnect()


class ScriptedWorker:
    """
    A worker with *capacity* places. To be used in `async with`.

    Args: renew_every_s: of its agents, and of its own presence.
    """

    def __init__(
        self,
        sfu: LocalStack,
        record: Record,
        *,
        name: str = "scripted",
        capacity: int = 4,
        renew_every_s: float = 0.2,
    ) -> None:
        self._sfu = sfu
        self._record = record
        self._name = name
        self._capacity = capacity
        self._every_s = renew_every_s
        self._jobs: dict[str, DispatchMetadata] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.answers = True
        """False: it ignores job requests, as a stalled one does."""
        self.agents: list[ScriptedAgent] = []
        """In the order in which they came."""
        self.requested: list[DispatchMetadata] = []
        """Every job request."""

    async def __aenter__(self) -> "ScriptedWorker":
        token = api.AccessToken(self._sfu.key.api_key, self._sfu.key.secret)
        grants = token.with_grants(api.VideoGrants(agent=True)).to_jwt()
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(
            self._sfu.url("sfu") + "/agent", headers={"Authorization": f"Bearer {grants}"}
        )
        hello = protocol.WorkerMessage()
        hello.register.type = protocol.JobType.JT_ROOM
        hello.register.agent_name = AGENT_NAME
        deployment = secrets.token_hex(16)
        hello.register.deployment = deployment
        hello.register.version = "0"
        hello.register.allowed_permissions.CopyFrom(
            models.ParticipantPermission(can_publish=True, can_subscribe=True, agent=True)
        )
        await self._socket.send_bytes(hello.SerializeToString())
        await self._socket.receive_bytes()
        status = protocol.WorkerMessage()
        status.update_worker.status = protocol.WorkerStatus.WS_AVAILABLE
        await self._socket.send_bytes(status.SerializeToString())
        await workers.register(self._record, self._name, self._capacity, deployment)
        self._tasks = [asyncio.create_task(self._serve()), asyncio.create_task(self._be_present())]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.die()
        for agent in self.agents:
            await agent.leave()

    async def die(self) -> None:
        """Lose the SFU and fall silent, with all agents; they do not leave their rooms."""
        for task in self._tasks:
            task.cancel()
        for agent in self.agents:
            agent.hang()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()
        await self._http.close()

    async def _serve(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            asked = protocol.ServerMessage.FromString(message.data)
            match asked.WhichOneof("message"):
                case "availability":
                    await self._answer(asked.availability.job)
                case "assignment":
                    self._tasks.append(asyncio.create_task(self._start(asked.assignment)))

    async def _answer(self, job: protocol.Job) -> None:
        metadata = DispatchMetadata.model_validate_json(job.metadata)
        self.requested.append(metadata)
        self._jobs[job.id] = metadata
        answer = protocol.WorkerMessage()
        answer.availability.job_id = job.id
        answer.availability.available = True
        answer.availability.participant_identity = agent_identity(
            metadata.call_id, metadata.attempt
        )
        if self.answers:
            await self._socket.send_bytes(answer.SerializeToString())

    async def _start(self, assignment: protocol.JobAssignment) -> None:
        metadata = self._jobs[assignment.job.id]
        agent = ScriptedAgent(metadata, f"{self._name}/{assignment.job.id}")
        claim = await calls.claim(
            self._record, metadata.call_id, metadata.attempt, agent.owner, self._name
        )
        if claim is not Claim.CLAIMED:
            return
        await agent.room.connect(self._sfu.sfu_url, assignment.token)
        source = rtc.AudioSource(RATE_HZ, 1)
        await agent.room.local_participant.publish_track(
            rtc.LocalAudioTrack.create_audio_track("agent", source)
        )
        agent.tasks = [
            asyncio.create_task(self._renew(agent)),
            asyncio.create_task(_sound(source)),
        ]
        self.agents.append(agent)

    async def _renew(self, agent: ScriptedAgent) -> None:
        metadata = agent.metadata
        while True:
            answer = await calls.renew(
                self._record, metadata.call_id, metadata.attempt, agent.owner
            )
            if answer is calls.Renewal.LOST:
                agent.tasks[1].cancel()
                await agent.room.disconnect()
                return
            await asyncio.sleep(self._every_s)

    async def _be_present(self) -> None:
        while True:
            with suppress(TimeoutError):
                await workers.heartbeat(self._record, self._name)
            await asyncio.sleep(self._every_s)


async def _sound(source: rtc.AudioSource) -> None:
    phase = 2 * np.pi * TONE_HZ * np.arange(FRAME_SAMPLES) / RATE_HZ
    samples = (8000 * np.sin(phase)).astype(np.int16)
    while True:
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE_HZ, 1, FRAME_SAMPLES))
