"""A caller who leaves without hanging up, and comes back: the whole stack, real WebRTC."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
from livekit import api

from call_record import journal
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from devstack.caller import joined
from tests.support.call_steps import calls_now, greeted
from tests.support.calls import the_call
from tests.support.local_stack import LocalStack
from tests.support.log_lines import loud
from voice_contract.journal import AgentTurnEnded, CallReturned, UserTurn
from voice_contract.limits import GRACE_S
from voice_contract.messages import CallEnded

STILL_HERE = "still here"


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser: it keeps its cookie."""
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


async def left(stack: LocalStack, browser: httpx.AsyncClient) -> str:
    """A call whose caller heard the greeting and left without a word. Returns: its id."""
    async with joined(stack.page_url, http=browser, hang_up=False) as caller:
        await greeted(caller)
        return caller.room.name


async def state(stack: LocalStack, call_id: str) -> CallState:
    """The call's state in the record."""
    async with stack.record() as record:
        return (await the_call(record, call_id)).state


async def test_caller_who_reloads_finds_the_same_call_and_conversation(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """Same room, what was said is shown again, the agent says that it is there, and answers."""
    async with joined(stack.page_url, http=browser, hang_up=False) as caller:
        await greeted(caller)
        await caller.send_text("Where is order eight?")
        await caller.agent_line(containing="Order 8 is on its way")
        call_id = caller.room.name
    await asyncio.sleep(2)
    view = (await browser.get(f"{stack.page_url}/api/calls/{call_id}")).json()
    assert view["state"] == "live"
    said = [line["text"] for line in view["transcript"] if line["speaker"] == "agent"]
    assert any("automated assistant" in text for text in said)
    assert any("Order 8 is on its way" in text for text in said)
    async with joined(stack.page_url, http=browser, call_id=call_id) as caller:
        assert caller.room.name == call_id
        await caller.agent_line(containing=STILL_HERE)
        await caller.send_text("Where is order seven?")
        await caller.agent_line(containing="Order 7 is on its way")
    async with stack.record() as record:
        entries = [one.entry for one in await journal.read(record, call_id)]
    assert CallReturned(another_device=False) in entries
    assert loud(stack, call_id) == []


async def test_hang_up_frees_the_slot_at_once_and_seals_the_journal(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """
    The record knows the end, nothing is left in the worker or the SFU; the journal tells
    the whole call and verifies.
    """
    async with asyncio.timeout(30):
        while await calls_now(stack):  # of other tests
            await asyncio.sleep(0.1)
    async with joined(stack.page_url, http=browser) as caller:
        await greeted(caller)
        await caller.send_text("Where is order eight?")
        await caller.agent_line(containing="Order 8 is on its way")
        call_id = caller.room.name
        assert await calls_now(stack) == 1
        await caller.hang_up()
        hung_up_at = time.monotonic()
        while await state(stack, call_id) is not CallState.ENDED:
            assert time.monotonic() < hung_up_at + 30
            await asyncio.sleep(0.02)
        print(f"ended {time.monotonic() - hung_up_at:.2f} s after the caller hung up")
        # Freed by a message before the room closes, while the call's process still ends.
        while await calls_now(stack):
            assert not caller.left.is_set()
            await asyncio.sleep(0.02)
        await asyncio.wait_for(caller.left.wait(), 30)
    async with api.LiveKitAPI(stack.sfu_url, stack.key.api_key, stack.key.secret) as sfu:
        assert not (await sfu.room.list_rooms(api.ListRoomsRequest(names=[call_id]))).rooms
    async with stack.record() as record:
        recorded = await journal.read(record, call_id)
        assert (await verify(record, call_id)).verdict is Verdict.INTACT
    kinds = [one.kind for one in recorded]
    # Whether the caller or the agent is there first is a race.
    assert sorted(kinds[:3]) == ["call.claimed", "call.joined", "call.requested"]
    assert kinds[-1] == "call.ended"
    assert "usage" in kinds
    entries = [one.entry for one in recorded]
    said = [(entry.text, entry.typed) for entry in entries if isinstance(entry, UserTurn)]
    assert said == [("Where is order eight?", True)]
    heard = [entry.heard for entry in entries if isinstance(entry, AgentTurnEnded)]
    assert any("Order 8 is on its way" in text for text in heard)
    again = await browser.post(f"{stack.page_url}/api/voice-token", json={"call_id": call_id})
    assert (again.status_code, again.json()["code"]) == (410, "call-ended")


async def test_stranger_with_the_id_of_a_call_gets_nothing(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """No token, no transcript, and no way to end it; as if there were no such call."""
    async with joined(stack.page_url, http=browser) as caller:
        await greeted(caller)
        call_id = caller.room.name
        async with httpx.AsyncClient(base_url=stack.page_url) as stranger:
            answers = [
                await stranger.post("/api/voice-token", json={"call_id": call_id}),
                await stranger.get(f"/api/calls/{call_id}"),
                await stranger.post(f"/api/calls/{call_id}/end"),
            ]
        assert [answer.json()["code"] for answer in answers] == ["call-not-found"] * 3
        assert await state(stack, call_id) is CallState.LIVE


@pytest.mark.long
async def test_caller_on_a_second_device_takes_the_call_over(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """The first device is out, the second hears the agent."""
    async with joined(stack.page_url, http=browser, hang_up=False) as first:
        await greeted(first)
        call_id = first.room.name
        async with joined(stack.page_url, http=browser, call_id=call_id) as second:
            await asyncio.wait_for(first.left.wait(), 30)
            await second.agent_line(containing=STILL_HERE)
            await second.send_text("Where is order eight?")
            await second.agent_line(containing="Order 8 is on its way")
    async with stack.record() as record:
        entries = [one.entry for one in await journal.read(record, call_id)]
    assert CallReturned(another_device=True) in entries


async def test_call_that_the_page_ends_over_http_ends(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """The fallback of a page that cannot reach the agent."""
    async with joined(stack.page_url, http=browser, hang_up=False) as caller:
        await greeted(caller)
        url = f"{stack.page_url}/api/calls/{caller.room.name}/end"
        assert (await browser.post(url)).status_code == 204
        await asyncio.wait_for(caller.left.wait(), 30)
        assert caller.messages == [CallEnded(reason="caller")]
        assert await state(stack, caller.room.name) is CallState.ENDED
        assert (await browser.post(url)).status_code == 204


@pytest.mark.long
async def test_caller_back_within_the_grace_time_finds_the_call(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """And the agent was silent meanwhile."""
    call_id = await left(stack, browser)
    await asyncio.sleep(GRACE_S - 8)
    async with joined(stack.page_url, http=browser, call_id=call_id) as caller:
        await caller.agent_line(containing=STILL_HERE)
        await caller.send_text("Where is order eight?")
        await caller.agent_line(containing="Order 8 is on its way")
    async with stack.record() as record:
        entries = [one.entry for one in await journal.read(record, call_id)]
    returned = entries.index(CallReturned(another_device=False))
    assert not [one for one in entries[4:returned] if getattr(one, "planned", None)]


@pytest.mark.long
async def test_caller_back_after_the_grace_time_is_told_that_it_has_ended(
    stack: LocalStack, browser: httpx.AsyncClient
) -> None:
    """Nothing is left to come back to."""
    call_id = await left(stack, browser)
    async with asyncio.timeout(GRACE_S + 60):
        while await state(stack, call_id) is not CallState.ENDED:
            await asyncio.sleep(0.5)
    answer = await browser.post(f"{stack.page_url}/api/voice-token", json={"call_id": call_id})
    assert (answer.status_code, answer.json()["code"]) == (410, "call-ended")
