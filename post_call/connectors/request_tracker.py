"""
Tickets in Request Tracker 5, by its REST 2.0.

It knows no keys: it is asked for a ticket of that call before one is created.
"""

import httpx2 as httpx

from post_call.connectors import NewTicket
from post_call.http import TryAgain, send


class RequestTracker:
    """
    `Tickets`.

    Args: http: its base URL is that of RT, its headers authorize. queue: the queue's name.
    """

    name = "request-tracker"
    knows_keys = False

    def __init__(self, http: httpx.AsyncClient, queue: str) -> None:
        self._http = http
        self._queue = queue

    async def aclose(self) -> None:
        """No more tickets follow."""
        await self._http.aclose()

    async def open(self, ticket: NewTicket, key: str) -> str:
        """The call's id stands in the subject, by which the ticket is found again."""
        mark = f"call {ticket.call_id}"
        query = f"Queue = '{self._queue}' AND Subject LIKE '{mark}'"
        # A queue's name with a quote in it is not let through by the settings.
        found = await send(self._http, "GET", "REST/2.0/tickets", params={"query": query})
        try:
            items = found.json()["items"]
            if items:
                return str(items[0]["id"])
            body = {
                "Queue": self._queue,
                "Subject": f"{ticket.subject} ({mark})",
                "Content": ticket.text,
                "ContentType": "text/plain",
            }
            created = await send(self._http, "POST", "REST/2.0/ticket", json=body)
            return str(created.json()["id"])
        except (ValueError, LookupError, TypeError):
            raise TryAgain("the answer is not Request Tracker's", uncertain=True) from None
