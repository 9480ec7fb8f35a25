"""Errors over HTTP: RFC 9457 `application/problem+json`, rendered here alone."""

import asyncio
from collections.abc import Mapping
from typing import ClassVar

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

log = structlog.get_logger()

BODY_WITHIN_S = 10.0


class ServiceError(Exception):
    """
    The base of every error that a client may see.

    The class docstring is the `detail` sent to the client: one safe, plain sentence.
    `detail` given to the constructor replaces it and must be as safe; so does `retry_after_s`.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal-error"
    headers: ClassVar[Mapping[str, str]] = {}
    retry_after_s: int | None = None
    members: Mapping[str, object] = {}
    """What the problem document holds beside the usual members."""

    def __init__(self, detail: str | None = None, *, retry_after_s: int | None = None) -> None:
        self.detail = detail or " ".join((type(self).__doc__ or "").split())
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s
        super().__init__(self.detail)


class BadRequest(ServiceError):
    """The request could not be understood."""

    status = 400
    code = "bad-request"


class RequestTimeout(ServiceError):
    """The request did not arrive in time."""

    status = 408
    code = "request-timeout"


class BodyTooLarge(ServiceError):
    """The request's body is larger than this service accepts."""

    status = 413
    code = "body-too-large"


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, object] | None = None,
) -> JSONResponse:
    """A problem document. `code` is the machine-readable name that clients switch on."""
    usual = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail}
    return JSONResponse(
        {**usual, **(members or {})},
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )


async def read_body(request: Request, *, limit_bytes: int) -> bytes:
    """
    The request's body.

    Raises: BodyTooLarge: more than *limit_bytes* were announced or sent. RequestTimeout: it was not
        there within 10 s.
    """
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise BodyTooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise BodyTooLarge
    except TimeoutError:
        raise RequestTimeout from None
    return bytes(body)


async def _service_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    headers = {**error.headers}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return problem(error.status, error.code, error.detail, headers=headers, members=error.members)


async def _http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = error.detail.lower().replace(" ", "-")
    return problem(error.status_code, code, error.detail, headers=error.headers)


async def _unknown_error(request: Request, error: Exception) -> Response:
    log.error("request.failed", path=request.url.path, exc_info=error)
    return problem(500, "internal-error", "Something went wrong on our side.")


EXCEPTION_HANDLERS = {
    ServiceError: _service_error,
    HTTPException: _http_exception,
    Exception: _unknown_error,
}
"""For `Starlette(exception_handlers=...)`."""
