"""What a caller does, and what the stack shows of it, for tests of the whole stack."""

import asyncio

import httpx2 as httpx

from call_record import journal
from devstack.ask import speak
from devstack.caller import Caller
from tests.support.local_stack import LocalStack
from voice_contract.journal import Entry

SPEEDS = (1.0, 0.85, 0.7)


async def greeted(caller: Caller) -> None:
    """Wait for the greeting to be over."""
    await caller.agent_line(containing="automated assistant")


async def ask(stack: LocalStack, caller: Caller, question: str, containing: str) -> float:
    """
    Ask aloud until the answer contains *containing*, as a person does who was not understood: more
    slowly. The recognizer is small and the line is a telephone's.

    Returns: when the question was over.
    """
    for speed in SPEEDS:
        before = len(caller.lines)
        asked_at = await caller.say(await speak(speech_url(stack), question, speed))
        if containing in await caller.agent_line(after=before) or speed == SPEEDS[-1]:
            break
        await caller.answer_after(asked_at)
    await caller.agent_line(after=before, containing=containing)
    return asked_at


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
