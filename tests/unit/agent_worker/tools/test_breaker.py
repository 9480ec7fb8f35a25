"""The circuit breaker."""

import pytest

from agent_worker.tools.breaker import FAILURES, OPEN_S, Breaker
from tests.support.calls import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def opened(clock: FakeClock) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.enter()
        breaker.failed()
    return breaker


def test_breaker_opens_after_failures_in_a_row_only(clock: FakeClock) -> None:
    """One answer in between resets the count."""
    breaker = Breaker(clock)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed()
        breaker.succeeded()
    assert breaker.enter()
    assert not opened(clock).enter()


def test_breaker_lets_one_probe_through_when_half_open(clock: FakeClock) -> None:
    """Of twenty tries at the same time, nineteen are told to wait."""
    breaker = opened(clock)
    clock.seconds += OPEN_S
    assert [breaker.enter() for _ in range(20)].count(True) == 1
    breaker.succeeded()
    assert all(breaker.enter() for _ in range(20))


def test_breaker_opens_again_when_the_probe_fails(clock: FakeClock) -> None:
    """For the whole time again."""
    breaker = opened(clock)
    clock.seconds += OPEN_S
    assert breaker.enter()
    breaker.failed()
    clock.seconds += OPEN_S - 0.1
    assert not breaker.lets_through
    clock.seconds += 0.2
    assert breaker.lets_through


def test_breaker_learns_nothing_from_a_probe_that_was_cancelled(clock: FakeClock) -> None:
    """A barge-in is no failure of the backend: the next call probes."""
    breaker = opened(clock)
    clock.seconds += OPEN_S
    assert breaker.enter()
    breaker.cancelled()
    assert breaker.enter()
    fresh = Breaker(clock)
    for _ in range(FAILURES * 2):
        assert fresh.enter()
        fresh.cancelled()
    assert fresh.enter()
