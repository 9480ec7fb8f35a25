"""What is too much is refused before it is read; a flood is warned, then ends the call."""

import re
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc

from agent_worker.call_limits import LIMITS, CallLimits
from agent_worker.caller_text import TOPIC
from agent_worker.livekit_compat import IncomingStream
from agent_worker.metrics import Metrics
from agent_worker.refusals import FORBIDDEN, MALFORMED, TOO_MANY, Refusals
from agent_worker.token_bucket import Rate
from agent_worker.tools.client_actions import CALL_MAX
from tests.unit.agent_worker.test_token_bucket import Now
from voice_contract.confirmations import PENDING_MAX
from voice_contract.names import CONFIRMATIONS_METHOD, HANG_UP_METHOD

WEB = Path(__file__).parents[3] / "web" / "src"


class Kept(Refusals):
    """Refusals that a test reads."""

    def __init__(self) -> None:
        super().__init__(Metrics(None))
        self.all: list[tuple[str, str]] = []

    def add(self, kind: Any, reason: Any) -> None:
        self.all.append((kind, reason))


class Room:
    """The limits of a call, and what came of what was sent."""

    def __init__(self) -> None:
        self.now = Now()
        self.refusals = Kept()
        self.acts: list[str] = []
        self.limits = CallLimits(
            "caller-1",
            self.refusals,
            warn=lambda: self.acts.append("warn"),
            end=lambda: self.acts.append("end"),
            now_s=self.now,
        )

    def text(self, announced_bytes: int = 5, *, sender: str = "caller-1") -> bool:
        """Whether a text is read."""
        return self.limits.admits(IncomingStream(sender, TOPIC, True, announced_bytes))

    def stream(
        self, topic: str = "files", *, is_text: bool = False, sender: str = "caller-1"
    ) -> bool:
        """Whether another stream is read."""
        return self.limits.admits(IncomingStream(sender, topic, is_text, 5))

    async def rpc(
        self,
        method: str = CONFIRMATIONS_METHOD,
        *,
        sender: str = "caller-1",
        error: int | None = None,
    ) -> str | int | None:
        """The answer to an RPC whose handler answers "ok" or *error*; or the code of an error."""

        async def handle(_: rtc.RpcInvocationData) -> str:
            if error is not None:
                raise rtc.RpcError(error, "no")
            return "ok"

        call = rtc.RpcInvocationData("1", sender, "", 5.0, method=method)
        try:
            return await self.limits.intercept_incoming(call, handle)
        except rtc.RpcError as refused:
            return refused.code


@pytest.fixture
def room() -> Room:
    return Room()


def spent(send: Any, rate: Rate) -> None:
    """Use up the burst of *rate*."""
    assert all(send() for _ in range(rate.burst))


def test_texts_beyond_burst_and_rate_are_refused(room: Room) -> None:
    """A second later one more is read."""
    spent(room.text, LIMITS.texts)
    assert not room.text()
    room.now.s += 1 / LIMITS.texts.per_s
    assert room.text() and not room.text()
    assert room.refusals.all == [("text", "too-many")] * 2


def test_text_that_announces_more_than_any_stream_may_hold_is_not_read(room: Room) -> None:
    """One at the bound is, and one that says nothing of its length."""
    assert room.text(LIMITS.stream_max_bytes)
    assert room.text(0)
    assert not room.text(LIMITS.stream_max_bytes + 1)
    assert not room.text(8_000_000)
    assert room.refusals.all == [("text", "too-large")] * 2


def test_stream_that_nobody_reads_is_dropped_and_counted(room: Room) -> None:
    """Bytes under the texts' topic, and texts under another: neither costs a text."""
    for _ in range(LIMITS.streams.burst // 2):
        assert not room.stream(TOPIC)
        assert not room.stream("lk.agent.session", is_text=True)
    assert set(room.refusals.all) == {("stream", "nobody-reads")}
    assert not room.stream()
    assert room.refusals.all[-1] == ("stream", "too-many")
    spent(room.text, LIMITS.texts)


async def test_rpcs_beyond_burst_and_rate_are_refused_with_a_code_of_their_own(room: Room) -> None:
    """The handler is not reached; a second later some are answered again."""
    for _ in range(LIMITS.rpcs.burst):
        assert await room.rpc() == "ok"
    assert await room.rpc() == TOO_MANY
    room.now.s += 1
    answers = [await room.rpc() for _ in range(15)]
    assert answers == ["ok"] * round(LIMITS.rpcs.per_s) + [TOO_MANY] * 5
    assert set(room.refusals.all) == {("rpc", "too-many")}


async def test_caller_can_always_hang_up(room: Room) -> None:
    """Whatever the page has sent before."""
    for _ in range(LIMITS.rpcs.burst + 10):
        await room.rpc()
    assert await room.rpc(HANG_UP_METHOD) == "ok"


async def test_what_a_handler_refuses_is_counted_and_told(room: Room) -> None:
    """A stranger's, and what is malformed."""
    assert await room.rpc(sender="stranger", error=FORBIDDEN) == FORBIDDEN
    assert await room.rpc(error=MALFORMED) == MALFORMED
    assert room.refusals.all == [("rpc", "stranger"), ("rpc", "malformed")]


async def test_stranger_takes_nothing_of_the_callers_and_never_ends_the_call(room: Room) -> None:
    """However much it sends, and whatever."""
    for _ in range(2_000):
        assert not room.text(sender="stranger")
        assert not room.text(8_000_000, sender="stranger")
        assert not room.stream(sender="stranger")
        assert await room.rpc(sender="stranger", error=FORBIDDEN) == FORBIDDEN
        room.now.s += 0.1
    assert {reason for _, reason in room.refusals.all} == {"stranger"}
    assert room.acts == []
    spent(room.text, LIMITS.texts)
    assert await room.rpc() == "ok"


def test_flood_is_warned_once_and_ends_the_call_when_it_goes_on(room: Room) -> None:
    """One refusal more than is borne; then there is time to stop, then as many again."""
    spent(room.text, LIMITS.texts)
    for _ in range(LIMITS.flood.burst):
        room.text()
    assert room.acts == []
    room.text()
    assert room.acts == ["warn"]
    for _ in range(10_000):
        room.text()
    assert room.acts == ["warn"]
    room.now.s += LIMITS.warned_s
    spent(room.text, Rate(round(LIMITS.warned_s * LIMITS.texts.per_s), 0))
    for _ in range(LIMITS.flood.burst):
        room.text()
    assert room.acts == ["warn"]
    for _ in range(10_000):
        room.text()
    assert room.acts == ["warn", "end"]


async def test_flood_of_every_kind_counts_together(room: Room) -> None:
    """Also of texts that are few and too large."""
    while room.acts == []:
        room.now.s += 0.1
        room.text(8_000_000)
        room.stream()
        await room.rpc()
    assert room.now.s < 1000 + 60


def test_page_that_stops_after_the_warning_stays_in_the_call(room: Room) -> None:
    """What comes now and then beyond a bound is only refused."""
    for _ in range(LIMITS.texts.burst + LIMITS.flood.burst + 1):
        room.text()
    assert room.acts == ["warn"]
    for _ in range(3600):
        room.now.s += 1
        room.text()
        room.text(8_000_000)
    assert room.acts == ["warn"]


def config(name: str) -> float:
    """A number of the page's configuration."""
    found = re.search(rf"\b{name}: ([\d_]+)", (WEB / "config.ts").read_text())
    assert found is not None, name
    return float(found[1].replace("_", ""))


async def test_page_in_its_worst_minutes_stays_within_half_of_the_limit(room: Room) -> None:
    """
    Eight questions open, each answered over and over for as long as the page does that; polling;
    all client actions of a call reported at once; and a network that breaks every five seconds,
    after which the page asks anew until it has tried so often.
    """
    sent_at_s: list[float] = [0.0] * CALL_MAX
    retry_s = config("confirmationRetryMs") / 1000
    retries = range(int(config("confirmationTries")))
    for question in range(PENDING_MAX):
        tries = int(config("answerWithinMs") / 1000 / retry_s)
        sent_at_s += [question * 10 + number * retry_s for number in range(tries)]
    for number in range(60):
        sent_at_s.append(number * config("confirmationRefreshMs") / 1000)
    for broken in range(0, 180, 5):
        sent_at_s += [broken + number * retry_s for number in retries]
    start_s = room.now.s
    for at_s in sorted(sent_at_s):
        room.now.s = start_s + at_s
        assert await room.rpc() == "ok"
        assert await room.rpc() == "ok", "twice as much"
    assert room.refusals.all == []


def test_person_who_types_and_clicks_fast_is_not_refused(room: Room) -> None:
    """All suggestions and ten short lines within ten seconds, then one every two seconds."""
    for _ in range(20):
        assert room.text()
        room.now.s += 0.5
    for _ in range(600):
        room.now.s += 2
        assert room.text()
