"""Who may ask, for which customer, during which call."""

import hmac
import re
import time

import structlog
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.storefront.backend.database import Session
from examples.storefront.backend.shop import Shop, shop_of
from examples.storefront.backend.tables import Customer
from service_base.problems import ServiceError, problem

log = structlog.get_logger()

CUSTOMER_HEADER = "X-Customer-Id"
CALL_HEADER = "X-Call-Id"
DEMO_CUSTOMER_ID = "sam-rivera"
CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class UnknownCustomer(ServiceError):
    """I cannot find an account of yours with us, so I see no orders or appointments."""

    status = 403
    code = "unknown-customer"


async def customer_of(request: Request, session: Session) -> Customer:
    """
    The customer for whom the agent asks.

    Raises: UnknownCustomer: there is none of that id, or none was named and there is no default.
    """
    default = DEMO_CUSTOMER_ID if shop_of(request).demo_customer else ""
    customer = await session.get(Customer, request.headers.get(CUSTOMER_HEADER, default))
    if customer is None:
        raise UnknownCustomer
    return customer


def call_of(request: Request) -> str | None:
    """The id of the call during which the agent asks, checked by the middleware."""
    return request.headers.get(CALL_HEADER)


class AccessMiddleware:
    """Asks for the shared secret on `/v1/`, counts reads, and logs each request."""

    def __init__(self, app: ASGIApp, *, shop: Shop, api_key: SecretStr | None) -> None:
        self.app = app
        self.shop = shop
        self.api_key = api_key.get_secret_value().encode() if api_key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        call_id = headers.get(CALL_HEADER)
        if call_id is not None and not CALL_ID.fullmatch(call_id):
            refusal = problem(400, "bad-request", f"The {CALL_HEADER} header is not a call's id.")
            await refusal(scope, receive, send)
            return
        if not self._knows_secret(headers):
            refusal = problem(
                401,
                "unauthorized",
                "The bearer token is missing or wrong.",
                headers={"WWW-Authenticate": "Bearer"},
            )
            await refusal(scope, receive, send)
            return
        with structlog.contextvars.bound_contextvars(call_id=call_id):
            await self._observed(scope, receive, send, headers)

    def _knows_secret(self, headers: Headers) -> bool:
        if self.api_key is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), self.api_key)

    async def _observed(self, scope: Scope, receive: Receive, send: Send, headers: Headers) -> None:
        started = time.perf_counter()

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                status, path = message["status"], scope["path"]
                route = getattr(scope.get("route"), "path", "unmatched")
                if scope["method"] == "GET" and route != "/v1/ledger":
                    self.shop.reads.add(
                        path,
                        status,
                        headers.get(CUSTOMER_HEADER),
                        headers.get(CALL_HEADER),
                        self.shop.clock(),
                    )
                log.info(
                    "request.answered",
                    method=scope["method"],
                    route=route,
                    status=status,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                )
            await send(message)

        await self.app(scope, receive, observe)
