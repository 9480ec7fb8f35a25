"""The page alone, in a real browser: a real SFU, a scripted agent, canned answers."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.browser import ended, heard_hz, in_phase, opened, said
from tests.canned_service import CannedService, canned_service
from tests.local_stack import LocalStack, until
from tests.scripted_agent import in_the_room, say_room_state
from voice_contract.tokens import TranscriptLine


@pytest.fixture
async def service(sfu: LocalStack) -> AsyncIterator[CannedService]:
    """A token service that admits everyone."""
    async with canned_service(sfu) as started:
        yield started


@pytest.fixture
async def page(service: CannedService) -> AsyncIterator[Page]:
    """The page, before a call."""
    async with opened(service.url) as started:
        yield started


def near(pitches: list[int], hz: int) -> bool:
    """Whether there is one tone alone, *hz* high."""
    return bool(pitches) and all(abs(pitch - hz) < 60 for pitch in pitches)


async def test_page_while_agents_change_tells_it_and_plays_one_of_them(
    service: CannedService, page: Page
) -> None:
    """The servers' word is shown within a second; an agent that was replaced is not heard."""
    await page.get_by_test_id("call").click()
    async with in_the_room(service, pitch_hz=440) as first:
        await in_phase(page, "in-call")
        await expect(page.locator("audio")).to_have_count(1)
        assert near(await heard_hz(page), 440)
        await say_room_state(service, 2, "recovering")
        status = page.get_by_test_id("status")
        await expect(status).to_have_text("One moment, reconnecting you…", timeout=1_000)
        await expect(page.locator("audio")).to_have_count(0)
        await first.say("I do not know yet that I was replaced.")
        async with in_the_room(service, attempt=2, pitch_hz=1_500) as second:
            await expect(status).to_have_text("The assistant is back", timeout=5_000)
            await second.say("I am back.")
            await expect(said(page, "agent", "I am back.")).to_be_visible()
            await expect(said(page, "agent", "replaced")).to_have_count(0)
            await expect(page.locator("audio")).to_have_count(1)
            assert near(await heard_hz(page), 1_500)
            await say_room_state(service, 2, "ending")
            await expect(status).to_have_text("The call is ending…", timeout=1_000)


async def test_page_after_a_reload_is_back_in_its_call(service: CannedService, page: Page) -> None:
    """The same call, by itself: what was said is there, the microphone is as muted as it was."""
    await page.get_by_test_id("call").click()
    async with in_the_room(service) as agent:
        await in_phase(page, "in-call")
        await page.get_by_test_id("mute").click()
        service.transcript = [
            TranscriptLine(seq=3, speaker="agent", text="Hello, how can I help you?"),
            TranscriptLine(seq=5, speaker="caller", text="Where is order seven?", typed=True),
        ]
        await page.reload()
        await in_phase(page, "in-call")
        assert service.asked == [None, service.call_id]
        await expect(said(page, "agent", "Hello")).to_be_visible()
        await expect(said(page, "caller", "order seven")).to_be_visible()
        await expect(page.get_by_test_id("mute")).to_have_attribute("data-muted", "true")
        await agent.say("Still here.")
        await expect(said(page, "agent", "Still here.")).to_be_visible()
        assert service.ended == []
        # This agent knows no hang-up.
        await page.get_by_test_id("hang-up").click()
        await ended(page, "caller")
        assert service.ended == [service.call_id]
        await page.reload()
        await in_phase(page, "idle")


async def test_page_after_a_reload_of_a_call_that_ended_says_so(
    service: CannedService, page: Page
) -> None:
    """Ended elsewhere: a screen of its own, then the start. Unknown: the start at once."""
    await page.get_by_test_id("call-by-text").click()
    await in_phase(page, "waiting-for-agent")
    service.refusals.append((410, "call-ended", {}))
    await page.reload()
    await ended(page, "call-ended")
    await page.get_by_test_id("call").click()
    await in_phase(page, "waiting-for-agent")
    service.refusals.append((404, "call-not-found", {}))
    await page.reload()
    await in_phase(page, "idle")
    assert service.asked == [None, service.call_id, None, service.call_id]


async def test_page_that_loses_its_place_offers_the_way_back(
    service: CannedService, page: Page
) -> None:
    """A second tab takes over and the first says so; a lost call is come back to by a click."""
    await page.get_by_test_id("call-by-text").click()
    await in_phase(page, "waiting-for-agent")
    other = await page.context.new_page()
    await other.goto(service.url)
    await other.get_by_test_id("call-by-text").click()
    await in_phase(other, "waiting-for-agent")
    await ended(page, "taken-over")
    await expect(page.get_by_test_id("come-back")).to_have_count(0)
    service.refusals.append((503, "sfu-unavailable", {}))
    await other.reload()
    await ended(other, "sfu-unavailable")
    await other.get_by_test_id("come-back").click()
    await in_phase(other, "waiting-for-agent")
    await other.get_by_test_id("hang-up").click()
    await ended(other, "caller")
    await until(lambda: service.ended == [service.call_id])
