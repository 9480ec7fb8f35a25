"""Workers: what they can take and whether they are there."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from call_record.record import Record
from call_record.tables import worker as workers


@dataclass(frozen=True)
class Worker:
    """A worker as it was read."""

    worker_id: str
    capacity: int
    presence: int
    """Counted up by the worker; standing still, it means that the worker is dead."""
    draining: bool
    gone: bool


async def register(record: Record, worker_id: str, capacity: int) -> None:
    """A worker starts, with room for *capacity* calls; whatever was known of it is forgotten."""
    async with record.database.writing() as connection:
        await connection.execute(delete(workers).where(workers.c.worker_id == worker_id))
        await connection.execute(
            insert(workers).values(
                worker_id=worker_id, capacity=capacity, presence=1, draining=False, gone=False
            )
        )


async def heartbeat(record: Record, worker_id: str) -> bool:
    """
    The worker is there, also if it was believed gone.

    Returns: False: it is not known, and must register.
    """
    return await _changed(
        record,
        update(workers)
        .where(workers.c.worker_id == worker_id)
        .values(presence=workers.c.presence + 1, gone=False),
    )


async def drain(record: Record, worker_id: str) -> bool:
    """The worker takes no more calls. Returns: whether it is known."""
    return await _changed(
        record, update(workers).where(workers.c.worker_id == worker_id).values(draining=True)
    )


async def mark_gone(record: Record, worker_id: str, presence: int) -> bool:
    """
    The worker was seen to stand still at *presence*, or says goodbye.

    Returns: False: it has moved since.
    """
    return await _changed(
        record,
        update(workers)
        .where(
            workers.c.worker_id == worker_id,
            workers.c.presence == presence,
            workers.c.gone.is_(False),
        )
        .values(gone=True),
    )


async def leave(record: Record, worker_id: str) -> bool:
    """The worker stops. Returns: whether it was known."""
    return await _changed(record, delete(workers).where(workers.c.worker_id == worker_id))


async def read_all(record: Record) -> list[Worker]:
    """Every worker that ever registered and did not leave."""
    async with record.database.reading() as connection:
        rows = await connection.execute(select(workers).order_by(workers.c.worker_id))
        return [Worker(**row._mapping) for row in rows]


async def _changed(record: Record, statement: Any) -> bool:
    async with record.database.writing() as connection:
        return bool((await connection.execute(statement)).rowcount)
