"""The supervisor's private HTTP: the SFU's webhooks, health, metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from livekit import api
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from call_record.prepare import prepare
from call_record.record import open_record
from call_supervisor import metrics
from call_supervisor.rooms import Rooms
from call_supervisor.settings import SupervisorSettings
from call_supervisor.supervisor import CallSupervisor
from call_supervisor.timeouts import Timeouts
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS, ServiceError, read_body

log = structlog.get_logger()

BODY_LIMIT_BYTES = 65_536
DATABASE_WAIT_S = 2.0


class NotTheSfu(ServiceError):
    """The request is not signed by the SFU."""

    status = 401
    code = "not-the-sfu"


async def webhook(request: Request) -> Response:
    """
    `POST /webhook`: something happened in a room.

    All that follows is a look at that room, so one that is replayed, late, or lost changes nothing.
    """
    body = await read_body(request, limit_bytes=BODY_LIMIT_BYTES)
    receiver: api.WebhookReceiver = request.app.state.receiver
    try:
        event = receiver.receive(body.decode(), request.headers.get("authorization", ""))
    except Exception as error:  # the library has no error of its own
        metrics.WEBHOOKS.labels("refused").inc()
        log.warning("webhook.refused", reason=type(error).__name__)
        raise NotTheSfu from error
    metrics.WEBHOOKS.labels("accepted").inc()
    if event.room.name:
        supervisor: CallSupervisor = request.app.state.supervisor
        supervisor.look_at(event.room.name)
    return Response(status_code=204)


def build(settings: SupervisorSettings) -> Starlette:
    """
    The application, which supervises while it runs.

    Raises: SettingsError: a key file is missing or wrong.
    """
    key = settings.sfu_key()
    record = open_record(settings, wait_s=DATABASE_WAIT_S)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await prepare(settings.database_url)
        client = api.LiveKitAPI(settings.sfu_url, key.api_key, key.secret)
        rooms = Rooms(client, settings.agent_name)
        supervisor = CallSupervisor(record, rooms, Timeouts(no_agent_s=settings.no_agent_s))
        app.state.rooms, app.state.supervisor = rooms, supervisor
        app.state.receiver = api.WebhookReceiver(api.TokenVerifier(key.api_key, key.secret))
        supervising = asyncio.create_task(supervisor.run(), name="supervisor")
        log.info("supervisor.started")
        yield
        supervising.cancel()
        with suppress(asyncio.CancelledError):
            await supervising
        await client.aclose()
        await record.close()

    async def sfu() -> None:
        await app.state.rooms.answers()

    async def reads_the_record() -> None:
        await app.state.supervisor.reads_the_record()

    app = Starlette(
        routes=[
            Route("/webhook", webhook, methods=["POST"]),
            *health_routes({"sfu": sfu, "record": reads_the_record}),
            METRICS_ROUTE,
        ],
        middleware=[Middleware(MetricsMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    return app
