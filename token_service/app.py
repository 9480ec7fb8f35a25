"""The token service's routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import structlog
from livekit import api
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from call_record import slots
from call_record.batch_admission import BatchAdmission
from call_record.record import open_record
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS
from token_service import auth, calls_api, origins, page_words, slot_metrics
from token_service.admission import Admission, record_or_problem
from token_service.captcha import Captcha
from token_service.endpoint import Endpoint
from token_service.networks import ProxyWatch
from token_service.openapi import openapi
from token_service.rate_limits import RateLimits
from token_service.room_tokens import RoomTokens
from token_service.rooms import SFU_TIMEOUT_S, Rooms
from token_service.settings import TokenSettings
from token_service.static_site import SecurityHeaders, StaticSite
from token_service.voice_token import livekit_token, voice_token

log = structlog.get_logger()

RECORD_WAIT_S = 3.0
"""For a connection or a lock. Short enough to tell the caller before the browser gives up."""


def build(settings: TokenSettings) -> Starlette:
    """
    The application. The database must have been prepared.

    Raises: SettingsError: a file of keys cannot be read.
    """
    key = settings.sfu_key()
    words = page_words.read(settings.token_page_file)
    record = open_record(settings, wait_s=RECORD_WAIT_S)
    rate_limits = RateLimits(settings)
    endpoint = Endpoint(rate_limits, auth.by(settings), record.keys)

    log.info("sfu.key", ends_with=key.api_key[-4:], auth=settings.token_auth)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=SFU_TIMEOUT_S)
        client = api.LiveKitAPI(settings.sfu_url, key.api_key, key.secret, timeout=timeout)
        captcha = Captcha(settings.token_captcha_url, settings.token_captcha_secret)
        rooms = Rooms(client, settings.agent_name)
        app.state.record = record
        app.state.room_tokens = RoomTokens(key, settings.rtc_url)
        app.state.admission = Admission(record, BatchAdmission(record, settings.limits), rooms)
        app.state.captcha = captcha
        app.state.proxy_watch = ProxyWatch()
        stopping = asyncio.Event()
        watching = asyncio.create_task(slot_metrics.watch(record, stopping))
        yield
        stopping.set()
        await watching
        await client.aclose()
        await captcha.aclose()
        await rate_limits.close()
        await record.close()

    async def sfu() -> None:
        await app.state.admission.rooms.answer()

    async def database() -> None:
        with record_or_problem():
            await slots.read(record)

    app = Starlette(
        routes=[
            Mount(
                "/api",
                routes=[
                    endpoint.route("/voice-token", "POST", voice_token),
                    endpoint.route("/livekit-token", "POST", livekit_token),
                    endpoint.route("/calls/{call_id}", "GET", calls_api.view),
                    endpoint.route("/calls/{call_id}/end", "POST", calls_api.end),
                    endpoint.route("/calls/{call_id}/follow-up", "GET", calls_api.follow_up),
                    Route("/page", page_words.answer(words)),
                    Route("/openapi.json", openapi),
                ],
            ),
            *health_routes({"sfu": sfu, "database": database}),
            METRICS_ROUTE,
            Mount("/", StaticSite(settings.web_dir)),
        ],
        middleware=[
            Middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies),
            Middleware(MetricsMiddleware),
            Middleware(SecurityHeaders, rtc_url=settings.rtc_url),
            *origins.middleware(settings),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    return app
