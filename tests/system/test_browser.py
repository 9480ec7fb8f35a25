"""The main job in a real browser: a person opens the page, asks aloud, and hears the answer."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
from playwright.async_api import Page, expect

from devstack.ask import recognize, speak, to_wav
from devstack.caller import RATE_HZ, Pcm
from tests.support.browser import chromium, complaints, ended, in_phase, in_state, opened, said
from tests.support.call_steps import ledger
from tests.support.local_stack import LocalStack

ASK_AFTER_S = 9
"""The greeting is over by then."""
RECORD = """() => {
  const context = new AudioContext({sampleRate: 24000});
  const source = context.createMediaStreamSource(document.querySelector("audio").srcObject);
  const tap = context.createScriptProcessor(4096, 1, 1);
  window.heard = [];
  tap.onaudioprocess = ({inputBuffer}) => window.heard.push(inputBuffer.getChannelData(0).slice());
  source.connect(tap).connect(context.destination);
}"""
HEARD = """() => {
  const pcm = Int16Array.from(window.heard.flatMap(part => [...part]), value => value * 32767);
  const bytes = new Uint8Array(pcm.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192)
    text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}"""


@pytest.fixture
async def page(
    stack: LocalStack, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Page]:
    """The page in Chromium, with a person at the microphone who asks one question."""
    question = await speak(
        stack.url("speech-server") + "/v1", "Can you tell me where my order number seven is?"
    )
    silence = np.zeros(ASK_AFTER_S * RATE_HZ, np.int16)
    microphone = tmp_path / "microphone.wav"
    microphone.write_bytes(to_wav(np.concatenate([silence, question, silence])))
    asking = [f"--use-file-for-fake-audio-capture={microphone}%noloop"]
    async with chromium(asking) as browser, opened(browser, stack.page_url) as started:
        yield started


async def reads_of_order_seven(stack: LocalStack) -> int:
    """How often the shop was asked for order seven."""
    async with httpx.AsyncClient() as http:
        reads: list[dict[str, Any]] = (
            await http.get(stack.url("storefront") + "/v1/ledger")
        ).json()["reads"]
    return sum(read["count"] for read in reads if read["path"] == "/v1/orders/7")


async def test_person_asks_aloud_in_the_browser_and_hears_the_answer(
    stack: LocalStack, page: Page, tmp_path: Path
) -> None:
    """One click; the answer is on the page, in the sound, and was looked up in the shop."""
    before = await reads_of_order_seven(stack)
    await page.get_by_test_id("call").click()
    await in_phase(page, "in-call")
    await expect(page.locator("audio")).to_have_count(1, timeout=10_000)
    await page.evaluate(RECORD)
    await expect(said(page, "agent", "automated assistant")).to_be_visible(timeout=15_000)
    await expect(said(page, "caller", "order")).to_be_visible(timeout=20_000)
    await expect(said(page, "agent", "Order 7 is on its way")).to_be_visible(timeout=15_000)
    await in_state(page, "listening")
    await page.screenshot(path=tmp_path / "call-1280.png")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.screenshot(path=tmp_path / "call-390.png")
    sound = np.frombuffer(base64.b64decode(await page.evaluate(HEARD)), np.int16)
    assert "gloves" in (await _recognized(stack, sound)).lower()
    assert await reads_of_order_seven(stack) > before
    await page.get_by_test_id("hang-up").click()
    await ended(page, "caller", timeout_s=5)
    assert complaints(page) == []


async def test_person_without_a_voice_types_and_is_answered(stack: LocalStack, page: Page) -> None:
    """The whole job by keyboard alone: call, write, read, hang up."""
    await page.get_by_test_id("call-by-text").focus()
    await page.keyboard.press("Enter")
    await expect(said(page, "agent", "").first).to_be_visible(timeout=20_000)
    await write(page, "Where is order eight?")
    await expect(said(page, "agent", "Order 8 is on its way")).to_be_visible(timeout=15_000)
    await write(page, "Goodbye")
    await ended(page, "agent", timeout_s=20)


@pytest.mark.long
async def test_person_who_reloads_in_mid_call_goes_on_with_it(
    stack: LocalStack, page: Page, tmp_path: Path
) -> None:
    """The same call by itself: its transcript is there, the next question is heard and answered."""
    await page.get_by_test_id("call").click()
    await in_phase(page, "in-call")
    await page.get_by_test_id("mute").click()
    await expect(said(page, "agent", "How can I help you?")).to_be_visible(timeout=20_000)
    await write(page, "Where is order eight?")
    await expect(said(page, "agent", "lock")).to_be_visible(timeout=20_000)
    await in_state(page, "listening")
    # The microphone begins its silence and its question again.
    await page.reload()
    await in_phase(page, "in-call")
    await page.get_by_test_id("mute").click()
    await expect(said(page, "agent", "automated assistant")).to_be_visible()
    await expect(said(page, "caller", "Where is order eight?")).to_be_visible()
    await expect(said(page, "agent", "Order 8 is on its way")).to_be_visible()
    await page.evaluate(RECORD)
    await expect(said(page, "agent", "still here")).to_be_visible(timeout=10_000)
    await expect(said(page, "agent", "Order 7 is on its way")).to_be_visible(timeout=30_000)
    await page.screenshot(path=tmp_path / "returned-1280.png")
    await in_state(page, "listening")
    sound = np.frombuffer(base64.b64decode(await page.evaluate(HEARD)), np.int16)
    assert "gloves" in (await _recognized(stack, sound)).lower()
    await page.get_by_test_id("hang-up").click()
    await ended(page, "caller", timeout_s=5)
    assert complaints(page) == []


@pytest.mark.long
async def test_person_says_yes_on_a_card_and_the_form_books(
    stack: LocalStack, page: Page, tmp_path: Path
) -> None:
    """
    The card outlives a reload and another question; the order is cancelled once. What the agent
    filled in, the person sends; what it offers, the person keeps. What came of it is on the page
    soon after.
    """
    await page.get_by_test_id("call-by-text").click()
    await expect(said(page, "agent", "How can I help you?")).to_be_visible(timeout=20_000)
    await write(page, "Cancel order eleven")
    card = page.get_by_test_id("card")
    await expect(card).to_contain_text("Cancel order 11?", timeout=10_000)
    await write(page, "When are you open?")
    await expect(said(page, "agent", "Our hours are")).to_be_visible(timeout=15_000)
    await page.reload()
    await expect(card).to_have_attribute("data-stage", "open", timeout=15_000)
    call_id = json.loads(await page.evaluate("sessionStorage['parley.call']"))["callId"]
    assert (await ledger(stack, call_id))["effects"] == []
    await page.screenshot(path=tmp_path / "card-1280.png")
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.screenshot(path=tmp_path / "card-390.png")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.get_by_test_id("approve").click()
    await expect(card).to_have_attribute("data-result", "approved")
    await expect(said(page, "agent", "Order 11 is cancelled")).to_be_visible(timeout=15_000)
    await expect(page.get_by_test_id("order")).to_contain_text("Cancelled", ignore_case=True)
    assert len((await ledger(stack, call_id))["effects"]) == 1

    await write(page, "What appointments are free on Friday?")
    await expect(page.get_by_test_id("done")).to_contain_text("form", timeout=15_000)
    await page.get_by_test_id("open-appointment").click()
    day = await page.get_by_test_id("appointment-day").input_value()
    await page.get_by_test_id("appointment-time").fill(await free_time(stack, day))
    await page.get_by_test_id("appointment-send").click()
    await expect(page.get_by_test_id("suggested")).to_be_visible(timeout=15_000)
    await page.screenshot(path=tmp_path / "kept-1280.png")
    async with page.expect_download() as saving:
        await page.get_by_test_id("accept").click()
    assert "Your fitting is" in (await (await saving.value).path()).read_text()
    assert len((await ledger(stack, call_id))["effects"]) == 2
    await page.get_by_test_id("hang-up").click()
    await ended(page, "caller", timeout_s=5)
    followed = page.get_by_test_id("follow-up")
    await expect(followed).to_have_attribute("data-state", "ready", timeout=30_000)
    await expect(page.get_by_test_id("summary")).not_to_be_empty()
    await expect(followed).to_contain_text("11")
    await page.screenshot(path=tmp_path / "follow-up-1280.png", full_page=True)
    assert complaints(page) == []


async def write(page: Page, text: str) -> None:
    """Write *text* to the agent."""
    await page.get_by_test_id("text-input").fill(text)
    await page.keyboard.press("Enter")


async def free_time(stack: LocalStack, day: str) -> str:
    """A time on *day* at which the shop has a fitting free."""
    async with httpx.AsyncClient() as http:
        url = stack.url("storefront") + "/v1/appointments/slots"
        found = (await http.get(url, params={"kind": "fitting", "date": day})).json()
        slots: list[str] = found["slots"]
        return slots[0]


async def _recognized(stack: LocalStack, sound: Pcm) -> str:
    """What is heard in *sound*, the last 28 seconds of it."""
    return await recognize(stack.url("speech-server") + "/v1", sound[-28 * RATE_HZ :])
