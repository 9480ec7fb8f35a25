"""Room tokens, with which a caller's browser joins its call."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from livekit import api

from service_base.sfu import SfuKey
from voice_contract.limits import JOIN_WITHIN_S
from voice_contract.tokens import VoiceToken


@dataclass(frozen=True)
class RoomTokens:
    """Signs tokens with *key* for the SFU at *rtc_url*, its address for browsers."""

    key: SfuKey
    rtc_url: str

    def token(self, call_id: str, caller: str) -> VoiceToken:
        """A token to join one room within 30 s, with microphone and data only."""
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
