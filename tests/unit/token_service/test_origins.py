"""Which pages may have a browser ask."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from token_service import origins
from token_service.settings import TokenSettings

SHOP = "https://shop.example"


def client(base_url: str = "http://voice.example:8080", **settings: Any) -> TestClient:
    """A client of a service with these settings."""
    chosen = TokenSettings(_env_file=None, **{"token_open": True, **settings})
    routes = [
        Route(path, lambda _: PlainTextResponse("ok"), methods=["GET", "POST"])
        for path in ("/api/voice-token", "/page")
    ]
    app = Starlette(routes=routes, middleware=origins.middleware(chosen))
    return TestClient(app, base_url)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://voice.example:8080"}, 200),
        # TLS ended at a proxy: the scheme that we see is not the browser's.
        ({"Origin": "https://voice.example:8080"}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://voice.example"}, 403),
        ({"Origin": SHOP}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://[voice.example:8080"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
def test_origin_of_another_page_is_refused(headers: dict[str, str], status: int) -> None:
    """No page that a person happens to open can make a call for them."""
    response = client().post("/api/voice-token", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.json()["code"] == "not-allowed"
        assert "access-control-allow-origin" not in response.headers


def test_origin_of_the_list_may_ask_and_read() -> None:
    """A shop's own page with the call in it; no other page beside it."""
    shop = client(token_origins=SHOP)
    asked = shop.post("/api/voice-token", headers={"Origin": SHOP, "Sec-Fetch-Site": "cross-site"})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == SHOP
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert "Retry-After" in asked.headers["access-control-expose-headers"]
    assert "Origin" in asked.headers["vary"]
    before = {"Origin": SHOP, "Access-Control-Request-Method": "POST"}
    assert shop.options("/api/voice-token", headers=before).status_code == 200
    other = {**before, "Origin": "https://shop.example.evil.example"}
    assert shop.options("/api/voice-token", headers=other).status_code == 400
    assert shop.post("/api/voice-token", headers=other).status_code == 403


@pytest.mark.parametrize(
    ("base_url", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("http://localhost", 200),
        ("http://[::1]:8080", 200),
        ("http://evil.example:8080", 403),
        ("http://127.0.0.1.evil.example", 403),
    ],
)
def test_host_of_a_service_for_loopback_is_loopback(base_url: str, status: int) -> None:
    """A page whose name points to 127.0.0.1 would be of the same origin."""
    local = client(base_url, token_open=False)
    origin = {"Origin": base_url}
    assert local.post("/api/voice-token", headers=origin).status_code == status


def test_origin_does_not_matter_to_the_page() -> None:
    """A link from anywhere leads to it."""
    assert client().get("/page", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
