"""An agent's side of a backend's HTTP API."""

from typing import Any

import httpx2 as httpx

from agent_worker.tools.tool import BackendUnavailable, IdempotencyKey, ToolRefused

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TRY_LATER = (429, 503)


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
