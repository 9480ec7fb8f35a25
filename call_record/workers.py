"""Workers: what they can take and whether they are there."""

from dataclasses import dataclass

from call_record.heartbeats import Heartbeats
from call_record.record import Record
from call_record.tables import worker


@dataclass(frozen=True)
class Worker:
    """A worker as it was read."""

    worker_id: str
    capacity: int
    presence: int
    """Counted up by the worker; standing still, it means that the worker is dead."""
    draining: bool
    gone: bool


heartbeats = Heartbeats(worker, Worker)
heartbeat = heartbeats.heartbeat
mark_gone = heartbeats.mark_gone
leave = heartbeats.leave
read_all = heartbeats.read_all


async def register(record: Record, worker_id: str, capacity: int) -> None:
    """A worker starts, with room for *capacity* calls; whatever was known of it is forgotten."""
    await heartbeats.register(record, worker_id, capacity=capacity, draining=False)


async def drain(record: Record, worker_id: str) -> bool:
    """The worker takes no more calls. Returns: whether it is known."""
    return await heartbeats.change(record, worker_id, draining=True)
