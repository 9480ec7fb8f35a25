"""What is refused is counted; the log and the metrics get sums."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent_worker.metrics import Metrics
from agent_worker.refusals import SUM_EVERY_S, Refusals

pytestmark = pytest.mark.usefixtures("virtual_time")


class Counted(Metrics):
    """Metrics that keep what is sent."""

    def __init__(self) -> None:
        super().__init__(None)
        self.sent: list[tuple[str, str, int]] = []

    def refused(self, kind: str, reason: str, count: int) -> None:
        self.sent.append((kind, reason, count))


def sums(logs: list[Any]) -> list[tuple[str, str, int]]:
    """What was logged."""
    assert {log["event"] for log in logs} <= {"call.input_refused"}
    return [(log["kind"], log["reason"], log["count"]) for log in logs]


async def test_million_refusals_are_a_few_lines_and_every_one_is_counted() -> None:
    """The first of a kind at once, the others as a sum each minute and at the end."""
    metrics = Counted()
    refusals = Refusals(metrics)
    with capture_logs() as logs:
        for _ in range(500_000):
            refusals.add("text", "too-many")
        refusals.add("rpc", "stranger")
        assert sums(logs) == [("text", "too-many", 1), ("rpc", "stranger", 1)]
        await asyncio.sleep(SUM_EVERY_S + 1)
        assert sums(logs)[2:] == [("text", "too-many", 499_999)]
        for _ in range(500_000):
            refusals.add("text", "too-many")
        refusals.add("rpc", "stranger")
        refusals.sum_up()
        assert sums(logs)[3:] == [("text", "too-many", 500_000), ("rpc", "stranger", 1)]
    assert metrics.sent == sums(logs)


async def test_nothing_more_is_logged_when_nothing_more_is_refused() -> None:
    """No timer goes on, and the end has nothing to add."""
    refusals = Refusals(Metrics(None))
    with capture_logs() as logs:
        refusals.add("stream", "nobody-reads")
        await asyncio.sleep(3 * SUM_EVERY_S)
        refusals.sum_up()
    assert sums(logs) == [("stream", "nobody-reads", 1)]


async def test_flood_of_an_hour_is_a_line_a_minute() -> None:
    """Of each kind and reason."""
    refusals = Refusals(Metrics(None))
    with capture_logs() as logs:
        for _ in range(3600):
            refusals.add("rpc", "too-many")
            await asyncio.sleep(1)
        refusals.sum_up()
    assert 55 <= len(logs) <= 65
    assert sum(count for _, _, count in sums(logs)) == 3600
