"""Observations travel from a call's process to the worker's by datagram."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from agent_worker.metrics import DATAGRAM_MAX_BYTES, Metrics, MetricsReceiver
from tests.support.local_stack import until


@pytest.fixture
async def receiver() -> AsyncIterator[MetricsReceiver]:
    opened = MetricsReceiver()
    await opened.start()
    yield opened
    opened.stop()
    await asyncio.sleep(0)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_observations_arrive_in_the_registry(receiver: MetricsReceiver) -> None:
    """Each kind of observation counts under its own name and labels."""
    names = [
        ("parley_calls_total", {"reason": "test"}),
        ("parley_call_duration_seconds_sum", {}),
        ("parley_turns_total", {"speaker": "test"}),
        ("parley_turn_part_seconds_sum", {"part": "test-part"}),
        ("parley_turn_part_seconds_count", {"part": "test-other"}),
        ("parley_tool_calls_total", {"tool": "test", "outcome": "done"}),
        ("parley_tool_duration_seconds_sum", {"tool": "test"}),
        ("parley_provider_errors_total", {"provider": "test", "cause": "error"}),
        ("parley_journal_entries_total", {}),
        ("parley_journal_append_seconds_sum", {}),
        ("parley_journal_lost_total", {}),
        ("parley_journal_rolled_back_total", {}),
        ("parley_journal_unhealthy_total", {}),
        ("parley_refusals_total", {"kind": "test", "reason": "test"}),
        ("parley_model_replies_total", {"by": "test"}),
        ("parley_reprompts_total", {"cause": "test"}),
    ]
    before = [value(name, **labels) for name, labels in names]
    metrics = Metrics(receiver.address)
    metrics.call_ended("test", 12.5)
    metrics.turn("test", {"test-part": 0.25, "test-other": 0.5})
    metrics.tool_call("test", "done", 0.75)
    metrics.provider_error("test")
    # The system queues ten datagrams.
    await until(
        lambda: value("parley_provider_errors_total", provider="test", cause="error") > before[7]
    )
    metrics.journal_append(3, 0.5)
    metrics.journal_lost()
    metrics.journal_rolled_back()
    metrics.journal_healthy(False)
    metrics.journal_healthy(True)
    metrics.refused("test", "test", 1_000)
    metrics.model_reply("test")
    metrics.reprompt("test")
    await until(lambda: value(names[-1][0], **names[-1][1]) > before[-1])
    gained = [
        value(name, **labels) - old for (name, labels), old in zip(names, before, strict=True)
    ]
    assert gained == pytest.approx([1, 12.5, 1, 0.25, 1, 1, 0.75, 1, 3, 0.5, 1, 1, 1, 1_000, 1, 1])
    metrics.close()


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"17",
        b"[]",
        b'["parley_unknown", [], 1]',
        b'[["parley_calls"], ["a"], 1]',
        b'["parley_calls", [], 1]',
        b'["parley_calls", ["a", "b"], 1]',
        b'["parley_calls", 5, 1]',
        b'["parley_calls", ["a"], "much"]',
        b'["parley_calls", ["a"], -1]',
        b'["parley_call_duration_seconds", ["a"], 1]',
        json.dumps(["parley_calls", ["a" * DATAGRAM_MAX_BYTES], 1]).encode(),
    ],
)
async def test_malformed_datagram_is_counted_and_nothing_else(
    receiver: MetricsReceiver, datagram: bytes
) -> None:
    """Whatever arrives on the socket, the worker goes on and says that it dropped something."""
    dropped, errors = (
        value("parley_metrics_dropped_total"),
        value("parley_turns_total", speaker="x"),
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(datagram, receiver.address)
    metrics = Metrics(receiver.address)
    metrics.turn("x", {})
    await until(lambda: value("parley_turns_total", speaker="x") == errors + 1)
    assert value("parley_metrics_dropped_total") == dropped + 1
    metrics.close()


async def test_sending_without_a_receiver_does_not_raise(tmp_path: Path) -> None:
    """A call goes on when the worker's process is gone, was never there, or wants no metrics."""
    gone = MetricsReceiver()
    await gone.start()
    gone.stop()
    for address in (gone.address, str(tmp_path / "nobody"), None):
        metrics = Metrics(address)
        metrics.reprompt("silence")
        metrics.close()
        metrics.reprompt("silence")
    await asyncio.sleep(0)


def test_sending_to_a_full_receiver_drops_and_does_not_block(tmp_path: Path) -> None:
    """A worker that does not read never makes a call wait."""
    address = str(tmp_path / "full")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(address)
        metrics = Metrics(address)
        for _ in range(2000):
            metrics.reprompt("silence")
        metrics.close()


async def test_stop_removes_the_socket() -> None:
    """Nothing is left on disk."""
    receiver = MetricsReceiver()
    await receiver.start()
    assert os.path.exists(receiver.address)
    receiver.stop()
    assert not os.path.exists(os.path.dirname(receiver.address))
    await asyncio.sleep(0)
