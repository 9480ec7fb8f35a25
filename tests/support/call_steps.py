"""What a caller does, and what the stack shows of it, for tests of the whole stack."""

import asyncio
import time

import httpx2 as httpx

from call_record import journal
from devstack.ask import speak
from devstack.caller import Caller, NoAnswer
from tests.support.local_stack import LocalStack
from voice_contract.journal import Entry

SPEEDS = (1.0, 0.85, 0.7)
ANSWER_WITHIN_S = 20
QUIET_S = 6
"""Longer than an answer takes on a busy machine, shorter than the agent's patience with silence."""


async def greeted(caller: Caller, *, timeout_s: float = 20) -> None:
    """Wait for the greeting to be over."""
    await caller.agent_line(containing="automated assistant", timeout_s=timeout_s)


async def ask(stack: LocalStack, caller: Caller, question: str, containing: str) -> float:
    """
    Ask aloud until the answer contains *containing*, as a person does who was not understood: more
    slowly, once the agent has been quiet for a while. The recognizer is small and the line is a
    telephone's. Where the machine is busy, the agent's first line may answer a rest of what was
    said before, and its silence be the time that the answer takes.

    Returns: when the question was over.
    Raises: NoAnswer: the agent did not answer so.
    """
    before = len(caller.lines)
    for speed in SPEEDS:
        asked_at = await caller.say(await speak(speech_url(stack), question, speed))
        if await _answered(caller, before, asked_at, containing):
            return asked_at
    heard = [line.text for line in caller.lines[before:]]
    raise NoAnswer(f"no line of the agent's with {containing!r}, but {heard}")


async def _answered(caller: Caller, before: int, asked_at: float, containing: str) -> bool:
    """Whether a line past the first *before* contains it, when the agent has no more to say."""
    while (now := time.monotonic()) < asked_at + ANSWER_WITHIN_S:
        lines = [line for line in caller.lines[before:] if line.speaker == "agent"]
        if any(containing in line.text for line in lines):
            return True
        last = max(caller.ear.last_sound() or 0, lines[-1].at if lines else 0)
        if asked_at < last < now - QUIET_S:
            return False
        await asyncio.sleep(0.05)
    return False


def speech_url(stack: LocalStack) -> str:
    """The speech server's base URL."""
    return stack.url("speech-server") + "/v1"


async def ledger(stack: LocalStack, call_id: str) -> dict[str, list[dict[str, object]]]:
    """What the storefront says was read and done in the call."""
    async with httpx.AsyncClient() as http:
        url = stack.url("storefront") + "/v1/ledger"
        found: dict[str, list[dict[str, object]]] = (
            await http.get(url, params={"call_id": call_id})
        ).json()
        return found


async def effects(stack: LocalStack, caller: Caller) -> list[object]:
    """What the shop did in the call."""
    return [one["kind"] for one in (await ledger(stack, caller.room.name))["effects"]]


async def entries(stack: LocalStack, caller: Caller) -> list[Entry | None]:
    """The call's journal, when nothing more has come for a while: it is written behind."""
    read: list[Entry | None] = []
    async with stack.record() as record, asyncio.timeout(30):
        while True:
            before, read = read, [e.entry for e in await journal.read(record, caller.room.name)]
            if read == before:
                return read
            await asyncio.sleep(0.5)


async def calls_now(stack: LocalStack) -> float:
    """The worker's own count of its calls."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(stack.url("agent-worker") + "/metrics")).text
    return float(text.split("\nparley_worker_calls ")[1].split("\n")[0])
