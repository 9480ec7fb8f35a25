"""The shop's agent, which takes more memory than a call may have, once in its folder."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent_worker.tools.tool import Caller
from examples.storefront.agent import AGENT as SHOP

HOARD_BYTES = 400_000_000
DONE = Path("hoarded")


@asynccontextmanager
async def _open(caller: Caller) -> AsyncIterator[tuple[object, ...]]:
    hoard = None
    if not DONE.exists():
        DONE.touch()
        hoard = bytearray(b"x") * HOARD_BYTES
    async with SHOP.open(caller) as resources:
        yield resources
    del hoard


AGENT = dataclasses.replace(SHOP, open=_open)
