"""An agent's side of a backend's HTTP API."""

import ssl
from collections.abc import Mapping
from typing import Any

import httpx2 as httpx

from agent_worker.rehearsal.ledger import Ledger
from agent_worker.tools.tool import BackendUnavailable, IdempotencyKey, ToolRefused

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TRY_LATER = (429, 503)
TIMEOUT_S = 4.0
# Read once: reading it would hold up the first words of each call.
_TLS = ssl.create_default_context()


class BackendClient:
    """Asks a backend on behalf of one caller."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """
        `GET path`.

        Raises: ToolRefused: the backend said no, with its reason.
            BackendUnavailable: it did not answer.
            httpx2.HTTPStatusError: it did not understand.
        """
        try:
            return self._body(await self._http.get(path, params=query))
        except httpx.TransportError as error:
            raise BackendUnavailable from error

    async def post(self, path: str, key: IdempotencyKey, **body: Any) -> dict[str, Any]:
        """
        `POST path`; a repetition with the same *key* does nothing new.

        Raises: as `get`; TimeoutError: the backend may have done it, or not.
        """
        try:
            response = await self._http.post(path, json=body, headers={"Idempotency-Key": key})
        except NOT_SENT as error:
            raise BackendUnavailable from error
        except httpx.TransportError as error:
            raise TimeoutError from error
        return self._body(response, keyed=True)

    @staticmethod
    def _body(response: httpx.Response, *, keyed: bool = False) -> dict[str, Any]:
        if response.status_code in TRY_LATER:
            after_s = response.headers.get("Retry-After", "")
            raise BackendUnavailable(retry_after_s=float(after_s) if after_s.isdecimal() else None)
        body: dict[str, Any] = response.json()
        if response.status_code in (403, 404, 409):
            # It remembers what it answered to a key, a refusal too; not that it knows nobody.
            settles = keyed and response.status_code != 403
            raise ToolRefused(body["detail"], settles=settles)
        response.raise_for_status()
        return body


class BackendLedger(Ledger):
    """What a backend has done in one call, as its own ledger says."""

    def __init__(self, backend: BackendClient, call_id: str) -> None:
        self._backend = backend
        self._call_id = call_id

    async def effects(self) -> list[str]:
        found = (await self._backend.get("/v1/ledger", call_id=self._call_id))["effects"]
        return [f"{one['kind']} {one['subject']}" for one in found]


def connect(url: str, call_id: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """A connection to the backend at *url*, during that call."""
    return httpx.AsyncClient(
        base_url=url,
        headers={"X-Call-Id": call_id, **headers},
        timeout=TIMEOUT_S,
        verify=_TLS,
    )


async def start_over(http: httpx.AsyncClient, where: str) -> None:
    """
    Have a backend's data be the demo data as on the first day, for a rehearsal.

    Args: where: Which backend it is, for the error: "the shop at http://127.0.0.1:8083".
    Raises: RuntimeError: it does not answer, or does not let its data be erased.
    """
    try:
        response = await http.post("/v1/reset")
    except httpx.TransportError as error:
        raise RuntimeError(f"{where} does not answer") from error
    if response.status_code == 404:
        raise RuntimeError(
            f"{where} keeps its data, and a rehearsal would change them: start a demonstration "
            "with --allow-reset, as `make run` does"
        )
    if not response.is_success:
        raise RuntimeError(f"{where} was not reset: {response.json()['detail']}")
