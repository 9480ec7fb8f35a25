"""The page alone, in a real browser: a real SFU, a scripted agent, canned answers."""

import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx2 as httpx
import pytest
import pytest_asyncio
from livekit import rtc
from playwright.async_api import Browser, Page, expect

from call_record import keys, workers
from call_record.database import Database
from call_record.record import Record
from examples.storefront.agent.actions import (
    FillForm,
    Navigate,
    OfferDownload,
    OrderLine,
    ShowOrder,
    StartOver,
)
from tests.support.browser import chromium, complaints, ended, heard_hz, in_phase, opened, said
from tests.support.canned_service import AGENT_NAME, CannedService, canned_service, listening
from tests.support.local_stack import ROOT, LocalStack, free_ports, until
from tests.support.scripted_agent import ScriptedAgent, in_the_room, say_room_state
from tests.support.token_service import room
from token_service.app import build
from token_service.settings import TokenSettings
from voice_contract.actions import ActionReport, ClientAction
from voice_contract.confirmations import (
    ArgumentInWords,
    ConfirmationResult,
    Confirmations,
    ConfirmationVote,
    PendingConfirmation,
)
from voice_contract.follow_up import ActionItem, CallSummary, FollowUp
from voice_contract.names import ACTION_OUTCOME_METHOD, CONFIRM_METHOD, CONFIRMATIONS_METHOD
from voice_contract.tokens import TranscriptLine

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Started once."""
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def service(sfu: LocalStack) -> AsyncIterator[CannedService]:
    """A token service that admits everyone."""
    async with canned_service(sfu) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, service: CannedService) -> AsyncIterator[Page]:
    """The page, before a call."""
    async with opened(browser, service.url) as started:
        yield started


def near(pitches: list[int], hz: int) -> bool:
    """Whether there is one tone alone, *hz* high."""
    return bool(pitches) and all(abs(pitch - hz) < 60 for pitch in pitches)


async def test_page_while_agents_change_tells_it_and_plays_one_of_them(
    service: CannedService, page: Page
) -> None:
    """The servers' word is shown; an agent that was replaced is not heard."""
    await page.get_by_test_id("call").click()
    async with in_the_room(service, pitch_hz=440) as first:
        await in_phase(page, "in-call")
        await expect(page.locator("audio")).to_have_count(1)
        await expect(page.get_by_test_id("agent-name")).to_have_text(AGENT_NAME)
        assert near(await heard_hz(page), 440)
        await say_room_state(service, 2, "recovering")
        status = page.get_by_test_id("status")
        await expect(status).to_have_text("One moment, reconnecting you…")
        await expect(page.locator("audio")).to_have_count(0)
        await first.say("I do not know yet that I was replaced.")
        async with in_the_room(service, attempt=2, pitch_hz=1_500) as second:
            await expect(status).to_have_text("The assistant is back")
            await second.say("I am back.")
            await expect(said(page, "agent", "I am back.")).to_be_visible()
            await expect(said(page, "agent", "replaced")).to_have_count(0)
            await expect(page.locator("audio")).to_have_count(1)
            assert near(await heard_hz(page), 1_500)
            await say_room_state(service, 2, "ending")
            await expect(status).to_have_text("The call is ending…")


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
        # As before a page that is left, which then stays after all.
        await page.evaluate("dispatchEvent(new Event('beforeunload'))")
        await until(lambda: len(service.asked) == 3)
        await in_phase(page, "in-call")
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
    """Ended elsewhere: a screen of its own, then the start. Unknown: straight to the start."""
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


def question(number: int, title: str, seconds: float = 60, **arguments: str) -> PendingConfirmation:
    """A question of the agent's."""
    return PendingConfirmation(
        id=f"question-{number}",
        title=title,
        tool="refund_order",
        arguments=[ArgumentInWords(name=name, value=value) for name, value in arguments.items()],
        digest=f"{number:064x}",
        expires_in_ms=int(seconds * 1000),
    )


@dataclass
class Asking:
    """The agent's side of questions and actions, as a test sets it."""

    pending: list[PendingConfirmation] = field(default_factory=list)
    votes: list[ConfirmationVote] = field(default_factory=list)
    reports: dict[str, str] = field(default_factory=dict)
    """Outcome of each action, by its id."""
    deaf: int = 0
    """So many votes are lost on their way back."""

    def serve(self, agent: ScriptedAgent) -> None:
        """Answer the page's RPCs as *agent*."""
        agent.answer(CONFIRMATIONS_METHOD, self._list)
        agent.answer(CONFIRM_METHOD, self._vote)
        agent.answer(ACTION_OUTCOME_METHOD, self._report)

    async def _list(self, _: rtc.RpcInvocationData) -> str:
        return Confirmations(pending=self.pending).model_dump_json()

    async def _vote(self, call: rtc.RpcInvocationData) -> str:
        vote = ConfirmationVote.model_validate_json(call.payload)
        self.votes.append(vote)
        self.pending = [asked for asked in self.pending if asked.id != vote.id]
        if self.deaf > 0:
            self.deaf -= 1
            raise rtc.RpcError(1500, "lost")
        state: Literal["approved", "declined"] = "approved" if vote.approved else "declined"
        return ConfirmationResult(state=state).model_dump_json()

    async def _report(self, call: rtc.RpcInvocationData) -> str:
        report = ActionReport.model_validate_json(call.payload)
        self.reports[report.id] = report.outcome
        return ""


async def test_card_is_whole_and_answered_by_keyboard_and_mouse(
    service: CannedService, page: Page, tmp_path: Path
) -> None:
    """Shown after a reload too; Esc and Enter on the card answer nothing; each is told once."""
    asking = Asking([question(1, "Refund 15 dollars?", order="9", amount="15 dollars")])
    await page.get_by_test_id("call").click()
    async with in_the_room(service) as agent:
        asking.serve(agent)
        await in_phase(page, "in-call")
        card = page.get_by_test_id("card")
        await expect(card).to_contain_text("15 dollars")
        await expect(card).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("text-input")).to_be_focused()
        assert asking.votes == []
        await page.reload()
        await expect(card).to_have_attribute("data-stage", "open", timeout=10_000)
        asking.pending.append(question(2, "Cancel order 10?", reason="word " * 250 + "end"))
        await agent.tell(Confirmations(pending=asking.pending))
        await expect(card).to_have_count(2)
        await expect(card.last).to_contain_text("word end")
        await page.screenshot(path=tmp_path / "cards-1280.png")
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.screenshot(path=tmp_path / "cards-390.png")
        await expect(page.get_by_test_id("approve").first).to_be_enabled()
        asking.deaf = 1
        await page.get_by_test_id("approve").first.focus()
        await page.keyboard.press("Enter")
        await expect(card.last).to_be_focused()
        await expect(card.first).to_have_attribute("data-result", "approved")
        await card.last.get_by_test_id("decline").click()
        await expect(card.last).to_have_attribute("data-result", "declined")
        assert [(vote.id, vote.approved) for vote in asking.votes] == [
            ("question-1", True),
            ("question-1", True),
            ("question-2", False),
        ]


async def test_card_that_is_answered_by_voice_or_runs_out_says_so(
    service: CannedService, page: Page
) -> None:
    """The agent's list counts; after an agent's end its successor's; a stranger's never."""
    asking = Asking([question(1, "Refund 15 dollars?"), question(2, "Cancel order 10?", 1.5)])
    await page.get_by_test_id("call-by-text").click()
    card = page.get_by_test_id("card")
    async with in_the_room(service) as first:
        asking.serve(first)
        await expect(card.last).to_have_attribute("data-stage", "open", timeout=10_000)
        async with in_the_room(service, identity="caller-2") as stranger:
            await stranger.tell(Confirmations(pending=[question(3, "Give all your money?")]))
            await stranger.tell(ClientAction(id="a", action=Navigate(to="orders")))
            await stranger.say("Do as I say.")
        await expect(card.last).to_have_attribute("data-result", "expired")
        await expect(card).to_have_count(2)
        await expect(said(page, "agent", "Do as I say.")).to_have_count(0)
    async with in_the_room(service, attempt=2) as second:
        asking.serve(second)
        await in_phase(page, "in-call")
        await expect(card.first).to_have_attribute("data-stage", "open")
        await second.tell(Confirmations(pending=[]))
        await expect(card.first).to_have_attribute("data-result", "closed")
    assert asking.votes == []


async def test_actions_are_done_asked_for_or_refused_by_the_pages_own_list(
    service: CannedService, page: Page, tmp_path: Path
) -> None:
    """The agent suggests; what the page does is shown, can be undone, and is reported."""
    asking = Asking()
    order = ShowOrder(
        number=7,
        status="shipped",
        items=[OrderLine(name="Winter gloves", quantity=2)],
        total="$25.00",
        expected_on="2026-11-27",
    )
    await page.get_by_test_id("call-by-text").click()
    async with in_the_room(service) as agent:
        asking.serve(agent)
        await in_phase(page, "in-call")
        await agent.tell(ClientAction(id="order", action=order))
        await expect(page.get_by_test_id("order")).to_contain_text("Friday, November 27")
        fill = FillForm(day="2031-05-14", time="15:00", kind="fitting")
        await agent.tell(ClientAction(id="fill", action=fill))
        await agent.tell(ClientAction(id="go", action=Navigate(to="appointment")))
        await expect(page.get_by_test_id("appointment-day")).to_have_value("2031-05-14")
        await page.screenshot(path=tmp_path / "actions-1280.png")
        await page.set_viewport_size({"width": 390, "height": 844})
        await expect(page.get_by_test_id("transcript")).to_be_hidden()
        await page.screenshot(path=tmp_path / "actions-390.png")
        await page.get_by_test_id("appointment-send").click()
        await expect(said(page, "caller", "Book a fitting on 2031-05-14 at 15:00")).to_be_visible()
        await until(lambda: agent.texts == ["Book a fitting on 2031-05-14 at 15:00"])
        await agent.tell(ClientAction(id="clear", action=StartOver()))
        await page.get_by_test_id("accept").click()
        await expect(page.get_by_test_id("order")).to_have_count(0)
        await page.get_by_test_id("undo").click()
        await page.get_by_test_id("open-orders").click()
        await expect(page.get_by_test_id("order")).to_have_count(1)
        download = OfferDownload(filename="order-7.txt", text="Order 7: gloves")
        await agent.tell(ClientAction(id="kept", action=download))
        async with page.expect_download() as saving:
            await page.get_by_test_id("accept").click()
        assert (await (await saving.value).path()).read_text() == "Order 7: gloves"
        await agent.tell(ClientAction(id="not-kept", action=download))
        await page.get_by_test_id("refuse").click()
        await agent.tell(ClientAction(id="wrong", action=FillForm(day="soon")))
        await agent.send('{"type":"client-action","id":"unknown","action":{"action":"eval"}}')
        await agent.send("no JSON")
        await until(
            lambda: (
                asking.reports
                == {
                    "order": "done",
                    "fill": "done",
                    "go": "done",
                    "clear": "done",
                    "kept": "done",
                    "not-kept": "declined",
                    "wrong": "refused",
                    "unknown": "refused",
                }
            )
        )
        await in_phase(page, "in-call")
        assert complaints(page) == []


REFUSALS = [
    (429, "rate-limited", {"Retry-After": "3"}, "in 0:0"),
    (429, "daily-limit", {"Retry-After": "40000"}, "again on"),
    (429, "too-many-calls", {}, "already in a call"),
    (401, "sign-in-required", {}, "sign in"),
    (403, "not-allowed", {}, "not allowed"),
    (503, "sign-in-unavailable", {}, "Your sign-in cannot be checked"),
    (503, "record-unavailable", {}, "call records"),
    (503, "sfu-unavailable", {}, "media server"),
    (409, "some-other", {}, "A sentence."),
]


async def test_each_refusal_has_a_screen_of_its_own(
    service: CannedService, page: Page, tmp_path: Path
) -> None:
    """It says what is wrong and what to do, and none of it leaves the caller without a way on."""
    screen = page.get_by_test_id("screen")
    for status, code, headers, words in REFUSALS:
        service.refusals.append((status, code, headers))
        await page.get_by_test_id("call-by-text").click()
        await ended(page, "refused" if code == "some-other" else code)
        await expect(screen).to_contain_text(words)
        way_on = page.get_by_test_id("sign-in" if code == "sign-in-required" else "call")
        await expect(way_on).to_be_visible()
        if headers:
            await expect(way_on).to_be_disabled()
        if code == "rate-limited":
            await expect(way_on).to_be_enabled(timeout=5_000)
        await page.screenshot(path=tmp_path / f"{code}.png")
        await page.get_by_test_id("leave").click()
        await in_phase(page, "idle")


async def test_queue_asks_again_by_itself_until_there_is_a_place(
    service: CannedService, page: Page
) -> None:
    """The server's time is kept; the microphone is off meanwhile; the person may leave."""
    service.refusals += [(503, "agents-busy", {"Retry-After": "1"})] * 3
    service.positions += [3, 2, 1]
    await page.get_by_test_id("call").click()
    await in_phase(page, "queueing")
    await expect(page.get_by_test_id("queue")).to_contain_text("Next try in 0:0")
    await page.get_by_test_id("leave").click()
    await in_phase(page, "idle")
    started = time.monotonic()
    await page.get_by_test_id("call").click()
    await in_phase(page, "queueing")
    await expect(page.get_by_test_id("position")).to_contain_text("You are number 2 in the queue.")
    await expect(page.get_by_test_id("position")).to_contain_text("You are next.")
    await in_phase(page, "waiting-for-agent")
    assert time.monotonic() - started >= 2
    assert service.asked == [None] * 4
    await expect(page.get_by_test_id("mute")).to_be_visible()


async def test_queue_gets_in_when_a_slot_frees(
    browser: Browser, sfu: LocalStack, sqlite_template: Path, tmp_path: Path
) -> None:
    """By the real admission: one slot, taken; when its call ends, the next in the queue has it."""
    shutil.copy(sqlite_template, tmp_path / "parley.db")
    journal_keys = keys.ensure(tmp_path / "journal-keys.yaml")
    settings = TokenSettings(
        _env_file=None,
        sfu_url=sfu.sfu_url,
        sfu_keys_file=sfu.keys_file,
        web_dir=ROOT / "web" / "dist",
        database_url=f"sqlite+aiosqlite:///{tmp_path}/parley.db",
        journal_keys_file=tmp_path / "journal-keys.yaml",
    )
    record = Record(Database(settings.database_url), journal_keys)
    await workers.register(record, "worker", 1)
    await record.close()
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    async with (
        listening(build(settings), port),
        opened(browser, url) as page,
        httpx.AsyncClient(base_url=url) as first,
    ):
        taken = room(await first.post("/api/voice-token"), sfu)
        await page.get_by_test_id("call").click()
        await in_phase(page, "queueing")
        assert (await first.post(f"/api/calls/{taken}/end")).status_code == 204
        await in_phase(page, "waiting-for-agent")
        await page.get_by_test_id("hang-up").click()
        await ended(page, "caller")


async def test_after_the_call_the_page_shows_what_came_of_it(
    service: CannedService, page: Page, tmp_path: Path
) -> None:
    """A wait, then summary, what is left to do, and the ticket; a failure is said too."""
    summary = CallSummary(
        reason="A refund for order 9",
        outcome="unresolved",
        text="The caller asked for a refund of 15 dollars, which has to be looked at by a person.",
        done=["Looked up order 9"],
    )
    item = ActionItem(text="Call back about order 9", owner="the shop", due="2026-11-27")
    ready = FollowUp(state="ready", summary=summary, action_items=[item], ticket="T-1042")
    service.follow_ups = [FollowUp(state="waiting"), ready]
    await page.get_by_test_id("call-by-text").click()
    await in_phase(page, "waiting-for-agent")
    await page.get_by_test_id("hang-up").click()
    followed = page.get_by_test_id("follow-up")
    await expect(followed).to_have_attribute("data-state", "waiting")
    await expect(followed).to_have_attribute("data-state", "ready", timeout=20_000)
    await expect(page.get_by_test_id("ticket")).to_have_text("T-1042")
    await expect(followed).to_contain_text("Call back about order 9 (the shop, by Friday")
    await page.screenshot(path=tmp_path / "follow-up.png", full_page=True)
    service.follow_ups = [FollowUp(state="failed", ticket="T-1043")]
    await page.get_by_test_id("call").click()
    await in_phase(page, "waiting-for-agent")
    await page.get_by_test_id("hang-up").click()
    await expect(followed).to_have_attribute("data-state", "failed", timeout=20_000)
    await expect(page.get_by_test_id("ticket")).to_have_text("T-1043")
