"""The single call path of tools."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
import structlog
from livekit.agents.llm import ToolError
from prometheus_client import REGISTRY
from pydantic import Field

from agent_worker.metrics import Metrics, MetricsReceiver
from agent_worker.tools.runner import FAILED, TOO_SLOW, UNKNOWN, ToolRunner
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolRefused, tool
from tests.local_stack import until

SECRET = "password=hunter2"


class Probe:
    """What happened in a tool."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.release = asyncio.Event()


@tool(effect="write")
async def note(
    number: Annotated[int, Field(ge=1, le=9)],
    kind: Literal["a", "b"] = "a",
    *,
    probe: Probe,
    caller: Caller,
    key: IdempotencyKey,
) -> Answer:
    """Note a number."""
    probe.events.append(f"{caller.identity} {number} {kind} {key}")
    return Answer(say="Noted.")


@tool(effect="read")
async def refuse() -> Answer:
    """Refuse."""
    raise ToolRefused("That is not possible on Sundays.")


@tool(effect="read")
async def fail() -> Answer:
    """Fail."""
    raise RuntimeError(SECRET)


async def _wait(probe: Probe) -> Answer:
    try:
        await probe.release.wait()
    except asyncio.CancelledError:
        probe.events.append("cancelled")
        raise
    probe.events.append("finished")
    return Answer(say="At last.")


@tool(effect="read", timeout_s=0.05)
async def slow_read(*, probe: Probe) -> Answer:
    """Read slowly."""
    return await _wait(probe)


@tool(effect="write", timeout_s=0.05)
async def slow_write(*, probe: Probe) -> Answer:
    """Write slowly."""
    return await _wait(probe)


@tool(effect="write", timeout_s=0.05)
async def slow_failing_write(*, probe: Probe) -> Answer:
    """Write slowly, then fail."""
    await _wait(probe)
    raise RuntimeError(SECRET)


@tool(effect="write")
async def lost_write() -> Answer:
    """Write; the answer is lost."""
    raise TimeoutError


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
def runner(probe: Probe) -> ToolRunner:
    return ToolRunner(
        caller=Caller("caller-1", "call-1"), resources=(probe,), metrics=Metrics(None)
    )


@pytest.fixture
def log() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


async def test_call_injects_what_the_server_knows(runner: ToolRunner, probe: Probe) -> None:
    """Caller, resources by type, and a key that counts up with each effect."""
    for number in (3, 4):
        answer = await runner.call(note, {"number": number})
        assert answer.say == "Noted."
    assert probe.events == ["caller-1 3 a call-1:1", "caller-1 4 a call-1:2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"number": SECRET}, "I did not get the number right."),
        ({"number": 77}, "I did not get the number right."),
        ({}, "I did not get the number right."),
        ({"number": 1, "kind": SECRET}, "I did not get the kind right."),
        ({"number": SECRET, "kind": SECRET}, "I did not get the kind and the number right."),
        ({"number": 1, "caller": SECRET}, "I did not get the caller right."),
        ({"number": 1, "order_id": SECRET}, "I did not get the order id right."),
    ],
)
async def test_call_bad_arguments_are_refused_without_quoting_them(
    runner: ToolRunner, probe: Probe, arguments: dict[str, object], message: str, log: list[Any]
) -> None:
    """Wrong, missing, unknown and injected ones: the place is told, the input never."""
    with pytest.raises(ToolError) as caught:
        await runner.call(note, arguments)
    assert caught.value.message == message
    assert probe.events == []
    assert SECRET not in str(log)


async def test_call_refused_arguments_use_up_no_key(runner: ToolRunner, probe: Probe) -> None:
    """Keys belong to effects; a refusal is none."""
    with pytest.raises(ToolError):
        await runner.call(note, {})
    await runner.call(note, {"number": 1})
    assert probe.events == ["caller-1 1 a call-1:1"]


async def test_call_refusal_is_told_as_it_is(runner: ToolRunner) -> None:
    """The reason was written to be spoken."""
    with pytest.raises(ToolError, match=r"^That is not possible on Sundays\.$"):
        await runner.call(refuse, {})


async def test_call_exception_text_is_hidden(runner: ToolRunner) -> None:
    """What went wrong inside is for the log alone."""
    with pytest.raises(ToolError) as caught:
        await runner.call(fail, {})
    assert caught.value.message == FAILED
    assert SECRET not in str(caught.value)


async def test_call_slow_read_is_given_up(runner: ToolRunner, probe: Probe) -> None:
    """Reading has no effect, so it is stopped."""
    with pytest.raises(ToolError) as caught:
        await runner.call(slow_read, {})
    assert caught.value.message == TOO_SLOW
    await asyncio.sleep(0)
    assert probe.events == ["cancelled"]


async def test_call_slow_write_goes_on_and_is_unknown(runner: ToolRunner, probe: Probe) -> None:
    """A write is never stopped midway; the caller is told that nobody knows."""
    with pytest.raises(ToolError) as caught:
        await runner.call(slow_write, {})
    assert caught.value.message == UNKNOWN
    assert probe.events == []
    probe.release.set()
    await runner.aclose()
    assert probe.events == ["finished"]


async def test_call_cancelled_from_outside_lets_the_write_finish(
    runner: ToolRunner, probe: Probe
) -> None:
    """Barge-in or the end of the session does not stop a write either."""
    call = asyncio.create_task(runner.call(slow_write, {}))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    probe.release.set()
    await runner.aclose()
    assert probe.events == ["finished"]


async def test_call_late_failure_of_a_write_is_quiet(runner: ToolRunner, probe: Probe) -> None:
    """A write that fails after its time does not surface as an unretrieved exception."""
    problems: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
    with pytest.raises(ToolError):
        await runner.call(slow_failing_write, {})
    probe.release.set()
    await runner.aclose()
    await asyncio.sleep(0)
    assert probe.events == ["finished"]
    assert problems == []


async def test_aclose_waits_for_nothing_when_nothing_runs(runner: ToolRunner) -> None:
    """Ending a quiet call takes no time."""
    await runner.call(note, {"number": 1})
    await asyncio.wait_for(runner.aclose(), 0.5)


async def test_call_write_whose_answer_is_lost_is_unknown(runner: ToolRunner) -> None:
    """A tool that does not know either says so by TimeoutError."""
    with pytest.raises(ToolError) as caught:
        await runner.call(lost_write, {})
    assert caught.value.message == UNKNOWN


@pytest.mark.parametrize(
    ("chosen", "arguments", "outcome"),
    [
        (note, {"number": 1}, "done"),
        (note, {}, "refused"),
        (refuse, {}, "refused"),
        (fail, {}, "failed"),
        (slow_read, {}, "timeout"),
        (slow_write, {}, "unknown"),
    ],
)
async def test_call_outcome_is_logged(
    runner: ToolRunner, probe: Probe, log: list[Any], chosen: Any, arguments: Any, outcome: str
) -> None:
    """Each call ends in one line with its outcome and time, and with no argument in it."""
    try:
        await runner.call(chosen, arguments)
    except ToolError:
        pass
    finished = [line for line in log if line["event"] == "tool.finished"]
    assert len(finished) == 1
    assert finished[0]["duration_ms"] >= 0
    del finished[0]["duration_ms"]
    assert finished == [
        {
            "event": "tool.finished",
            "log_level": "info",
            "tool": chosen.name,
            "effect": chosen.effect,
            "outcome": outcome,
        }
    ]
    probe.release.set()
    await runner.aclose()


async def test_call_outcome_is_counted(probe: Probe) -> None:
    """Each outcome reaches the worker's metrics with the tool's name."""
    receiver = MetricsReceiver()
    await receiver.start()
    metrics = Metrics(receiver.address)
    runner = ToolRunner(caller=Caller("a", "b"), resources=(probe,), metrics=metrics)
    for number in (1, 77):
        try:
            await runner.call(note, {"number": number})
        except ToolError:
            pass

    def count(outcome: str) -> float | None:
        labels = {"tool": "note", "outcome": outcome}
        return REGISTRY.get_sample_value("parley_tool_calls_total", labels)

    await until(lambda: (count("done"), count("refused")) == (1, 1))
    metrics.close()
    receiver.stop()
    await asyncio.sleep(0)
