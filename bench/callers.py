"""
Callers by voice, more and more of them, over the real SFU with local speech on this machine.

Each comes a second after the last one, waits in the queue if agents are busy, asks four questions
and leaves. Then one client does its worst, while others call from other addresses: it takes tokens
that it does not use, joins and says nothing, comes back and back.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx

from devstack.ask import speak
from devstack.caller import Caller, NoAnswer, Pcm, joined
from tests.support.call_steps import speech_url
from tests.support.local_stack import LocalStack, running_stack

COUNTS = (1, 3, 5, 8, 12)
APART_S = 1.0
QUESTIONS = (
    "where is order number seven",
    "when are you open on saturday",
    "where is order number eight",
    "what are my orders",
)
PAUSE_S = 1.5
GREETED_WITHIN_S = 60.0
ANSWERED_WITHIN_S = 20.0
QUEUE_MAX_S = 300.0
OTHERS = 2
"""Who call while one client does its worst."""
ABUSE_TRIES = 20
ABUSER = "203.0.113.9"


@dataclass
class Visit:
    """What happened to one caller."""

    asked_at: float
    let_in_at: float | None = None
    was_queued: bool = False
    latencies_s: list[float] = field(default_factory=list)
    missing: int = 0


def main() -> None:
    """Measure on stacks of our own and print."""
    for measure, settings in (
        # All callers come from this machine: their address is no sign of anything.
        (_more_and_more, {"PARLEY_TOKEN_NETWORK_SHARE": "1", "PARLEY_TOKEN_RATE_ADDRESS": "3000"}),
        # Of this machine's own address nothing is known, so each says where it comes from.
        (_one_at_its_worst, {"PARLEY_TOKEN_TRUSTED_PROXIES": "127.0.0.1"}),
    ):
        with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as name:
            with running_stack(Path(name).absolute(), **settings) as stack:
                asyncio.run(measure(stack))


async def _more_and_more(stack: LocalStack) -> None:
    sounds = await _sounds(stack)
    print(f"{'callers':<9}{'answers':>8}{'missing':>8}{'p50 s':>8}{'p95 s':>8}{'queued':>8}  order")
    for count in COUNTS:
        visits = await asyncio.gather(
            *(_visit(stack, sounds, number * APART_S) for number in range(count))
        )
        _print(str(count), visits)
        await _all_ended(stack)


async def _one_at_its_worst(stack: LocalStack) -> None:
    sounds = await _sounds(stack)
    abusing = asyncio.create_task(_abuse(stack))
    await asyncio.sleep(10)
    visits = await asyncio.gather(
        *(_visit(stack, sounds, number, f"127.0.{number + 1}.1") for number in range(OTHERS))
    )
    abusing.cancel()
    with suppress(asyncio.CancelledError):
        await abusing
    _print("abused", visits)


async def _abuse(stack: LocalStack) -> None:
    async with AsyncExitStack() as kept:
        while True:
            async with _browser(stack, ABUSER) as http:
                for _ in range(ABUSE_TRIES):
                    async with _browser(stack, ABUSER) as fresh:
                        await fresh.post("/api/voice-token", json={})
                with suppress(httpx.HTTPError):
                    # Joined and silent; at the next turn it comes back for one more.
                    await kept.enter_async_context(joined(stack.page_url, http=http, hang_up=False))
            await asyncio.sleep(2)


async def _visit(
    stack: LocalStack, sounds: list[Pcm], after_s: float, address: str | None = None
) -> Visit:
    await asyncio.sleep(after_s)
    visit = Visit(time.monotonic())
    async with _browser(stack, address) as http:
        async with _let_in(stack, http, visit) as caller:
            await caller.agent_line(timeout_s=GREETED_WITHIN_S)
            for sound in sounds:
                await asyncio.sleep(PAUSE_S)
                asked_at = await caller.say(sound)
                try:
                    heard_at = await caller.answer_after(asked_at, ANSWERED_WITHIN_S)
                    visit.latencies_s.append(heard_at - asked_at)
                except NoAnswer:
                    visit.missing += 1
    return visit


def _browser(stack: LocalStack, address: str | None) -> httpx.AsyncClient:
    """Without a cookie yet; at that address, as a proxy says."""
    headers = {} if address is None else {"X-Forwarded-For": address}
    return httpx.AsyncClient(base_url=stack.page_url, headers=headers, timeout=10)


@asynccontextmanager
async def _let_in(
    stack: LocalStack, http: httpx.AsyncClient, visit: Visit
) -> AsyncIterator[Caller]:
    """The caller's call, when it gets one."""
    async with asyncio.timeout(QUEUE_MAX_S) as waiting:
        while True:
            try:
                async with joined(stack.page_url, http=http) as caller:
                    visit.let_in_at = time.monotonic()
                    waiting.reschedule(None)
                    yield caller
                    return
            except httpx.HTTPStatusError as refused:
                visit.was_queued = True
                await asyncio.sleep(int(refused.response.headers["retry-after"]))


def _print(what: str, visits: list[Visit]) -> None:
    latencies = sorted(latency for visit in visits for latency in visit.latencies_s)
    p50, p95 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.95))
    queued = [visit for visit in visits if visit.was_queued]
    let_in = sorted(queued, key=lambda visit: visit.let_in_at or float("inf"))
    asked = sorted(queued, key=lambda visit: visit.asked_at)
    places = [asked.index(visit) + 1 for visit in let_in]
    missing = sum(visit.missing for visit in visits)
    print(
        f"{what:<9}{len(latencies):>8}{missing:>8}{p50:>8.2f}{p95:>8.2f}{len(queued):>8}  "
        f"{' '.join(map(str, places))}"
    )


async def _sounds(stack: LocalStack) -> list[Pcm]:
    return [await speak(speech_url(stack), question) for question in QUESTIONS]


async def _all_ended(stack: LocalStack) -> None:
    async with httpx.AsyncClient(base_url=stack.page_url) as http, asyncio.timeout(60):
        while "parley_slots_used 0.0" not in (await http.get("/metrics")).text:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
