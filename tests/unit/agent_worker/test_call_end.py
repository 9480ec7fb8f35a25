"""A call's process tells the worker that its call has ended, and is sure that it was heard."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent_worker import call_end
from agent_worker.call_end import CallEndListener, tell_call_ended
from agent_worker.metrics import Metrics, MetricsReceiver


class Worker:
    """What a worker does with it: hears ends."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.listener = CallEndListener(self.ended.append)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    listening = Worker()
    await listening.listener.start()
    yield listening
    listening.listener.stop()
    await asyncio.sleep(0)


async def test_ended_call_is_known_when_the_teller_returns(worker: Worker) -> None:
    """The message is acknowledged: no time passes in which the worker does not know."""
    assert await tell_call_ended(worker.listener.address, "call-1")
    assert worker.ended == ["call-1"]


async def test_long_path_of_temporary_files_keeps_no_worker_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path has hardly more than a hundred bytes."""
    long = tmp_path / ("a" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    worker, receiver = Worker(), MetricsReceiver()
    await worker.listener.start()
    await receiver.start()
    assert await tell_call_ended(worker.listener.address, "call-1")
    for listening in (worker.listener, receiver):
        listening.stop()
        assert not os.path.exists(os.path.dirname(listening.address))
    assert list(long.iterdir()) == []
    await asyncio.sleep(0)


async def test_call_end_that_cannot_be_handled_is_logged_once_and_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The teller does not try again what would fail again; the next end is heard."""
    heard: list[str] = []

    def broken(call_id: str) -> None:
        heard.append(call_id)
        raise RuntimeError("a defect")

    listener = CallEndListener(broken)
    await listener.start()
    with capture_logs() as logs:
        assert await tell_call_ended(listener.address, "call-1")
        assert await tell_call_ended(listener.address, "call-2")
    assert heard == ["call-1", "call-2"]
    assert [(line["event"], line["log_level"], line["error"]) for line in logs] == [
        ("call_end.not_handled", "error", "RuntimeError")
    ] * 2
    listener.stop()
    await asyncio.sleep(0)


async def test_many_ends_together_are_all_heard(worker: Worker) -> None:
    """More calls end together than a datagram socket would hold."""
    calls = [f"call-{number}" for number in range(200)]
    told = await asyncio.gather(
        *(tell_call_ended(worker.listener.address, call_id) for call_id in calls)
    )
    assert all(told)
    assert sorted(worker.ended) == sorted(calls)


async def test_end_is_heard_when_the_metrics_are_lost(worker: Worker) -> None:
    """A metrics socket that is full or gone keeps no slot taken."""
    receiver = MetricsReceiver()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as never_read:
        never_read.bind(receiver.address)
        metrics = Metrics(receiver.address)
        for _ in range(2000):
            metrics.reprompt("silence")
        metrics.call_ended("agent", 1.0)
        assert await tell_call_ended(worker.listener.address, "call-1")
        metrics.close()
    receiver.stop()
    assert worker.ended == ["call-1"]


async def test_worker_that_listens_late_is_told(tmp_path: Path) -> None:
    """The teller tries again while nobody answers."""
    late = Worker()
    telling = asyncio.create_task(tell_call_ended(late.listener.address, "call-1"))
    await asyncio.sleep(call_end.TRY_EVERY_S / 2)
    assert not telling.done()
    await late.listener.start()
    assert await telling
    assert late.ended == ["call-1"]
    late.listener.stop()
    await asyncio.sleep(0)


async def test_worker_that_is_gone_holds_up_the_teller_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, or somebody accepts and never answers: the call's process goes on."""
    monkeypatch.setattr(call_end, "TELL_WITHIN_S", 0.2)
    assert not await tell_call_ended(str(tmp_path / "nobody"), "call-1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        deaf.listen()
        assert not await tell_call_ended(str(tmp_path / "deaf"), "call-1")


@pytest.mark.parametrize("message", [b"", b"call-1", b"\xff\n", b"a" * 1000 + b"\n"])
async def test_malformed_message_ends_no_call_and_the_listener_goes_on(
    worker: Worker, message: bytes
) -> None:
    """Cut off, not text, or too long: nothing is freed, and the next message is heard."""
    reader, writer = await asyncio.open_unix_connection(worker.listener.address)
    writer.write(message)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await tell_call_ended(worker.listener.address, "call-2")
    assert worker.ended == ["call-2"]


async def test_silent_connection_is_closed_after_a_bounded_time(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that connects and hangs does not keep a connection for ever."""
    monkeypatch.setattr(call_end, "READ_WITHIN_S", 0.05)
    reader, writer = await asyncio.open_unix_connection(worker.listener.address)
    assert await reader.read() == b""
    writer.close()


async def test_stop_removes_the_socket() -> None:
    """Nothing is left on disk."""
    listener = CallEndListener(lambda _: None)
    await listener.start()
    assert os.path.exists(listener.address)
    listener.stop()
    assert not os.path.exists(os.path.dirname(listener.address))
    await asyncio.sleep(0)
