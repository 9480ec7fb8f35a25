"""
Executors: the processes that do the work after calls, and whether they are there.

As with workers no wall clock is compared: each counts up its presence, the others watch it.
"""

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from call_record.record import Record
from call_record.tables import executor as executors


@dataclass(frozen=True)
class Executor:
    """An executor as it was read."""

    executor_id: str
    presence: int
    """Counted up by the executor; standing still, it means that the executor is dead."""
    gone: bool


async def register(record: Record, executor_id: str) -> None:
    """An executor starts; whatever was known of it is forgotten."""
    async with record.database.writing() as connection:
        await connection.execute(delete(executors).where(executors.c.executor_id == executor_id))
        await connection.execute(
            insert(executors).values(executor_id=executor_id, presence=1, gone=False)
        )


async def heartbeat(record: Record, executor_id: str) -> bool:
    """
    The executor is there, also if it was believed gone.

    Returns: False: it is not known, and must register.
    """
    statement = (
        update(executors)
        .where(executors.c.executor_id == executor_id)
        .values(presence=executors.c.presence + 1, gone=False)
    )
    async with record.database.writing() as connection:
        return bool((await connection.execute(statement)).rowcount)


async def mark_gone(record: Record, executor_id: str, presence: int) -> bool:
    """
    The executor was seen to stand still at *presence*.

    Returns: False: it has moved since.
    """
    statement = (
        update(executors)
        .where(
            executors.c.executor_id == executor_id,
            executors.c.presence == presence,
            executors.c.gone.is_(False),
        )
        .values(gone=True)
    )
    async with record.database.writing() as connection:
        return bool((await connection.execute(statement)).rowcount)


async def leave(record: Record, executor_id: str) -> None:
    """The executor stops, and its work is there for others to take."""
    async with record.database.writing() as connection:
        await connection.execute(delete(executors).where(executors.c.executor_id == executor_id))


async def read_all(record: Record) -> list[Executor]:
    """Every executor that ever registered and did not leave."""
    async with record.database.reading() as connection:
        rows = await connection.execute(select(executors).order_by(executors.c.executor_id))
        return [Executor(**row._mapping) for row in rows]
