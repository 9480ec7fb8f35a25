"""Metrics of the workers' slots: how many are free, how many are used."""

import asyncio
import math
from contextlib import suppress

from prometheus_client import Gauge

from call_record import slots
from call_record.database import DATABASE_DOWN
from call_record.record import Record

EVERY_S = 5.0

FREE = Gauge("parley_slots_free", "Calls that workers could take now; NaN: not known")
USED = Gauge("parley_slots_used", "Calls that have or will need a worker's slot; NaN: not known")


async def watch(record: Record, stopping: asyncio.Event) -> None:
    """Keep the metrics up to date until *stopping*."""
    while not stopping.is_set():
        free = used = math.nan
        with suppress(*DATABASE_DOWN):
            now = await slots.read(record)
            free, used = now.free, now.used
        FREE.set(free)
        USED.set(used)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), EVERY_S)
