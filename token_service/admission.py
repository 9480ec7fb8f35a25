"""Admits a call: makes its room with the agent on the way, and mints the caller's token."""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog
from livekit import api
from prometheus_client import Counter, Histogram

from service_base.sfu import SfuKey
from token_service.errors import SfuUnavailable
from voice_contract.dispatch import DispatchMetadata
from voice_contract.ids import new_call_id
from voice_contract.limits import GRACE_S, JOIN_WITHIN_S, SFU_LEEWAY_S
from voice_contract.tokens import VoiceToken

log = structlog.get_logger()

ROOM_EMPTY_TIMEOUT_S = JOIN_WITHIN_S + SFU_LEEWAY_S + 30
"""Longer than the token can be used, so that the room outlives every way of joining it."""
ROOM_DEPARTURE_TIMEOUT_S = GRACE_S + 15
SFU_TIMEOUT_S = 3
SFU_AWAY = (aiohttp.ClientError, api.TwirpError, TimeoutError)
"""What a request to the SFU raises when it is away or refuses."""

MINT_S = Histogram(
    "parley_token_mint_seconds",
    "Time from a request for a call to its token, the room's creation included",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
REQUESTS = Counter("parley_token_requests_total", "Requests for a call, by outcome", ["outcome"])


@dataclass(frozen=True)
class Admission:
    """Makes calls. `client` is the SFU's API; `agent_name` names the workers to send."""

    client: api.LiveKitAPI
    key: SfuKey
    rtc_url: str
    agent_name: str

    async def admit(self) -> VoiceToken:
        """
        A new call and its caller's token.

        The room exists and the agent is dispatched before this returns, so the agent is on its
        way while the browser still connects.

        Raises: SfuUnavailable: the SFU did not answer within 3 s, or refused.
        """
        started = time.perf_counter()
        call_id = new_call_id()
        caller = f"caller-{secrets.token_hex(8)}"
        try:
            await self._create_room(call_id, caller)
        except SFU_AWAY as error:
            REQUESTS.labels(SfuUnavailable.code).inc()
            log.warning("call.refused", call_id=call_id, code=SfuUnavailable.code, exc_info=error)
            raise SfuUnavailable from error
        token = self._mint(call_id, caller)
        elapsed_s = time.perf_counter() - started
        MINT_S.observe(elapsed_s)
        REQUESTS.labels("admitted").inc()
        log.info(
            "call.requested", call_id=call_id, caller=caller, mint_ms=round(elapsed_s * 1000, 1)
        )
        return token

    async def sfu_answers(self) -> None:
        """
        Return when the SFU accepts our key.

        Raises: SfuUnavailable: it does not, or is away.
        """
        try:
            await self.client.room.list_rooms(api.ListRoomsRequest(names=["-"]))
        except SFU_AWAY as error:
            raise SfuUnavailable from error

    async def _create_room(self, call_id: str, caller: str) -> None:
        dispatch = DispatchMetadata(call_id=call_id, attempt=1, caller=caller)
        await self.client.room.create_room(
            api.CreateRoomRequest(
                name=call_id,
                empty_timeout=ROOM_EMPTY_TIMEOUT_S,
                departure_timeout=ROOM_DEPARTURE_TIMEOUT_S,
                agents=[
                    api.RoomAgentDispatch(
                        agent_name=self.agent_name, metadata=dispatch.model_dump_json()
                    )
                ],
            )
        )

    def _mint(self, call_id: str, caller: str) -> VoiceToken:
        expires_at = datetime.now(UTC) + timedelta(seconds=JOIN_WITHIN_S)
        token = (
            api.AccessToken(self.key.api_key, self.key.secret)
            .with_identity(caller)
            .with_ttl(timedelta(seconds=JOIN_WITHIN_S))
            .with_grants(
                api.VideoGrants(
                    room_join=True,
                    room=call_id,
                    can_publish=True,
                    can_publish_sources=["microphone"],
                    can_publish_data=True,
                    can_subscribe=True,
                    can_update_own_metadata=False,
                )
            )
            .to_jwt()
        )
        return VoiceToken(
            rtc_url=self.rtc_url, token=token, expires_at=expires_at.replace(microsecond=0)
        )
