"""The agent's side of the clinic's HTTP API."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import httpx2 as httpx

from agent_worker.tools.tool import Caller
from examples.backend_base.client import BackendClient
from examples.clinic.address import ClinicClientSettings
from service_base.settings import load

TIMEOUT_S = 4.0
# Read once: reading it would hold up the first words of each call.
_TLS = ssl.create_default_context()


class ClinicClient(BackendClient):
    """Asks the clinic during one call."""

    async def today(self) -> date:
        """
        The day that it is at the clinic.

        Raises: as `get`.
        """
        return date.fromisoformat((await self.get("/v1/practice"))["today"])


@asynccontextmanager
async def open_clinic(caller: Caller) -> AsyncIterator[tuple[object, ...]]:
    """What the tools need for a call of *caller*."""
    settings = load(ClinicClientSettings)
    async with httpx.AsyncClient(
        base_url=settings.clinic_url,
        headers={"X-Call-Id": caller.call_id, **settings.headers},
        timeout=TIMEOUT_S,
        verify=_TLS,
    ) as http:
        yield (ClinicClient(http),)
