"""What comes of a real call: asked for by its caller's browser, and by nobody else's."""

import asyncio
import time

import httpx2 as httpx

from devstack.caller import joined
from tests.support.call_steps import greeted, ledger
from tests.support.local_stack import LocalStack
from voice_contract.follow_up import FollowUp


async def test_caller_who_hung_up_sees_what_came_of_the_call(stack: LocalStack) -> None:
    """Within seconds, from the journal that the agent wrote; the CRM has the call once."""
    async with httpx.AsyncClient(timeout=10) as browser, httpx.AsyncClient() as stranger:
        async with joined(stack.page_url, http=browser) as caller:
            await greeted(caller)
            await caller.send_text("Where is order eight?")
            await caller.agent_line(containing="Order 8 is on its way")
            call_id = caller.room.name
        ended_s = time.monotonic()
        url = f"{stack.page_url}/api/calls/{call_id}/follow-up"
        async with asyncio.timeout(60):
            while True:
                found = FollowUp.model_validate_json((await browser.get(url)).content)
                if found.state != "waiting":
                    break
                await asyncio.sleep(0.1)
        print(f"ready after {time.monotonic() - ended_s:.1f} s: {found}")
        assert found.state == "ready" and found.summary is not None
        assert found.summary.outcome == "resolved"
        assert any("Order 8 is on its way" in line for line in found.summary.done)
        assert (found.ticket, found.action_items) == (None, [])
        assert (await stranger.get(url)).status_code in (401, 404)
        async with asyncio.timeout(60):
            while True:
                effects = (await ledger(stack, call_id))["effects"]
                kinds = [effect["kind"] for effect in effects]
                if "activity.logged" in kinds:
                    break
                await asyncio.sleep(0.1)
    assert kinds == ["contact.created", "activity.logged"]
