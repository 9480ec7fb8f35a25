"""How refusals are written."""

import json

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service_base.problems import ServiceError
from speech_server.errors import EXCEPTION_HANDLERS, Busy

REQUEST = Request({"type": "http", "method": "POST", "path": "/", "headers": []})


async def test_service_error_is_a_problem_with_openai_error_and_retry_after() -> None:
    """One body serves clients of RFC 9457 and OpenAI's clients."""
    response = await EXCEPTION_HANDLERS[ServiceError](REQUEST, Busy())
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "1"
    document = json.loads(bytes(response.body))
    assert document["code"] == "busy"
    assert document["error"] == {
        "message": "Too many requests are waiting.",
        "type": "server_error",
        "param": None,
        "code": "busy",
    }


async def test_http_exception_of_the_client_is_an_invalid_request_error() -> None:
    """Unknown paths and methods have the same shape."""
    response = await EXCEPTION_HANDLERS[HTTPException](REQUEST, HTTPException(404))
    document = json.loads(bytes(response.body))
    assert document["status"] == 404
    assert document["error"]["type"] == "invalid_request_error"


async def test_unknown_error_tells_nothing_of_itself() -> None:
    """What went wrong inside is for the log alone."""
    response = await EXCEPTION_HANDLERS[Exception](REQUEST, RuntimeError("secret"))
    assert response.status_code == 500
    assert b"secret" not in bytes(response.body)
