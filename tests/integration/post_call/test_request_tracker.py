"""Tickets in a real Request Tracker, which knows no keys."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from call_record.follow_up import StepState
from devstack.step import StepError
from post_call.connectors import NewTicket
from post_call.connectors.request_tracker import RequestTracker
from post_call.http import Refused, client
from tests.integration.post_call.conftest import PostCallWorkplace
from tests.support import request_tracker
from tests.support.ended_calls import ORDER_STATUS, REFUND_UNKNOWN, ended

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[request_tracker.RequestTracker]:
    """Installed from Debian where we may."""
    try:
        request_tracker.get()
    except StepError as error:
        pytest.skip(str(error))
    folder: Path = tmp_path_factory.mktemp("rt")
    with request_tracker.running(folder) as started:
        yield started


def opened(tracker: request_tracker.RequestTracker, token: str = "") -> httpx.AsyncClient:
    headers = {"Authorization": f"token {token or tracker.token}"}
    return client(20, base_url=tracker.url, headers=headers, trust_env=False)


async def tickets(tracker: request_tracker.RequestTracker, call_id: str) -> list[dict[str, Any]]:
    """What Request Tracker itself finds for a call."""
    query = {"query": f"Subject LIKE '{call_id}'", "fields": "Subject,Queue,Status"}
    async with opened(tracker) as http:
        answer = await http.get("/REST/2.0/tickets", params=query)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_call_that_leaves_something_gets_one_ticket_through_kills(
    workplace: PostCallWorkplace, tracker: request_tracker.RequestTracker
) -> None:
    """Killed while the ticket is opened, three times; the one that needs none gets none."""
    workplace.variables |= {
        "PARLEY_POST_CALL_TICKETS": "request-tracker",
        "PARLEY_POST_CALL_RT_URL": tracker.url,
        "PARLEY_POST_CALL_RT_TOKEN": tracker.token,
        "PARLEY_POST_CALL_TIMEOUT_S": "20",
    }
    good = await ended(workplace.record, ORDER_STATUS)
    call_ids = [await ended(workplace.record, REFUND_UNKNOWN) for _ in range(3)]
    for moment_s in (0.3, 0.6, 0.9):
        process = workplace.start()
        await workplace.ready()
        await asyncio.sleep(moment_s)
        process.kill()
        process.join()
    workplace.start()
    await workplace.settled(good, *call_ids, timeout_s=90)
    assert await tickets(tracker, good) == []
    for call_id in call_ids:
        [ticket] = await tickets(tracker, call_id)
        step = (await workplace.steps(call_id))["ticket"]
        assert (step.state, step.external_id) == (StepState.DONE, str(ticket["id"]))
        assert ticket["Subject"] == f"refund order (order number 3) unknown (call {call_id})"
        assert ticket["Status"] == "new"
        assert "may or may not have been done" in await text(tracker, ticket["id"])


async def text(tracker: request_tracker.RequestTracker, number: str) -> str:
    """What stands in a ticket."""
    async with opened(tracker) as http:
        found = await http.get(f"/REST/2.0/ticket/{number}/attachments")
        parts = [
            (await http.get(f"/REST/2.0/attachment/{one['id']}")).json()["Content"]
            for one in found.json()["items"]
        ]
    return "\n".join(base64.b64decode(part).decode() for part in parts)


async def test_ticket_opened_before_is_found_by_its_call(
    tracker: request_tracker.RequestTracker,
) -> None:
    """Whatever it is called by now."""
    async with opened(tracker) as http:
        connector = RequestTracker(http, "General")
        first = await connector.open(NewTicket("0197-aa", "A dent", "In the frame."), "k")
        again = await connector.open(NewTicket("0197-aa", "Another text", "More."), "k")
    assert first == again
    assert len(await tickets(tracker, "0197-aa")) == 1


async def test_wrong_token_or_queue_is_refused(tracker: request_tracker.RequestTracker) -> None:
    """A person must look at that."""
    ticket = NewTicket("0197-bb", "A dent", "In the frame.")
    async with opened(tracker, "1-14-wrong") as http:
        with pytest.raises(Refused, match="HTTP 401"):
            await RequestTracker(http, "General").open(ticket, "k")
    async with opened(tracker) as http:
        with pytest.raises(Refused, match="HTTP 4"):
            await RequestTracker(http, "No such queue").open(ticket, "k")
