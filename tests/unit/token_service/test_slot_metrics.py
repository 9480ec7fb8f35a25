"""The metrics of slots."""

import asyncio
import dataclasses
import math

import pytest
from prometheus_client import REGISTRY

from call_record import workers
from call_record.database import Database
from call_record.record import Record
from tests.support.calls import requested
from tests.support.local_stack import until
from token_service import slot_metrics


def shown() -> tuple[float | None, float | None]:
    """Free and used."""
    return (
        REGISTRY.get_sample_value("parley_slots_free"),
        REGISTRY.get_sample_value("parley_slots_used"),
    )


async def test_slots_are_shown_as_they_are_and_not_when_nobody_knows(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers' places less the calls; no number of an hour ago while the database is away."""
    monkeypatch.setattr(slot_metrics, "EVERY_S", 0.01)
    stopping = asyncio.Event()
    watching = asyncio.create_task(slot_metrics.watch(record, stopping))
    await requested(record, room=3)
    await until(lambda: shown() == (2, 1))
    await workers.register(record, "another", 4)
    await until(lambda: shown() == (6, 1))
    stopping.set()
    await watching
    nowhere = Database("sqlite+aiosqlite:////nowhere/parley.db")
    stopping.clear()
    watching = asyncio.create_task(
        slot_metrics.watch(dataclasses.replace(record, database=nowhere), stopping)
    )
    await until(lambda: all(math.isnan(value or 0) for value in shown()))
    stopping.set()
    await watching
    await nowhere.close()
