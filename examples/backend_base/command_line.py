"""What `python -m examples.NAME.backend [--reset] [--allow-reset]` does in each example."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from examples.backend_base.database import Database
from service_base.settings import or_exit


@dataclass(frozen=True)
class Options:
    """What was chosen."""

    reset: bool
    """Erase all data and seed it before serving."""
    allow_reset: bool
    """Let a client have that done while it serves."""


def options(name: str) -> Options:
    """Those on the command line of the backend of that name."""
    parser = argparse.ArgumentParser(prog=f"python -m examples.{name}.backend")
    parser.add_argument("--reset", action="store_true", help="erase all data, seed it, and serve")
    parser.add_argument(
        "--allow-reset",
        action="store_true",
        help="let rehearsals do that while it serves: only for a demonstration",
    )
    chosen = parser.parse_args()
    return Options(chosen.reset, chosen.allow_reset)


def prepare_first(database: Database, prepare: Callable[[], Awaitable[None]]) -> None:
    """*prepare*, and leave no connection that belongs to its event loop; exit if it cannot."""

    async def ready() -> None:
        try:
            await prepare()
        finally:
            await database.close()

    with or_exit():
        asyncio.run(ready())
