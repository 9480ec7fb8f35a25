"""Rate limits that several token services count together, in a real Redis."""

import signal
import time
from collections.abc import Callable, Iterator
from subprocess import Popen

import pytest
from prometheus_client import REGISTRY
from starlette.requests import Request
from structlog.testing import capture_logs

from devstack import redis
from tests.support.calls import FakeClock
from tests.support.local_stack import free_ports
from token_service.callers import Caller
from token_service.errors import RateLimited, RecordUnavailable
from token_service.rate_limits import REDIS_PAUSE_S, RateLimits
from token_service.settings import TokenSettings

ASKED = Request({"type": "http", "client": ("192.0.2.1", 1), "headers": []})
NEW = Caller("caller-new", secret="s" * 43, is_new=True)


@pytest.fixture
def port() -> int:
    """Where Redis is, or would be."""
    return free_ports(1)[0]


@pytest.fixture
def server(port: int) -> Iterator["Popen[bytes]"]:
    """Redis."""
    with redis.running(port) as process:
        yield process


def rate_limits(
    port: int, without_redis: str = "memory", clock: Callable[[], float] = time.monotonic
) -> RateLimits:
    """Three requests a minute."""
    return RateLimits(
        TokenSettings(
            _env_file=None,
            token_rate_address=3,
            token_rate_redis_url=f"redis://127.0.0.1:{port}",
            token_rate_without_redis=without_redis,
        ),
        clock,
    )


async def admitted(limits: RateLimits, times: int) -> int:
    """How many of so many requests are let through."""
    passed = 0
    for _ in range(times):
        try:
            await limits.check_caller(ASKED, NEW)
            passed += 1
        except RateLimited as error:
            assert 1 <= (error.retry_after_s or 0) <= 120
    return passed


async def test_redis_counts_for_all_services_together(server: "Popen[bytes]", port: int) -> None:
    """What one lets through, the other counts."""
    one, other = rate_limits(port), rate_limits(port)
    assert [await admitted(one, 2), await admitted(other, 2), await admitted(one, 2)] == [2, 1, 0]
    await one.close()
    await other.close()


@pytest.mark.parametrize(("choice", "passed"), [("memory", 3), ("allow", 9), ("refuse", 0)])
async def test_redis_that_is_away_is_done_without_as_is_set(
    port: int, choice: str, passed: int
) -> None:
    """By default each service counts its own: a limit stays a limit. Each time is counted."""
    before = REGISTRY.get_sample_value("parley_token_rate_redis_errors_total") or 0
    limits = rate_limits(port, choice)
    if choice == "refuse":
        with pytest.raises(RecordUnavailable):
            await admitted(limits, 1)
    else:
        assert await admitted(limits, 9) == passed
    assert (REGISTRY.get_sample_value("parley_token_rate_redis_errors_total") or 0) > before
    await limits.close()


async def test_redis_that_does_not_answer_is_waited_for_once(
    server: "Popen[bytes]", port: int
) -> None:
    """Not by every caller; and it counts again when it is back."""
    clock = FakeClock()
    limits = rate_limits(port, clock=clock.boot_s)
    assert await admitted(limits, 1) == 1
    server.send_signal(signal.SIGSTOP)
    try:
        with capture_logs() as events:
            assert await admitted(limits, 9) == 3, "counted in memory from here on"
        assert [event["event"] for event in events] == ["redis.failed"]
    finally:
        server.send_signal(signal.SIGCONT)
    clock.seconds += REDIS_PAUSE_S
    counted = REGISTRY.get_sample_value("parley_token_rate_redis_errors_total")
    assert await admitted(limits, 9) <= 2
    assert REGISTRY.get_sample_value("parley_token_rate_redis_errors_total") == counted
    await limits.close()
