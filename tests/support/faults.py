"""A database that breaks where a test wants it to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from call_record.database import Database

LOST_ANSWER: Literal["lost answer"] = "lost answer"
"""The commit happens; who asked for it is told that the connection broke."""
FaultPoint = int | Literal["lost answer"]


class Faults:
    """Closes a database's connection at a statement, without rollback, or after a commit."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine.sync_engine
        self._point: FaultPoint | None = None
        self._statements = 0
        self._stays_away = False
        self._away = False

    @contextmanager
    def at(self, point: FaultPoint | None, *, stays_away: bool = False) -> Iterator[None]:
        """
        Break once: before the statement of that number, counted from 0 with BEGIN, or after.

        Args: stays_away: from then on to the end of the block every statement fails.
        """
        self._point, self._statements = point, 0
        self._stays_away, self._away = stays_away, False
        event.listen(self._engine, "before_cursor_execute", self._statement)
        event.listen(self._engine, "commit", self._commit)
        try:
            yield
        finally:
            event.remove(self._engine, "before_cursor_execute", self._statement)
            event.remove(self._engine, "commit", self._commit)

    def _statement(self, connection: Connection, *_: Any) -> None:
        if self._away or self._statements == self._point:
            self._break(connection)
        self._statements += 1

    def _commit(self, connection: Connection) -> None:
        if self._point == LOST_ANSWER:
            connection.connection.commit()
            self._break(connection)

    def _break(self, connection: Connection) -> None:
        self._point = None
        self._away = self._stays_away
        connection.invalidate()
        raise OperationalError("", None, ConnectionError("broken by the test"))
