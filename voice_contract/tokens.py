"""The token service's answers to the browser."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class VoiceToken(BaseModel):
    """Answer of `POST /api/voice-token`: all that a browser needs to join its call."""

    model_config = ConfigDict(extra="forbid")

    rtc_url: str
    """WebSocket address of the SFU, as the browser reaches it."""
    token: str
    """JWT for one room. Join with it before it expires."""
    expires_at: AwareDatetime
    """UTC."""


ProblemCode = Literal[
    "bad-request",
    "body-too-large",
    "internal-error",
    "sfu-unavailable",
]
"""What a client switches on in an error from the token service."""


class Problem(BaseModel):
    """An error as RFC 9457 problem details, `application/problem+json`."""

    type: str
    title: str
    status: int
    code: ProblemCode | str
    detail: str
    """One sentence that may be shown to the caller."""
