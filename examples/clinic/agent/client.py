"""The agent's side of the clinic's HTTP API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import httpx2 as httpx
from pydantic import JsonValue

from agent_worker.reasoning.known_values import KnownValues
from agent_worker.tools.tool import BackendUnavailable, Caller, ToolRefused
from examples.backend_base.client import BackendClient, BackendLedger, connect, start_over
from examples.clinic.address import ClinicClientSettings
from service_base.settings import load
from voice_contract.tokens import ANONYMOUS_PREFIX

WHO_TIMEOUT_S = 1.0
"""The call waits for it."""


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
    """What the tools need for a call of *caller*, and who that is, where they have signed in."""
    async with _connect(caller, load(ClinicClientSettings)) as http:
        clinic = ClinicClient(http)
        yield (clinic, KnownValues(await _who(clinic) if _identity(caller) else {}))


@asynccontextmanager
async def open_rehearsal(caller: Caller) -> AsyncIterator[tuple[object, ...]]:
    """
    The same for a rehearsal: the clinic has its demo data as on the first day.

    Raises: RuntimeError: the clinic does not answer, or does not let its data be erased.
    """
    settings = load(ClinicClientSettings)
    async with _connect(caller, settings) as http:
        await start_over(http, f"the clinic at {settings.clinic_url}")
    async with open_clinic(caller) as (clinic, known):
        assert isinstance(clinic, ClinicClient)
        yield (clinic, known, BackendLedger(clinic, caller.call_id))


def _connect(caller: Caller, settings: ClinicClientSettings) -> httpx.AsyncClient:
    headers = {**_identity(caller), **settings.headers}
    return connect(settings.clinic_url, caller.call_id, headers)


def _identity(caller: Caller) -> dict[str, str]:
    """The header that names the patient; none of a caller who did not sign in."""
    if caller.identity.startswith(ANONYMOUS_PREFIX):
        return {}
    # Names have no `#` in them, so callers of two tenants never share one.
    identity = f"{caller.tenant}#{caller.identity}" if caller.tenant else caller.identity
    return {"X-Patient-Identity": identity}


async def _who(clinic: ClinicClient) -> dict[str, JsonValue]:
    """The patient's name, number and mail address; what the clinic does not know is asked for."""
    try:
        async with asyncio.timeout(WHO_TIMEOUT_S):
            patient = await clinic.get("/v1/me")
    except (ToolRefused, BackendUnavailable, httpx.HTTPError, TimeoutError):
        return {}
    return {slot: value for slot, value in patient.items() if value is not None}
