"""The other end of a phone: what its caller hears, and what is done to it."""

import asyncio
import json
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import httpx2 as httpx

from devstack.caller import attempt_of
from devstack.parent_death import die_with_parent
from tests.chaos.fleet import Fleet
from tests.support.local_stack import ROOT
from voice_contract.tokens import VoiceToken, VoiceTokenRequest

BIN_S = 0.1
BUSY = 503
BUSY_S = 15
T = TypeVar("T")


class Line:
    """A phone that is in a call."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.call_id = ""
        self.lines: list[str] = []
        """What the agent said."""
        self.sounds: dict[str, list[float]] = defaultdict(list)
        """When each agent was heard."""
        self.states: list[tuple[float, str, int]] = []
        """When the page was told what, of which attempt."""
        self.left = asyncio.Event()
        self._joined = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def joined(self) -> None:
        """It is in the room."""
        await asyncio.wait_for(self._joined.wait(), 15)

    def signal(self, number: signal.Signals) -> None:
        """Stop it, let it go on, kill it."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def type(self, text: str) -> None:
        """Write to the agent."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        await self._process.stdin.drain()

    async def line(self, containing: str, *, after: int = 0, timeout_s: float = 20) -> str:
        """The first of the agent's lines, past *after* of them, that contains that."""

        def found() -> str | None:
            return next((line for line in self.lines[after:] if containing in line), None)

        return await self._until(found, timeout_s, containing)

    async def ask(self, text: str, containing: str, timeout_s: float = 20) -> str:
        """Write it, and wait for that answer."""
        before = len(self.lines)
        await self.type(text)
        return await self.line(containing, after=before, timeout_s=timeout_s)

    async def sound(self, after: float, *, newer_than: int = 0, timeout_s: float = 20) -> float:
        """When an agent of an attempt above *newer_than* is first heard after *after*."""

        def found() -> float | None:
            heard = [
                at
                for name, moments in self.sounds.items()
                if attempt_of(name) > newer_than
                for at in moments
                if at > after
            ]
            return min(heard, default=None)

        return await self._until(found, timeout_s, "sound")

    @property
    def attempt(self) -> int:
        """The newest agent that was heard."""
        return max(map(attempt_of, self.sounds), default=0)

    def check_one_voice(self) -> None:
        """Nobody ever heard two agents at the same time."""
        bins = {name: {round(at / BIN_S) for at in found} for name, found in self.sounds.items()}
        names = list(bins)
        for number, name in enumerate(names):
            for other in names[number + 1 :]:
                assert not bins[name] & bins[other], f"{name} and {other} together"

    async def close(self) -> None:
        """Kill the phone."""
        self.signal(signal.SIGKILL)
        await self._process.wait()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            event = json.loads(raw)
            match event["event"]:
                case "joined":
                    self.call_id = event["call_id"]
                    self._told(event["metadata"])
                    self._joined.set()
                case "state":
                    self._told(event["metadata"])
                case "sound":
                    self.sounds[event["agent"]].append(event["at"])
                case "line" if event["speaker"] == "agent":
                    self.lines.append(event["text"])
                case "left":
                    self.left.set()

    def _told(self, metadata: str) -> None:
        if metadata:
            state = json.loads(metadata)
            self.states.append((time.monotonic(), state["state"], state["attempt"]))

    @staticmethod
    async def _until(found: Callable[[], T | None], timeout_s: float, what: str) -> T:
        deadline = time.monotonic() + timeout_s
        while (value := found()) is None:
            assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
            await asyncio.sleep(0.01)
        return value


class Person:
    """
    Somebody with a browser: it keeps the cookie by which a call is come back to.

    Args:
        prefix: What runs the phones.
        rtc_url: Where they reach the SFU; None: as the token says.
    """

    def __init__(
        self, fleet: Fleet, *, prefix: Sequence[str] = (), rtc_url: str | None = None
    ) -> None:
        self._fleet = fleet
        self._prefix = prefix
        self._rtc_url = rtc_url
        self._http = httpx.AsyncClient(timeout=10, trust_env=False)
        self._lines: list[Line] = []

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._lines:
            await line.close()
        if self._lines and self._lines[-1].call_id:
            url = f"{self._fleet.stack.page_url}/api/calls/{self._lines[-1].call_id}/end"
            with suppress(httpx.HTTPError):
                await self._http.post(url)
        await self._http.aclose()

    async def calls(self, call_id: str | None = None) -> Line:
        """Call, or come back to a call."""
        token = await self.token(call_id)
        if self._rtc_url is not None:
            token = token.model_copy(update={"rtc_url": self._rtc_url})
        process = await asyncio.create_subprocess_exec(
            *self._prefix,
            sys.executable,
            "-m",
            "tests.chaos.phone",
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        line = Line(process)
        self._lines.append(line)
        await line.type(token.model_dump_json())
        await line.joined()
        return line

    async def token(self, call_id: str | None = None) -> VoiceToken:
        """A token for a new call, or for one to come back to; asked for again while all is busy."""
        wish = VoiceTokenRequest(call_id=call_id).model_dump()
        url = f"{self._fleet.stack.page_url}/api/voice-token"
        deadline = time.monotonic() + BUSY_S
        while (answer := await self._http.post(url, json=wish)).status_code == BUSY:
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.5)
        answer.raise_for_status()
        return VoiceToken.model_validate_json(answer.content)


async def begin(line: Line) -> None:
    """Be greeted, and talk about order eight."""
    await line.line("automated assistant", timeout_s=40)
    await line.ask("Where is order eight?", "Order 8", timeout_s=40)


@asynccontextmanager
async def people(
    fleet: Fleet, count: int, *, prefix: Sequence[str] = (), rtc_url: str | None = None
) -> AsyncIterator[list[tuple[Person, Line]]]:
    """So many callers, each greeted in a call of its own that is about order eight."""
    everyone = [Person(fleet, prefix=prefix, rtc_url=rtc_url) for _ in range(count)]
    try:
        lines = [await person.calls() for person in everyone]
        # All together: who says nothing for long is asked, and then hung up on.
        await asyncio.gather(*(begin(line) for line in lines))
        yield list(zip(everyone, lines, strict=True))
    finally:
        for person in everyone:
            await person.__aexit__()
