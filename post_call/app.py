"""The post-call service: its parts put together, its health and metrics over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.middleware import Middleware

from call_record import executors
from call_record.record import Record, open_record
from post_call import dbos_setup, workflow
from post_call.connectors import Crm, Endpoint, Tickets
from post_call.connectors.loading import load
from post_call.connectors.request_tracker import RequestTracker
from post_call.connectors.webhook import WebhookEndpoint
from post_call.executor_id import ExecutorId
from post_call.http import client
from post_call.loops import Loops
from post_call.model import Model
from post_call.settings import NONE, REQUEST_TRACKER, PostCallSettings
from post_call.steps import Patience, Steps
from service_base import key_file
from service_base.health import health_routes
from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS
from service_base.settings import SettingsError

KEYS_VARIABLE = "PARLEY_POST_CALL_WEBHOOK_KEYS_FILE"


def build(settings: PostCallSettings, executor: ExecutorId) -> Starlette:
    """
    The application. The record's database must have been prepared.

    Raises: SettingsError: a credential or a connector is missing or wrong.
    """
    secrets = _Secrets(settings)
    crm, tickets = _crm(settings), _tickets(settings, secrets)
    record = open_record(settings, connections=8)
    loops = Loops(record, executor.executor_id)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(executor.release)
            stack.push_async_callback(record.close)
            for connector in (crm, tickets):
                if connector:
                    stack.push_async_callback(connector.aclose)
            workflow.use(await _steps(settings, secrets, record, crm, tickets, stack))
            await executors.register(record, executor.executor_id)
            pace = await dbos_setup.launch(
                settings.post_call_database_url,
                executor.executor_id,
                concurrency=settings.post_call_concurrency,
            )
            loops.start(pace)
            try:
                yield
            finally:
                await loops.stop()
                await asyncio.to_thread(dbos_setup.destroy)
                # Last: from now on the others take what was left.
                await executors.leave(record, executor.executor_id)

    async def database() -> None:
        async with record.database.reading() as connection:
            await connection.execute(text("SELECT 1"))

    return Starlette(
        routes=[
            *health_routes({"database": database, "work": loops.check}),
            METRICS_ROUTE,
        ],
        middleware=[Middleware(MetricsMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )


class _Secrets:
    """Read before anything starts, so that what is missing is told in a sentence."""

    def __init__(self, settings: PostCallSettings) -> None:
        self.rt = settings.rt_token() if settings.post_call_tickets == REQUEST_TRACKER else ""
        if self.rt and not settings.post_call_rt_url:
            raise SettingsError("PARLEY_POST_CALL_RT_URL: Request Tracker needs its address.")
        self.llm = settings.llm_api_key()
        self.webhooks: dict[str, str] = {}
        if settings.post_call_webhooks:
            remedy = "docs/post-call.md says how to make it"
            keys = key_file.read(settings.post_call_webhook_keys_file, KEYS_VARIABLE, remedy)
            for name in settings.post_call_webhooks:
                if not keys.get(name, "").startswith("whsec_"):
                    raise SettingsError(
                        f"{KEYS_VARIABLE}: there is no line `{name}: whsec_...` in "
                        f"{settings.post_call_webhook_keys_file}."
                    )
                self.webhooks[name] = keys[name]


def _crm(settings: PostCallSettings) -> Crm | None:
    name = settings.post_call_crm
    if name == NONE:
        return None
    # mypy wants a class that can be made; a protocol is only checked against.
    kind: type[Crm] = Crm  # type: ignore[type-abstract]
    return load(kind, name, "PARLEY_POST_CALL_CRM", settings.post_call_timeout_s)


def _tickets(settings: PostCallSettings, secrets: _Secrets) -> Tickets | None:
    name = settings.post_call_tickets
    if name == NONE:
        return None
    if name == REQUEST_TRACKER:
        headers = {"Authorization": f"token {secrets.rt}"}
        url = settings.post_call_rt_url
        http = client(settings.post_call_timeout_s, base_url=url, headers=headers)
        return RequestTracker(http, settings.post_call_rt_queue)
    kind: type[Tickets] = Tickets  # type: ignore[type-abstract]
    return load(kind, name, "PARLEY_POST_CALL_TICKETS", settings.post_call_timeout_s)


async def _steps(
    settings: PostCallSettings,
    secrets: _Secrets,
    record: Record,
    crm: Crm | None,
    tickets: Tickets | None,
    stack: AsyncExitStack,
) -> Steps:
    endpoints: list[Endpoint] = []
    outward = await stack.enter_async_context(client(settings.post_call_timeout_s))
    for name, url in settings.post_call_webhooks.items():
        endpoints.append(WebhookEndpoint(outward, name, url, secrets.webhooks[name]))
    model = None
    if settings.post_call_llm_base_url:
        http = client(
            settings.post_call_llm_timeout_s,
            base_url=settings.post_call_llm_base_url,
            headers={"Authorization": f"Bearer {secrets.llm}"} if secrets.llm else {},
        )
        await stack.enter_async_context(http)
        model = Model(http, settings.post_call_llm_model, settings.post_call_llm_timeout_s)
    patience = Patience(
        tries=settings.post_call_tries,
        backoff_s=settings.post_call_backoff_s,
        backoff_max_s=settings.post_call_backoff_max_s,
        timeout_s=settings.post_call_timeout_s,
        model_tries=settings.post_call_llm_tries,
        model_timeout_s=settings.post_call_llm_timeout_s,
    )
    return Steps(
        record,
        patience,
        crm=crm,
        tickets=tickets,
        endpoints=endpoints,
        model=model,
        parallel=settings.post_call_parallel,
    )
