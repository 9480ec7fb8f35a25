"""`POST /api/voice-token`, and the same as LiveKit's standard token endpoint."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from call_record.calls import Call
from service_base.problems import BadRequest, read_body
from token_service.admission import Admission
from token_service.callers import Caller
from token_service.cookie import remember
from token_service.endpoint import RequestLog
from token_service.responses import json_response
from token_service.room_tokens import RoomTokens
from voice_contract.tokens import VoiceToken, VoiceTokenRequest

BODY_LIMIT_BYTES = 4_096
CHOSEN_BY_US = "The server chooses identity, room and rights: send {} as the request's body."

M = TypeVar("M", bound=BaseModel)


class LiveKitTokenRequest(BaseModel):
    """
    The body of LiveKit's standard token endpoint. The caller may choose nothing: neither
    `room_name` nor `participant_...` nor `room_config`.
    """

    model_config = ConfigDict(extra="forbid")


class LiveKitToken(BaseModel):
    """The answer of LiveKit's standard token endpoint."""

    model_config = ConfigDict(extra="forbid")

    server_url: str
    participant_token: str


async def voice_token(request: Request, caller: Caller) -> Response:
    """`POST /api/voice-token`: a token for a new call, or for the caller's own call."""
    body = await _read(request, VoiceTokenRequest)
    token = await _token(request, caller, body.call_id)
    answer = json_response(token)
    remember(request, answer, caller)
    return answer


async def livekit_token(request: Request, caller: Caller) -> Response:
    """`POST /api/livekit-token`: a token for a new call, for LiveKit's `TokenSource.endpoint`."""
    await _read(request, LiveKitTokenRequest)
    token = await _token(request, caller, None)
    answer = json_response(
        LiveKitToken(server_url=token.rtc_url, participant_token=token.token), status=201
    )
    remember(request, answer, caller)
    return answer


async def _read(request: Request, model: type[M]) -> M:
    request.state.request_log.event = "call.refused"
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    try:
        return model.model_validate_json(body if body.strip() else b"{}")
    except ValidationError as error:
        kinds = {found["type"] for found in error.errors(include_input=False)}
        raise BadRequest(
            "The request's body is not JSON." if "json_invalid" in kinds else CHOSEN_BY_US
        ) from None


async def _token(request: Request, caller: Caller, call_id: str | None) -> VoiceToken:
    request_log: RequestLog = request.state.request_log
    admission: Admission = request.app.state.admission
    room_tokens: RoomTokens = request.app.state.room_tokens
    call: Call
    if call_id is None:
        await request.app.state.captcha.check(request, caller)
        call = await admission.new(caller)
        request.app.state.proxy_watch.saw(request, caller.identity)
        request_log.event, request_log.outcome = "call.requested", "admitted"
    else:
        request_log.call_id = call_id
        call = await admission.own(caller, call_id)
        request_log.event, request_log.outcome = "call.returning", "returned"
    request_log.call_id, request_log.minted = call.call_id, True
    return room_tokens.token(call.call_id, caller.identity)
