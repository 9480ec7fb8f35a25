"""Executors: the processes that do the work after calls, and whether they are there."""

from dataclasses import dataclass

from call_record.heartbeats import Heartbeats
from call_record.tables import executor


@dataclass(frozen=True)
class Executor:
    """An executor as it was read."""

    executor_id: str
    presence: int
    """Counted up by the executor; standing still, it means that the executor is dead."""
    gone: bool


heartbeats = Heartbeats(executor, Executor)
register = heartbeats.register
heartbeat = heartbeats.heartbeat
mark_gone = heartbeats.mark_gone
leave = heartbeats.leave
read_all = heartbeats.read_all
