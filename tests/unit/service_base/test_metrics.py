"""Request metrics: by route, with few labels."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service_base.metrics import METRICS_ROUTE, MetricsMiddleware
from service_base.problems import EXCEPTION_HANDLERS


async def thing(request: Request) -> Response:
    if request.path_params["name"] == "broken":
        raise RuntimeError
    return PlainTextResponse("thing", 201)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(
        routes=[Route("/metrics-test/{name}", thing), METRICS_ROUTE],
        middleware=[Middleware(MetricsMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as opened:
        yield opened


def count(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    name = "parley_http_request_duration_seconds_count"
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/metrics-test/a", ("GET", "/metrics-test/{name}", "201")),
        ("GET", "/metrics-test/b?secret=1", ("GET", "/metrics-test/{name}", "201")),
        ("GET", "/metrics-test/broken", ("GET", "/metrics-test/{name}", "500")),
        ("GET", "/no/such/path", ("GET", "unmatched", "404")),
        ("BREW", "/no/such/path", ("other", "unmatched", "404")),
    ],
)
async def test_request_is_observed_by_its_route(
    client: httpx.AsyncClient, method: str, path: str, labels: tuple[str, str, str]
) -> None:
    """Neither paths nor methods that a client makes up become labels."""
    before = count(*labels)
    await client.request(method, path)
    assert count(*labels) == before + 1


async def test_metrics_route_shows_what_was_observed(client: httpx.AsyncClient) -> None:
    """In Prometheus' text format, without any path that was asked for."""
    await client.get("/metrics-test/a-private-name")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'route="/metrics-test/{name}"' in answer.text
    assert "a-private-name" not in answer.text


async def test_other_protocols_pass_through() -> None:
    """The lifespan reaches the app untouched."""
    seen: list[str] = []

    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["type"])

    await MetricsMiddleware(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
