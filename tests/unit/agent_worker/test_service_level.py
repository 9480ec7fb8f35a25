"""How many calls a worker offers."""

from structlog.testing import capture_logs

from agent_worker.service_level import (
    LAGS,
    TURNS,
    TURNS_MIN,
    WINDOW_S,
    ServiceLevel,
    default_capacity,
)
from tests.support.calls import FakeClock

CAPACITY = 5
BUDGET_S = 1.0


def level(clock: FakeClock | None = None, budget_s: float = BUDGET_S) -> ServiceLevel:
    return ServiceLevel(CAPACITY, budget_s, (clock or FakeClock()).boot_s)


def answers(service: ServiceLevel, latency_s: float, count: int = TURNS) -> None:
    for _ in range(count):
        service.answered(latency_s)


def test_worker_that_answers_in_time_offers_its_capacity() -> None:
    """Whatever it has."""
    service = level()
    answers(service, BUDGET_S)
    assert [service.offered(calls) for calls in (0, 3, CAPACITY)] == [CAPACITY] * 3


def test_worker_that_is_late_offers_no_more_than_it_has_but_one() -> None:
    """So that it finds out when it is well again."""
    service = level()
    answers(service, BUDGET_S + 0.1)
    assert [service.offered(calls) for calls in (0, 1, 3, 9)] == [1, 1, 3, CAPACITY]


def test_few_late_answers_say_nothing() -> None:
    """Nor do some among many that are in time."""
    service = level()
    answers(service, 60.0, TURNS_MIN - 1)
    assert service.offered(1) == CAPACITY
    answers(service, 0.5, TURNS)
    answers(service, 60.0, TURNS // 2 - 1)
    assert service.offered(1) == CAPACITY


def test_worker_is_back_only_when_it_is_well_within_its_budget() -> None:
    """Else it would swing; both changes are logged once."""
    service = level()
    with capture_logs() as logs:
        answers(service, BUDGET_S + 0.1)
        service.offered(3)
        answers(service, BUDGET_S - 0.1)
        assert service.offered(3) == 3
        answers(service, BUDGET_S / 2)
        assert service.offered(3) == CAPACITY
    assert [line["event"] for line in logs] == ["worker.late", "worker.in_time"]


def test_worker_without_calls_is_back_after_a_while() -> None:
    """Nobody is answered late any more."""
    clock = FakeClock()
    service = level(clock)
    answers(service, BUDGET_S + 0.1)
    assert service.offered(0) == 1
    clock.seconds += WINDOW_S + 1
    assert service.offered(0) == CAPACITY


def test_event_loop_that_lags_is_late_whatever_the_budget() -> None:
    """The machine is at its end; one pause is not that."""
    service = level(budget_s=0)
    answers(service, 60.0)
    service.lagged(9.0)
    for _ in range(LAGS - 1):
        service.lagged(0.01)
    assert service.offered(2) == CAPACITY
    for _ in range(LAGS):
        service.lagged(0.4)
    assert service.offered(2) == 2


def test_capacity_follows_the_cores() -> None:
    """Five for two; one at least, in however small a container."""
    assert [default_capacity(cores) for cores in (2, 0.1, 1, 8)] == [5, 1, 2, 20]
