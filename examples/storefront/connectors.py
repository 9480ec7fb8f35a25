"""The shop's CRM and tickets, for the work after calls. They know keys, and find by external id."""

from typing import Any, Self

import httpx2 as httpx

from examples.storefront.address import ShopClientSettings
from examples.storefront.customers import customer_id
from post_call.connectors import NewTicket, Report
from post_call.http import Refused, TryAgain, client, send
from service_base.settings import load

CONFLICT = 409
KEY_REUSED = 422


class _Connector:
    """
    What both share.

    Args: http: its base URL is the shop's, its headers open it.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @classmethod
    def connect(cls, timeout_s: float) -> Self:
        """Raises: SettingsError."""
        shop = load(ShopClientSettings)
        return cls(client(timeout_s, base_url=shop.storefront_url, headers=shop.headers))

    async def aclose(self) -> None:
        """No more requests follow."""
        await self._http.aclose()


class StorefrontCrm(_Connector):
    """A `Crm`."""

    name = "storefront-crm"

    async def log_call(self, report: Report, key: str) -> str:
        """The contact's external id is the shop's id for the caller, the activity's the call's."""
        contact = await self._contact(report, f"{key}:contact")
        activity = await _create(
            self._http,
            f"/v1/contacts/{contact}/activities",
            key,
            report.call_id,
            "/v1/activities",
            {
                "external_id": report.call_id,
                "kind": "call",
                "at": report.started_at.isoformat(),
                "outcome": report.summary.outcome,
                "text": report.summary.text[:8_000],
            },
        )
        return str(activity["id"])

    async def _contact(self, report: Report, key: str) -> int:
        external_id = customer_id(report.caller, report.tenant)
        found = await _find(self._http, "/v1/contacts", external_id)
        if found is None:
            body = {"external_id": external_id, "name": report.display_name or ""}
            found = await _create(
                self._http, "/v1/contacts", key, report.call_id, "/v1/contacts", body
            )
        number: int = found["id"]
        return number


class StorefrontTickets(_Connector):
    """`Tickets`."""

    name = "storefront-tickets"
    knows_keys = True

    async def open(self, ticket: NewTicket, key: str) -> str:
        """The ticket's external id is the call's id."""
        body = {
            "external_id": ticket.call_id,
            "subject": ticket.subject,
            "text": ticket.text,
        }
        opened = await _create(self._http, "/v1/tickets", key, ticket.call_id, "/v1/tickets", body)
        return str(opened["number"])


async def _create(
    http: httpx.AsyncClient, path: str, key: str, call_id: str, find: str, body: dict[str, Any]
) -> dict[str, Any]:
    headers = {"Idempotency-Key": key, "X-Call-Id": call_id}
    allow = frozenset({CONFLICT, KEY_REUSED})
    response = await send(http, "POST", path, json=body, headers=headers, allow=allow)
    if response.is_success:
        return _object(response)
    # Created by another process, or with the same key before a change of the text.
    found = await _find(http, find, body["external_id"])
    if found is None:
        raise Refused(f"HTTP {response.status_code}")
    return found


async def _find(http: httpx.AsyncClient, path: str, external_id: str) -> dict[str, Any] | None:
    """The thing of that external id, from an answer of one list."""
    response = await send(http, "GET", path, params={"external_id": external_id})
    found = next(iter(_object(response).values()))
    return found[0] if found else None


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not body:
        # A proxy's page with status 200, say.
        raise TryAgain("the answer is not the shop's", uncertain=True)
    return body
