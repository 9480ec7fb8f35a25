"""The token service's routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from livekit import api
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from call_record.admission import free_slots
from call_record.record import open_record
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS, BadRequest, read_body
from token_service import own_calls
from token_service.admission import Admission, record_or_problem
from token_service.answers import json_answer
from token_service.callers import anonymous, remember
from token_service.minting import Mint
from token_service.page import SecurityHeaders, WebClient
from token_service.rooms import SFU_TIMEOUT_S, Rooms
from token_service.settings import TokenSettings
from voice_contract.tokens import VoiceTokenRequest

BODY_LIMIT_BYTES = 4_096
RECORD_WAIT_S = 3.0
"""For a connection or a lock. A caller is told that it cannot be before the browser gives up."""


async def voice_token(request: Request) -> Response:
    """`POST /api/voice-token`: a token for a new call, or for the caller's own of that id."""
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    try:
        asked = VoiceTokenRequest.model_validate_json(body if body.strip() else b"{}")
    except ValidationError as error:
        raise _bad_request(error) from None
    caller = anonymous(request)
    answer = json_answer(await request.app.state.admission.token(caller, asked.call_id))
    remember(request, answer, caller)
    return answer


def _bad_request(error: ValidationError) -> BadRequest:
    kinds = {found["type"] for found in error.errors(include_input=False, include_context=False)}
    if "json_invalid" in kinds:
        return BadRequest("The request's body is not JSON.")
    if "extra_forbidden" in kinds:
        return BadRequest(
            "Identity, room and rights are chosen by the server: send `call_id` or nothing."
        )
    return BadRequest("The request's body is not as it should be: `call_id` is a call's id.")


def build(settings: TokenSettings) -> Starlette:
    """
    The application. The database must have been prepared.

    Raises: SettingsError: the SFU's key or the journals' keys cannot be read.
    """
    key = settings.sfu_key()
    record = open_record(settings, wait_s=RECORD_WAIT_S)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=SFU_TIMEOUT_S)
        client = api.LiveKitAPI(settings.sfu_url, key.api_key, key.secret, timeout=timeout)
        app.state.record = record
        app.state.admission = Admission(
            record, Rooms(client, settings.agent_name), Mint(key, settings.rtc_url)
        )
        yield
        await client.aclose()
        await record.close()

    async def sfu() -> None:
        await app.state.admission.rooms.answer()

    async def database() -> None:
        with record_or_problem():
            await free_slots(record)

    app = Starlette(
        routes=[
            Mount(
                "/api",
                routes=[
                    Route("/voice-token", voice_token, methods=["POST"]),
                    *own_calls.ROUTES,
                ],
            ),
            *health_routes({"sfu": sfu, "database": database}),
            METRICS_ROUTE,
            Mount("/", WebClient(settings.web_dir)),
        ],
        middleware=[
            Middleware(MetricsMiddleware),
            Middleware(SecurityHeaders, rtc_url=settings.rtc_url),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    return app
