"""A caller in a call of the fleet's, and what must be true of it whatever broke."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2 as httpx

from call_record.calls import Call
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from devstack.ask import speak
from devstack.caller import SOUND_RMS, Caller, Ear, attempt_of, joined, rms
from tests.chaos.fleet import Fleet, Service
from tests.support.call_steps import ledger
from tests.support.calls import the_call

BIN_S = 0.1
OVERLAP_BINS_MAX = 0
HEARD_WITHIN_S = 40.0
SEALED_WITHIN_S = 30.0


class Conversation:
    """A call that goes on."""

    def __init__(self, fleet: Fleet, caller: Caller) -> None:
        self.fleet = fleet
        self.caller = caller
        self.call_id = caller.room.name

    @property
    def worker(self) -> Service:
        """The worker that has the call."""
        return self.fleet.worker_of(self.call_id)

    @property
    def attempt(self) -> int:
        """The newest agent that was heard."""
        return max(map(attempt_of, self.caller.voices), default=0)

    async def ask(self, text: str, containing: str) -> str:
        """Ask in writing until the agent has said so."""
        before = len(self.caller.lines)
        await self.caller.send_text(text)
        return await self.caller.agent_line(after=before, containing=containing)

    async def say(self, text: str) -> float:
        """Say it aloud. Returns: when it was said."""
        return await self.caller.say(
            await speak(self.fleet.stack.url("speech-server") + "/v1", text)
        )

    async def first_sound(self, after: float) -> float:
        """When any agent is heard after *after*."""
        return await self._sound(lambda: self.caller.ear.first_sound_after(after))

    async def break_(self, breaking: Callable[[], None]) -> float:
        """
        Break something that costs the call its agent.

        Returns: the seconds until the next agent is heard.
        """
        last = self.attempt
        broken_at = time.monotonic()
        breaking()

        def heard() -> float | None:
            newer = [ear for name, ear in self.caller.voices.items() if attempt_of(name) > last]
            found = [ear.first_sound_after(broken_at) for ear in newer]
            return min((at for at in found if at is not None), default=None)

        return await self._sound(heard) - broken_at

    async def _sound(self, heard: Callable[[], float | None]) -> float:
        async with asyncio.timeout(HEARD_WITHIN_S):
            while (at := heard()) is None:
                await asyncio.sleep(0.01)
        return at

    async def now(self) -> Call:
        """The call in the record."""
        async with self.fleet.record() as record:
            return await the_call(record, self.call_id)

    async def effects(self) -> list[str]:
        """What the shop did in this call."""
        found = (await ledger(self.fleet.stack, self.call_id))["effects"]
        keys = Counter(str(effect["idempotency_key"]) for effect in found)
        assert max(keys.values(), default=1) == 1, f"done twice: {found}"
        return [str(effect["kind"]) for effect in found]

    def check_one_voice(self) -> None:
        """Nobody ever heard two agents at the same time."""
        voices = list(self.caller.voices.items())
        for number, (name, ear) in enumerate(voices):
            for other, other_ear in voices[number + 1 :]:
                both = _sounding(ear) & _sounding(other_ear)
                assert len(both) <= OVERLAP_BINS_MAX, f"{name} and {other}: {len(both)} times 0.1 s"

    async def hang_up(self) -> None:
        """End the call as a caller does; its journal must be sealed and verify."""
        await self.caller.hang_up()
        await self.check_ended("caller")

    async def check_ended(self, *reasons: str, within_s: float = SEALED_WITHIN_S) -> None:
        """The call ends for one of *reasons*, with a journal that verifies."""
        deadline = time.monotonic() + within_s
        while (call := await self.now()).state is not CallState.ENDED:
            assert time.monotonic() < deadline, f"still {call.state}"
            await asyncio.sleep(0.1)
        assert call.end_reason in reasons, call.end_reason
        async with self.fleet.record() as record:
            finding = await verify(record, self.call_id)
        assert finding.verdict is Verdict.INTACT
        self.check_one_voice()


def _sounding(ear: Ear) -> set[int]:
    return {round(at / BIN_S) for at, pcm in ear.frames if rms(pcm) > SOUND_RMS}


@asynccontextmanager
async def conversation(
    fleet: Fleet, *, http: httpx.AsyncClient | None = None, call_id: str | None = None
) -> AsyncIterator[Conversation]:
    """A caller who has joined."""
    async with joined(fleet.stack.page_url, http=http, call_id=call_id, hang_up=False) as caller:
        yield Conversation(fleet, caller)
