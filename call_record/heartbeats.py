"""
Processes that show in a table that they are there.

Each counts up its `presence`; the others watch it (`call_record.stillness`) and mark it `gone` when
it stands still. No wall clock is compared.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Delete, Table, Update, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record.record import Record

P = TypeVar("P")


class Heartbeats(Generic[P]):
    """
    The processes of one table.

    Args:
        table: its primary key is the process's id; it has the columns `presence` and `gone`.
        made_of: makes a process of a row's columns.
    """

    def __init__(self, table: Table, made_of: Callable[..., P]) -> None:
        self._table = table
        self._made_of = made_of
        [self._id] = table.primary_key.columns

    async def register(self, record: Record, process_id: str, **more: Any) -> None:
        """A process starts, with these columns; whatever was known of it is forgotten."""
        row = {self._id.name: process_id, "presence": 1, "gone": False, **more}
        async with record.database.writing() as connection:
            await connection.execute(delete(self._table).where(self._id == process_id))
            await connection.execute(insert(self._table).values(**row))

    async def heartbeat(self, record: Record, process_id: str, **more: Any) -> bool:
        """
        The process is there, also if it was believed gone, and has these columns.

        Returns: False: it is not known, and must register.
        """
        presence = self._table.c.presence + 1
        return await self.change(record, process_id, presence=presence, gone=False, **more)

    async def mark_gone(self, record: Record, process_id: str, presence: int) -> bool:
        """
        The process was seen to stand still at *presence*.

        Returns: False: it has moved since, or is marked already.
        """
        still = update(self._table).where(
            self._id == process_id,
            self._table.c.presence == presence,
            self._table.c.gone.is_(False),
        )
        return await _changed(record, still.values(gone=True))

    async def leave(self, record: Record, process_id: str) -> bool:
        """The process stops. Returns: whether it was known."""
        return await _changed(record, delete(self._table).where(self._id == process_id))

    async def change(self, record: Record, process_id: str, **columns: Any) -> bool:
        """Set columns of a process. Returns: whether it is known."""
        statement = update(self._table).where(self._id == process_id)
        return await _changed(record, statement.values(**columns))

    async def read_all(self, record: Record) -> list[P]:
        """Every process that registered and did not leave, by id."""
        async with record.database.reading() as connection:
            return await self.select_all(connection)

    async def select_all(self, connection: AsyncConnection) -> list[P]:
        """As `read_all`, within the caller's transaction."""
        rows = await connection.execute(select(self._table).order_by(self._id))
        return [self._made_of(**row._mapping) for row in rows]

    async def forget_gone(self, connection: AsyncConnection) -> None:
        """Remove those that are gone. Within the caller's writing transaction."""
        await connection.execute(delete(self._table).where(self._table.c.gone.is_(True)))


async def _changed(record: Record, statement: Update | Delete) -> bool:
    async with record.database.writing() as connection:
        return bool((await connection.execute(statement)).rowcount)
