"""The token service's answers to the browser."""

import re
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from voice_contract.dispatch import CallId

CALLER_NAME = re.compile(r"[!-\"$-~]{1,128}")
"""
A caller's identity, or its tenant: visible ASCII except `#`, because the SFU lets the holder of
`sam`'s token also join as `sam#2`.
"""

ANONYMOUS_PREFIX = "caller-"
"""Of an identity that the token service made up; whoever signs in cannot have one like it."""

TRANSCRIPT_MAX_LINES = 300


class VoiceTokenRequest(BaseModel):
    """Body of `POST /api/voice-token`; empty for a new call."""

    model_config = ConfigDict(extra="forbid")

    call_id: CallId | None = None
    """The call to come back to; proven by the caller's cookie or identity."""


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
    "agents-busy",
    "bad-request",
    "body-too-large",
    "call-ended",
    "call-not-found",
    "captcha-required",
    "captcha-unavailable",
    "daily-limit",
    "internal-error",
    "network-busy",
    "not-allowed",
    "rate-limited",
    "record-unavailable",
    "request-timeout",
    "service-busy",
    "sfu-unavailable",
    "sign-in-required",
    "sign-in-unavailable",
    "tenant-limit",
    "too-many-calls",
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


class QueueProblem(Problem):
    """`agents-busy` or `service-busy`, for a caller who has a position in the queue."""

    position: int
    """From 1. Who asks again after `Retry-After` keeps it."""


class TranscriptLine(BaseModel):
    """What one side said, from the call's journal."""

    model_config = ConfigDict(extra="forbid")

    seq: int
    """Grows along the call."""
    speaker: Literal["caller", "agent"]
    text: str
    typed: bool = False


class CallView(BaseModel):
    """Answer of `GET /api/calls/{call_id}`: a caller's own call."""

    model_config = ConfigDict(extra="forbid")

    call_id: CallId
    state: Literal["requested", "live", "ending", "ended"]
    end_reason: str | None = None
    transcript: list[TranscriptLine] = []
    """The last 300 lines."""
