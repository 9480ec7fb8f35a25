"""Errors of the speech server, in the form that clients of OpenAI's API read."""

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service_base.problems import EXCEPTION_HANDLERS as PROBLEM_HANDLERS
from service_base.problems import BadRequest, ServiceError


class Busy(ServiceError):
    """Too many requests are waiting."""

    status = 503
    code = "busy"
    retry_after_s = 1


class NotReady(ServiceError):
    """The speech models are not loaded yet."""

    status = 503
    code = "not-ready"
    retry_after_s = 1


class TimedOut(ServiceError):
    """The request took too long."""

    status = 503
    code = "timeout"
    retry_after_s = 1


class NotWav(BadRequest):
    """The file is not a WAV file with 16-bit PCM samples."""

    code = "not-wav"


class EmptyAudio(BadRequest):
    """The file contains no audio."""

    code = "empty-audio"


class AudioTooLong(ServiceError):
    """The audio is too long for this server."""

    status = 413
    code = "audio-too-long"


class EmptyText(BadRequest):
    """There is nothing to say: the text contains no letter or digit."""

    code = "empty-text"


class TextTooLong(BadRequest):
    """The text is too long for this server."""

    code = "text-too-long"


class UnsupportedLanguage(BadRequest):
    """This server understands English only."""

    code = "unsupported-language"


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _with_openai_error(handler: Handler) -> Handler:
    """Adds the member `error`, which OpenAI's clients read, to a problem document."""

    async def handle(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        document = json.loads(bytes(response.body))
        document["error"] = {
            "message": document["detail"],
            "type": "server_error" if response.status_code >= 500 else "invalid_request_error",
            "param": None,
            "code": document["code"],
        }
        headers = {k: v for k, v in response.headers.items() if not k.startswith("content-")}
        return JSONResponse(document, response.status_code, headers, response.media_type)

    return handle


EXCEPTION_HANDLERS = {kind: _with_openai_error(h) for kind, h in PROBLEM_HANDLERS.items()}
"""For `Starlette(exception_handlers=...)`."""
