"""Workers: what they can take, whether they are there, and how a call is sent to them."""

from dataclasses import dataclass

from sqlalchemy import Update, update
from sqlalchemy.ext.asyncio import AsyncConnection

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
    deployment: str
    """What a job must name for the SFU to offer it to this worker; another one at each
    registration with the SFU."""
    suspect: bool
    """It did not take the last call that was sent to it."""

    @property
    def takes_calls(self) -> bool:
        """Whether calls may be sent to it."""
        return not self.gone and not self.draining


heartbeats = Heartbeats(worker, Worker)
mark_gone = heartbeats.mark_gone
leave = heartbeats.leave
read_all = heartbeats.read_all


async def register(record: Record, worker_id: str, capacity: int, deployment: str = "") -> None:
    """
    A worker has registered with the SFU, with room for *capacity* calls; whatever was known of it
    is forgotten.
    """
    await heartbeats.register(
        record,
        worker_id,
        capacity=capacity,
        draining=False,
        deployment=deployment,
        suspect=False,
    )


async def heartbeat(record: Record, worker_id: str, capacity: int | None = None) -> bool:
    """
    The worker is there, also if it was believed gone.

    Args: capacity: how many calls it takes from now on; None: as before.
    Returns: False: it is not known, and must register.
    """
    more = {} if capacity is None else {"capacity": capacity}
    return await heartbeats.heartbeat(record, worker_id, **more)


async def suspect(connection: AsyncConnection, worker_id: str) -> None:
    """A call that was sent to the worker was not taken. Within the caller's transaction."""
    await connection.execute(_set_suspect(worker_id, True))


async def trust(connection: AsyncConnection, worker_id: str) -> None:
    """The worker has taken a call. Within the caller's transaction."""
    await connection.execute(_set_suspect(worker_id, False))


def _set_suspect(worker_id: str, value: bool) -> Update:
    # Only where it changes: most claims write nothing here.
    changes = (worker.c.worker_id == worker_id) & worker.c.suspect.is_not(value)
    return update(worker).where(changes).values(suspect=value)
