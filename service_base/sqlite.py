"""SQLite's connections, made so that a task may be cancelled in the middle of a statement."""

import asyncio

import aiosqlite


def stop_once(connection: aiosqlite.Connection) -> None:
    """
    Let *connection* be stopped again while it stops.

    SQLAlchemy closes the connection of a cancelled task, and stops it if the task is cancelled
    once more. aiosqlite 0.22 then waits for the second of two stops, which its thread, ended by
    the first, never answers: the task stays, and the process that waits for it does not end.
    """
    stop = connection.stop
    stopping: list[asyncio.Future[None] | None] = []

    def once() -> asyncio.Future[None] | None:
        if not stopping:
            stopping.append(stop())
        return stopping[0]

    connection.stop = once  # type: ignore[method-assign]
