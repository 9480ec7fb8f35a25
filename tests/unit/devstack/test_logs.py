"""The processes' log files while the stack runs."""

import asyncio
from pathlib import Path

import pytest

from devstack import logs
from tests.support.local_stack import until


async def test_logs_grown_too_large_are_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack left running does not fill the disk, and its writer goes on at the start."""
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    monkeypatch.setattr(logs, "LOOK_EVERY_S", 0.01)
    shown: list[str] = []
    log = tmp_path / "a.log"
    with open(log, "ab", buffering=0) as writer:
        watcher = asyncio.create_task(logs.watch([log], shown.append))
        writer.write(b"x" * 1100 + b"\n")
        await until(lambda: log.stat().st_size == 0)
        writer.write(b"after\npart")
        await until(lambda: len(shown) == 2)
        watcher.cancel()
    assert log.read_bytes() == b"after\npart"
    assert shown == ["a | " + "x" * 1100, "a | after"]
