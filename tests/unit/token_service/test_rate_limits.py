"""Rate limits, counted in memory."""

from typing import Any

import pytest
from starlette.requests import Request

from token_service.callers import Caller
from token_service.errors import RateLimited
from token_service.rate_limits import RateLimits, address_of
from token_service.settings import TokenSettings


def rate_limits(**settings: Any) -> RateLimits:
    return RateLimits(TokenSettings(_env_file=None, **settings))


def from_address(host: str | None) -> Request:
    """A request from there."""
    client = None if host is None else (host, 1)
    return Request({"type": "http", "client": client, "headers": []})


async def test_address_that_asks_too_often_is_told_when_to_ask_again() -> None:
    """Others are not held up by it."""
    limited = rate_limits(token_rate_address=3)
    left = [(await limited.check_address(from_address("192.0.2.1"))).left for _ in range(3)]
    assert left == [2, 1, 0]
    with pytest.raises(RateLimited) as refused:
        await limited.check_address(from_address("192.0.2.1"))
    assert 1 <= (refused.value.retry_after_s or 0) <= 120
    assert refused.value.headers_of_limit["RateLimit-Policy"] == '"address";q=3;w=60'
    assert refused.value.headers_of_limit["RateLimit"].startswith('"address";r=0;t=')
    await limited.check_address(from_address("192.0.2.2"))


async def test_everybody_together_is_limited_and_no_address_is_kept_beyond_that() -> None:
    """A crowd of addresses fills no memory."""
    limited = rate_limits(token_rate_all=5)
    refused = 0
    for number in range(200):
        try:
            await limited.check_address(from_address(f"192.0.2.{number}"))
        except RateLimited as error:
            refused += 1
            assert error.headers_of_limit["RateLimit-Policy"] == '"all";q=5;w=60'
    assert refused == 195
    assert len(limited._memory.storage.storage) <= 6  # type: ignore[attr-defined]


async def test_caller_is_limited_within_its_tenant() -> None:
    """Wherever it asks from; nobody else is."""
    limited = rate_limits(token_rate_caller=1)
    await limited.check_caller(Caller("sam", "shop"))
    with pytest.raises(RateLimited):
        await limited.check_caller(Caller("sam", "shop"))
    await limited.check_caller(Caller("sam", "bank"))
    await limited.check_caller(Caller("kim", "shop"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("a" * 500, "a" * 64),
        (None, ""),
    ],
)
def test_address_of_ipv6_is_the_network_of_a_customer(host: str | None, address: str) -> None:
    """Whoever has one has 2^64 addresses."""
    assert address_of(from_address(host)) == address
