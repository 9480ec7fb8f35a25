"""The token service's routes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from livekit import api
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS, BadRequest, read_body
from token_service.admission import SFU_TIMEOUT_S, Admission
from token_service.page import SecurityHeaders, WebClient
from token_service.settings import TokenSettings

BODY_LIMIT_BYTES = 4_096


async def voice_token(request: Request) -> Response:
    """`POST /api/voice-token`: a new call. The body is empty or an empty JSON object."""
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    try:
        wishes = json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise BadRequest("The request's body is not JSON.") from error
    if wishes != {}:
        raise BadRequest("Identity, room and rights are chosen by the server: send an empty body.")
    token = await request.app.state.admission.admit()
    return Response(
        token.model_dump_json(),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def build(settings: TokenSettings) -> Starlette:
    """
    The application.

    Raises: SettingsError: the SFU's key cannot be read.
    """
    key = settings.sfu_key()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=SFU_TIMEOUT_S)
        client = api.LiveKitAPI(settings.sfu_url, key.api_key, key.secret, timeout=timeout)
        app.state.admission = Admission(client, key, settings.rtc_url, settings.agent_name)
        yield
        await client.aclose()

    async def sfu() -> None:
        await app.state.admission.sfu_answers()

    app = Starlette(
        routes=[
            Mount("/api", routes=[Route("/voice-token", voice_token, methods=["POST"])]),
            *health_routes({"sfu": sfu}),
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
