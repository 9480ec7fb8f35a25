"""A caller's own calls: read one, end one, read its summary. Other people's are not found."""

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from call_record import transcript
from call_record.admission import hang_up
from call_record.calls import Call
from call_record.follow_up import read_follow_up
from call_record.record import Record
from token_service.admission import own_call, record_or_problem
from token_service.callers import Caller
from token_service.errors import CallNotFound
from token_service.responses import json_response
from voice_contract.dispatch import CallId
from voice_contract.follow_up import FollowUp
from voice_contract.tokens import CallView

CALL_ID = TypeAdapter[str](CallId)


async def view(request: Request, caller: Caller) -> Response:
    """`GET /api/calls/{call_id}`: its state and its transcript."""
    with record_or_problem():
        call = await _call(request, caller)
        lines = await transcript.read(_record(request), call.call_id)
    return json_response(
        CallView(
            call_id=call.call_id,
            state=call.state.value,
            end_reason=call.end_reason,
            transcript=lines,
        )
    )


async def end(request: Request, caller: Caller) -> Response:
    """
    `POST /api/calls/{call_id}/end`: hang up, for a page that is closing and cannot tell the agent.

    Does nothing to a call that has ended.
    """
    with record_or_problem():
        call = await _call(request, caller)
        await hang_up(_record(request), call.call_id, "caller")
    return Response(status_code=204)


async def follow_up(request: Request, caller: Caller) -> Response:
    """`GET /api/calls/{call_id}/follow-up`: summary, action items and ticket of the call."""
    with record_or_problem():
        call = await _call(request, caller)
        found = await read_follow_up(_record(request), call.call_id)
    return json_response(found or FollowUp(state="waiting"))


async def _call(request: Request, caller: Caller) -> Call:
    try:
        call_id = CALL_ID.validate_python(request.path_params["call_id"])
    except ValidationError:
        raise CallNotFound from None
    request.state.request_log.call_id = call_id
    return await own_call(_record(request), caller, call_id)


def _record(request: Request) -> Record:
    record: Record = request.app.state.record
    return record
