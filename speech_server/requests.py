"""What the endpoints share: count refusals, time out, notice that the client has left."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.types import Receive

from service_base.problems import BadRequest, ServiceError, read_body
from speech_server.errors import TimedOut
from speech_server.metrics import REFUSALS
from speech_server.work_queue import Kind

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

ESCAPED_CHARACTER_BYTES = 12
"""The longest form of one character in JSON: two \\u escapes."""

OTHER_FIELDS_BYTES = 4_096


class ClientLeft(ServiceError):
    """The client closed the connection."""

    status = 499
    code = "client-left"


@asynccontextmanager
async def supervised(kind: Kind, *, limit_s: float) -> AsyncIterator[None]:
    """
    Give the block *limit_s* seconds, and count its errors by their code.

    Raises: TimedOut: the time is up.
    """
    try:
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError as error:
            raise TimedOut from error
    except ServiceError as error:
        REFUSALS.labels(kind, error.code).inc()
        raise


async def read_json(request: Request, kind: type[M], *, characters: int) -> M:
    """
    The body, with texts of up to *characters* in all.

    Raises: BodyTooLarge, RequestTimeout. BadRequest: it is no *kind*.
    """
    limit_bytes = OTHER_FIELDS_BYTES + ESCAPED_CHARACTER_BYTES * characters
    body = await read_body(request, limit_bytes=limit_bytes)
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, first["loc"])) or "body"
        raise BadRequest(f"`{field}`: {first['msg']}") from None


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """
    Wait for *work* while the client is connected. The request's body must have been read.

    Raises: ClientLeft: the client closed the connection first; *work* was cancelled.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientLeft
        return await working
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
