"""The calls' rooms in the SFU. Creating a room that exists does not change it."""

from dataclasses import dataclass

import aiohttp
from livekit import api

from call_record.calls import Call
from token_service.errors import SfuUnavailable
from voice_contract.dispatch import DispatchMetadata
from voice_contract.limits import GRACE_S, JOIN_WITHIN_S, SFU_LEEWAY_S
from voice_contract.room import RoomState, RoomStateName

ROOM_EMPTY_TIMEOUT_S = JOIN_WITHIN_S + SFU_LEEWAY_S + 30
"""Longer than the token is valid, so that the room still exists when it is used."""
ROOM_DEPARTURE_TIMEOUT_S = GRACE_S + 15
SFU_TIMEOUT_S = 3
SFU_ERRORS = (aiohttp.ClientError, api.TwirpError, TimeoutError)
"""What a request to the SFU raises when it is unreachable or refuses."""


@dataclass(frozen=True)
class Rooms:
    """`client` is the SFU's API; `agent_name` names the workers to send."""

    client: api.LiveKitAPI
    agent_name: str

    async def open(self, call: Call, deployment: str) -> None:
        """
        Create the room of a call and dispatch its first agent.

        Args: deployment: of the worker that was chosen for the call.
        Raises: SfuUnavailable: the SFU did not answer within 3 s, or refused.
        """
        agents = []
        if call.attempt == 1 and call.caller is not None:
            dispatch = DispatchMetadata(call_id=call.call_id, attempt=1, caller=call.caller)
            agents.append(
                api.RoomAgentDispatch(
                    agent_name=self.agent_name,
                    deployment=deployment,
                    metadata=dispatch.model_dump_json(),
                )
            )
        await self._create(call, "connecting", agents)

    async def reopen(self, call: Call) -> None:
        """
        Create the room of an existing call again, in case the SFU has lost it. Dispatches no
        agent: after the first one only the supervisor does.

        Raises: as `open`.
        """
        await self._create(call, "recovering" if call.owner else "connecting", [])

    async def answer(self) -> None:
        """
        Return when the SFU accepts our key.

        Raises: SfuUnavailable: it does not, or is unreachable.
        """
        try:
            await self.client.room.list_rooms(api.ListRoomsRequest(names=["-"]))
        except SFU_ERRORS as error:
            raise SfuUnavailable from error

    async def _create(
        self, call: Call, state: RoomStateName, agents: list[api.RoomAgentDispatch]
    ) -> None:
        request = api.CreateRoomRequest(
            name=call.call_id,
            metadata=RoomState(attempt=call.attempt, state=state).model_dump_json(),
            empty_timeout=ROOM_EMPTY_TIMEOUT_S,
            departure_timeout=ROOM_DEPARTURE_TIMEOUT_S,
            agents=agents,
        )
        try:
            await self.client.room.create_room(request)
        except SFU_ERRORS as error:
            raise SfuUnavailable from error
