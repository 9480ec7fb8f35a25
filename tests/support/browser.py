"""Chromium for tests of the page."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

expect.set_options(timeout=15_000)

CHROMIUM = "/usr/bin/chromium"
OFFLINE = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MICROPHONE = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
PITCH = """async () => {
  const context = new AudioContext({sampleRate: 24000});
  const heard = context.createAnalyser();
  heard.fftSize = 2048;
  heard.smoothingTimeConstant = 0;
  const sounds = [...document.querySelectorAll("audio")];
  for (const {srcObject} of sounds) context.createMediaStreamSource(srcObject).connect(heard);
  await new Promise(resolve => setTimeout(resolve, 600));
  const levels = new Float32Array(heard.frequencyBinCount);
  heard.getFloatFrequencyData(levels);
  await context.close();
  const hz = bin => Math.round(bin * 24000 / 2048);
  return [...levels.keys()].filter(bin => levels[bin] > -60).map(hz);
}"""


@asynccontextmanager
async def chromium(more_flags: Sequence[str] = ()) -> AsyncIterator[Browser]:
    """Chromium with a microphone that beeps."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*OFFLINE, *MICROPHONE, *more_flags]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, url: str) -> AsyncIterator[Page]:
    """
    The page at *url*, 1280 pixels wide, for a person who was never there; what it complains of is
    kept for `complaints`.
    """
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    page.on("console", lambda message: _keep(page, message.type, message.text))
    page.on("pageerror", lambda error: _keep(page, "error", str(error)))
    await page.goto(url)
    yield page
    await context.close()


def complaints(page: Page) -> list[str]:
    """The errors in the page's console so far."""
    kept: list[str] = page.__dict__.setdefault("complaints", [])
    return kept


def _keep(page: Page, kind: str, text: str) -> None:
    if kind == "error":
        complaints(page).append(text)


async def in_phase(page: Page, phase: str, *, timeout_s: float = 15) -> None:
    """Wait until the page is in *phase*; web/README.md lists them."""
    await expect(page.get_by_test_id("screen")).to_have_attribute(
        "data-phase", phase, timeout=timeout_s * 1000
    )


async def in_state(page: Page, state: str, *, timeout_s: float = 20) -> None:
    """Wait until the agent is `listening`, `thinking` or `speaking`."""
    await expect(page.get_by_test_id("agent-state")).to_have_attribute(
        "data-state", state, timeout=timeout_s * 1000
    )


async def ended(page: Page, reason: str, *, timeout_s: float = 15) -> None:
    """Wait until the page says that the call ended for *reason*."""
    await expect(page.get_by_test_id("ending")).to_have_attribute(
        "data-reason", reason, timeout=timeout_s * 1000
    )


def said(page: Page, side: str, text: str) -> Locator:
    """Lines of one side of the conversation, `agent` or `caller`, that hold *text*."""
    lines = page.locator(f'[data-testid="transcript-entry"][data-side="{side}"]')
    return lines.filter(has_text=text)


async def heard_hz(page: Page) -> list[int]:
    """The pitches in what the page plays, all its audio elements together."""
    pitches: list[int] = await page.evaluate(PITCH)
    return pitches
