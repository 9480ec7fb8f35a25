"""Requests read into pydantic models, and answers written from them."""

from datetime import date, time
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from service_base.problems import BadRequest, read_body

BODY_LIMIT_BYTES = 16 * 1024
MAX_ID = 2**31 - 1
"""The largest value of an integer column on PostgreSQL."""

ClockTime = Annotated[time, PlainSerializer(lambda value: value.strftime("%H:%M"))]
"""On the backend's own clock, as `14:30`."""
Day = date
"""As `2026-11-24`."""

M = TypeVar("M", bound=BaseModel)


class Payload(BaseModel):
    """The base of every body and query: exact types, no unknown fields."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Nothing(Payload):
    """An empty body or an empty object."""


async def body_of(request: Request, model: type[M]) -> M:
    """
    The request's JSON body; an empty one counts as `{}`.

    Raises: BadRequest: it is not what *model* says. BodyTooLarge: it exceeds 16 KiB.
    """
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    try:
        return model.model_validate_json(body.strip() or b"{}")
    except ValidationError as error:
        raise _bad_request(error) from None


def query_of(request: Request, model: type[M]) -> M:
    """
    The request's query parameters.

    Raises: BadRequest: they are not what *model* says.
    """
    try:
        return model.model_validate_strings(dict(request.query_params))
    except ValidationError as error:
        raise _bad_request(error) from None


def _bad_request(error: ValidationError) -> BadRequest:
    # Without the input: what a caller said does not belong into answers that may be logged.
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return BadRequest(f"{field}: {first['msg']}." if field else f"{first['msg']}.")


def answer(model: BaseModel, status: int = 200) -> Response:
    """*model* as JSON, never stored by caches."""
    return Response(
        model.model_dump_json(),
        status,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
