"""Rate limits, counted in memory."""

from typing import Any

import pytest
from starlette.requests import Request

from token_service.callers import Caller
from token_service.errors import RateLimited
from token_service.rate_limits import RateLimits
from token_service.settings import TokenSettings


def rate_limits(**settings: Any) -> RateLimits:
    return RateLimits(TokenSettings(_env_file=None, **settings))


NEW = Caller("caller-new", secret="s" * 43, is_new=True)


def from_address(host: str | None) -> Request:
    """A request from there."""
    client = None if host is None else (host, 1)
    return Request({"type": "http", "client": client, "headers": []})


async def test_address_that_asks_too_often_is_told_when_to_ask_again() -> None:
    """Others are not held up by it."""
    limited = rate_limits(token_rate_address=3)
    left = [(await limited.check_caller(from_address("192.0.2.1"), NEW)).left for _ in range(3)]
    assert left == [2, 1, 0]
    with pytest.raises(RateLimited) as refused:
        await limited.check_caller(from_address("192.0.2.1"), NEW)
    assert 1 <= (refused.value.retry_after_s or 0) <= 120
    assert refused.value.headers_of_limit["RateLimit-Policy"] == '"address";q=3;w=60'
    assert refused.value.headers_of_limit["RateLimit"].startswith('"address";r=0;t=')
    await limited.check_caller(from_address("192.0.2.2"), NEW)


async def test_everybody_together_is_limited_and_no_address_is_kept_beyond_that() -> None:
    """A crowd of addresses fills no memory."""
    limited = rate_limits(token_rate_all=5)
    refused = 0
    for number in range(200):
        try:
            await limited.check_caller(from_address(f"192.0.2.{number}"), NEW)
        except RateLimited as error:
            refused += 1
            assert error.headers_of_limit["RateLimit-Policy"] == '"address-all";q=5;w=60'
    assert refused == 195
    assert len(limited._memory.storage.storage) <= 6  # type: ignore[attr-defined]


async def test_caller_is_limited_within_its_tenant() -> None:
    """Wherever it asks from; nobody else is."""
    limited = rate_limits(token_rate_caller=1)
    office = from_address("192.0.2.1")
    await limited.check_caller(office, Caller("sam", "shop"))
    with pytest.raises(RateLimited):
        await limited.check_caller(from_address("192.0.2.2"), Caller("sam", "shop"))
    await limited.check_caller(office, Caller("sam", "bank"))
    await limited.check_caller(office, Caller("kim", "shop"))


async def test_who_is_signed_in_shares_no_limit_with_who_is_not() -> None:
    """Fifty in an office, and somebody there who tries keys and cookies without end."""
    limited = rate_limits(token_rate_address=2, token_rate_all=60)
    office = from_address("192.0.2.1")
    for count in (limited.count_failure(office), limited.count_failure(office)):
        await count
    for _ in range(3):
        with pytest.raises(RateLimited):
            await limited.count_failure(office)
    for _ in range(2):
        await limited.check_caller(office, NEW)
    with pytest.raises(RateLimited):
        await limited.check_caller(office, NEW)
    for number in range(50):
        await limited.check_caller(office, Caller(f"user-{number}", "shop"))
