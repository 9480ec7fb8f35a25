"""The API's OpenAPI document: `GET /api/openapi.json`."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from token_service.voice_token import LiveKitToken, LiveKitTokenRequest
from voice_contract.follow_up import FollowUp
from voice_contract.page_words import PageWords
from voice_contract.tokens import CallView, Problem, VoiceToken, VoiceTokenRequest

MODELS: tuple[type[BaseModel], ...] = (
    VoiceTokenRequest,
    VoiceToken,
    LiveKitTokenRequest,
    LiveKitToken,
    CallView,
    FollowUp,
    PageWords,
    Problem,
)
ANY_ENDPOINT = ("400", "401", "403", "408", "429", "500", "503")
"""Status codes of problems that every endpoint may return."""
CALL_ID = {
    "name": "call_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    _, schemas = models_json_schema(
        [(model, "serialization") for model in MODELS],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley's token service",
            "version": "1",
            "description": "Callers are identified by an HttpOnly cookie, an OpenID Connect token "
            "or an API key, depending on the settings. Errors are RFC 9457 problem details; "
            "`code` says which.",
        },
        "paths": {
            "/api/voice-token": {
                "post": _operation(
                    "A token for a new call, or for the caller's own call",
                    VoiceTokenRequest,
                    {"200": VoiceToken},
                    ("404", "410", "413"),
                )
            },
            "/api/livekit-token": {
                "post": _operation(
                    "LiveKit's standard token endpoint",
                    LiveKitTokenRequest,
                    {"201": LiveKitToken},
                    ("413",),
                )
            },
            "/api/calls/{call_id}": {
                "parameters": [CALL_ID],
                "get": _operation("The caller's own call", None, {"200": CallView}, ("404",)),
            },
            "/api/calls/{call_id}/end": {
                "parameters": [CALL_ID],
                "post": _operation("Hang up", None, {"204": None}, ("404",)),
            },
            "/api/calls/{call_id}/follow-up": {
                "parameters": [CALL_ID],
                "get": _operation(
                    "Summary, action items and ticket of the call",
                    None,
                    {"200": FollowUp},
                    ("404",),
                ),
            },
            "/api/page": {
                "get": _operation("The page's words for the agent", None, {"200": PageWords}, ())
            },
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "parley-caller"},
            },
        },
        "security": [{}, {"cookie": []}, {"bearer": []}],
    }


async def openapi(_: Request) -> Response:
    """Return the document."""
    return JSONResponse(DOCUMENT)


def _operation(
    summary: str,
    body: type[BaseModel] | None,
    answers: dict[str, type[BaseModel] | None],
    problems: tuple[str, ...],
) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": summary, "responses": {}}
    if body is not None:
        operation["requestBody"] = {"content": _content(body)}
    for status, model in answers.items():
        content = {} if model is None else {"content": _content(model)}
        operation["responses"][status] = {"description": summary, **content}
    for status in sorted((*ANY_ENDPOINT, *problems)):
        operation["responses"][status] = {
            "description": "A problem",
            "content": _content(Problem, "application/problem+json"),
        }
    return operation


def _content(model: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}}


DOCUMENT = document()
