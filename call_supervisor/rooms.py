"""The SFU's rooms, as the supervisor sees and changes them."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import aiohttp
from livekit import api
from pydantic import ValidationError

from voice_contract.dispatch import DispatchMetadata
from voice_contract.names import AGENT_IDENTITY_PREFIX, agent_identity
from voice_contract.room import RoomState

SFU_TIMEOUT_S = 2.0
NOT_FOUND = "not_found"
T = TypeVar("T")


class SfuUnavailable(Exception):
    """The SFU did not answer, or it refused. This says nothing about the room."""


@dataclass(frozen=True)
class OpenRoom:
    """A room that the SFU has."""

    name: str
    state: RoomState | None
    """None: its metadata was not written by Parley."""


def attempt_of(call_id: str, identity: str) -> int | None:
    """The attempt of the agent with that identity in the call's room; None: it is not an agent."""
    prefix = f"{AGENT_IDENTITY_PREFIX}{call_id}-"
    number = identity.removeprefix(prefix)
    if identity.startswith(prefix) and number.isascii() and number.isdigit():
        attempt = int(number)
        return attempt if agent_identity(call_id, attempt) == identity else None
    return None


def older_agents(call_id: str, people: Iterable[str], attempt: int) -> list[str]:
    """The identities among *people* of agents that were sent before *attempt*."""
    return [
        identity
        for identity in people
        if (sent := attempt_of(call_id, identity)) is not None and sent < attempt
    ]


class Rooms:
    """
    The SFU's API.

    Args: agent_name: of the workers that calls are dispatched to.
    """

    def __init__(self, client: api.LiveKitAPI, agent_name: str) -> None:
        self._client = client
        self._agent_name = agent_name

    async def people(self, call_id: str) -> frozenset[str]:
        """
        Identities of the participants in the call's room; empty also if there is no such room.

        Raises: SfuUnavailable.
        """
        request = api.ListParticipantsRequest(room=call_id)
        found = await self._ask(self._client.room.list_participants(request))
        return frozenset() if found is None else frozenset(p.identity for p in found.participants)

    async def remove(self, call_id: str, identity: str) -> None:
        """
        Remove *identity* from the room. It is gone on return.

        Raises: SfuUnavailable: it may still be there.
        """
        request = api.RoomParticipantIdentity(room=call_id, identity=identity)
        await self._ask(self._client.room.remove_participant(request))

    async def withdraw(self, call_id: str, attempt: int) -> None:
        """
        Delete the dispatches of attempts before *attempt*, which also ends a job that hangs.

        Raises: SfuUnavailable.
        """
        for dispatch in await self._ask(self._client.agent_dispatch.list_dispatch(call_id)) or ():
            try:
                sent = DispatchMetadata.model_validate_json(dispatch.metadata).attempt
            except ValidationError:
                continue
            if sent < attempt:
                await self._ask(self._client.agent_dispatch.delete_dispatch(dispatch.id, call_id))

    async def dispatch(self, metadata: DispatchMetadata, deployment: str) -> None:
        """
        Dispatch an agent. The SFU accepts even if there is none, and makes a missing room.

        Args: deployment: of the worker that was chosen for the call.
        Raises: SfuUnavailable: it may have been sent nevertheless.
        """
        request = api.CreateAgentDispatchRequest(
            agent_name=self._agent_name,
            deployment=deployment,
            room=metadata.call_id,
            metadata=metadata.model_dump_json(),
        )
        await self._ask(self._client.agent_dispatch.create_dispatch(request))

    async def show(self, call_id: str, state: RoomState) -> None:
        """
        Tell the caller's page, if there is a room, what happens.

        Raises: SfuUnavailable.
        """
        request = api.UpdateRoomMetadataRequest(room=call_id, metadata=state.model_dump_json())
        await self._ask(self._client.room.update_room_metadata(request))

    async def delete(self, call_id: str) -> None:
        """
        Close the room; everybody in it is disconnected.

        Raises: SfuUnavailable.
        """
        await self._ask(self._client.room.delete_room(api.DeleteRoomRequest(room=call_id)))

    async def all(self) -> list[OpenRoom]:
        """
        Every room.

        Raises: SfuUnavailable.
        """
        found = await self._ask(self._client.room.list_rooms(api.ListRoomsRequest()))
        return [OpenRoom(room.name, _state(room.metadata)) for room in found.rooms] if found else []

    async def answers(self) -> None:
        """
        Return when the SFU accepts our key.

        Raises: SfuUnavailable.
        """
        await self._ask(self._client.room.list_rooms(api.ListRoomsRequest(names=["-"])))

    async def _ask(self, request: Awaitable[T]) -> T | None:
        """Returns: None: there is no such room, participant or dispatch."""
        try:
            async with asyncio.timeout(SFU_TIMEOUT_S):
                return await request
        except api.TwirpError as error:
            if error.code == NOT_FOUND:
                return None
            raise SfuUnavailable(f"the SFU answers {error.code}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SfuUnavailable("the SFU does not answer") from error


def _state(metadata: str) -> RoomState | None:
    try:
        return RoomState.model_validate_json(metadata)
    except ValidationError:
        return None
