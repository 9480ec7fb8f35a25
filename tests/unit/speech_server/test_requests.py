"""What both endpoints do around their work."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from starlette.types import Message

from speech_server.errors import EmptyText, TimedOut
from speech_server.requests import ClientLeft, supervised, while_connected


def refusals(reason: str) -> float:
    """What `/metrics` says."""
    labels = {"kind": "tts", "reason": reason}
    return REGISTRY.get_sample_value("parley_speech_refusals_total", labels) or 0


async def staying() -> Message:
    """A client that waits for its answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def leaving() -> Message:
    """A client that has closed the connection."""
    return {"type": "http.disconnect"}


async def test_supervised_block_over_its_time_is_timed_out_and_counted() -> None:
    """Nothing is waited for without end."""
    before = refusals("timeout")
    with pytest.raises(TimedOut):
        async with supervised("tts", limit_s=0.01):
            await asyncio.Event().wait()
    assert refusals("timeout") == before + 1


async def test_supervised_refusal_is_counted_by_its_code() -> None:
    """The reasons are seen in the metrics."""
    before = refusals("empty-text")
    with pytest.raises(EmptyText):
        async with supervised("tts", limit_s=1):
            raise EmptyText
    assert refusals("empty-text") == before + 1


async def test_while_connected_client_stays_gives_the_result() -> None:
    """The ordinary case."""

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert await while_connected(staying, work()) == "done"


async def test_while_connected_client_leaves_cancels_the_work() -> None:
    """Nobody would hear the result."""
    outcome = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            outcome.append("cancelled")
            raise

    with pytest.raises(ClientLeft):
        await while_connected(leaving, work())
    assert outcome == ["cancelled"]


async def test_while_connected_error_of_the_work_is_raised() -> None:
    """A refusal that is found in a thread reaches the client."""

    async def work() -> None:
        raise EmptyText

    with pytest.raises(EmptyText):
        await while_connected(staying, work())
