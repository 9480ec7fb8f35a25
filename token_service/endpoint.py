"""Wraps every endpoint of the API: rate limits, the caller's identity, one log event."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from call_record.keys import KeyRing
from service_base.problems import EXCEPTION_HANDLERS, BadRequest, ServiceError
from token_service.auth import Identify
from token_service.callers import Caller
from token_service.cookie import remember
from token_service.errors import Busy, NotAllowed, RateLimited, SignInRequired
from token_service.networks import networks_of
from token_service.rate_limits import RateLimits

log = structlog.get_logger()

REQUESTS = Counter(
    "parley_token_requests_total", "Requests to the API, by outcome", ["endpoint", "outcome"]
)
MINT_S = Histogram(
    "parley_token_mint_seconds",
    "Time from a request for a call to its token, the room's creation included",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)

Handler = Callable[[Request, Caller], Awaitable[Response]]


@dataclass
class RequestLog:
    """
    What is logged about a request. Never holds a credential or personal data.

    The request's handler finds it in `request.state.request_log`.
    """

    event: str = "api.answered"
    outcome: str = "ok"
    """`ok`, `admitted`, `returned`, or a problem's code."""
    call_id: str | None = None
    minted: bool = False


@dataclass(frozen=True)
class Endpoint:
    """Makes the routes of the API; the service has one."""

    rate_limits: RateLimits
    identify: Identify
    keys: KeyRing
    """Under which networks are named in the record."""

    def route(self, path: str, method: str, handler: Handler) -> Route:
        """A route whose requests are limited, identified and logged."""

        async def endpoint(request: Request) -> Response:
            return await self._handle(request, handler)

        return Route(path, endpoint, methods=[method], name=handler.__name__)

    async def _handle(self, request: Request, handler: Handler) -> Response:
        started = time.perf_counter()
        request_log = request.state.request_log = RequestLog()
        status, cause = ServiceError.status, None
        try:
            response, cause = await self._answer(request, handler, request_log)
            status = response.status_code
            return response
        except BaseException:
            request_log.outcome = ServiceError.code
            raise
        finally:
            _log(request, request_log, status, time.perf_counter() - started, cause)

    async def _caller(self, request: Request) -> Caller:
        """Raises: what `Identify` does, or RateLimited where that was so too often."""
        try:
            caller = await self.identify(request)
        except (SignInRequired, NotAllowed):
            await self.rate_limits.count_failure(request)
            raise
        if caller.is_anonymous:
            return replace(caller, networks=networks_of(request, self.keys))
        return caller

    async def _answer(
        self, request: Request, handler: Handler, request_log: RequestLog
    ) -> tuple[Response, BaseException | None]:
        """The handler's response, or a problem and its cause."""
        headers: dict[str, str] = {}
        cause = caller = None
        try:
            caller = await self._caller(request)
            headers = (await self.rate_limits.check_caller(request, caller)).headers
            response = await handler(request, caller)
        except (ServiceError, ClientDisconnect) as error:
            problem = error if isinstance(error, ServiceError) else BadRequest()
            if isinstance(error, RateLimited):
                headers = error.headers_of_limit
            request_log.outcome, cause = problem.code, error.__cause__
            response = await EXCEPTION_HANDLERS[ServiceError](request, problem)
            if isinstance(error, Busy) and caller is not None:
                # Its position in the queue is its identity's.
                remember(request, response, caller)
        response.headers.update(headers)
        return response, cause


def _log(
    request: Request,
    request_log: RequestLog,
    status: int,
    elapsed_s: float,
    cause: BaseException | None,
) -> None:
    route = request.scope["route"]
    endpoint = request.scope["root_path"] + route.path
    REQUESTS.labels(endpoint, request_log.outcome).inc()
    if request_log.minted:
        MINT_S.observe(elapsed_s)
    say = log.info if status < 500 else log.warning
    say(
        request_log.event,
        endpoint=endpoint,
        outcome=request_log.outcome,
        status=status,
        duration_ms=round(elapsed_s * 1000, 1),
        **({"call_id": request_log.call_id} if request_log.call_id else {}),
        **({"exc_info": cause} if cause else {}),
    )
