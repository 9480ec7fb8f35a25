"""Scripts are played as written, and what does not go as written is told."""

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.reasoning.known_values import KnownValues
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.rehearsal.script import Script, ScriptError, read
from agent_worker.rehearsal.stage import Report, Stage, rehearse
from agent_worker.tools.tool import Answer, BackendUnavailable, Caller, tool
from call_record.clock import SystemClock
from tests.unit.agent_worker.small_agent import House

pytestmark = pytest.mark.usefixtures("virtual_time")

GOOD = """
name: The house
order: [look, paint, clear]
steps:
  - caller: Look at room seven.
    says: ["room 7", "/[0-9] COATS/"]
    never: painted
    calls: {look: {number: 7}}
    within_ms: 2000
  - caller: paint it
    calls: {paint: null}
  - caller: clear room 7
    says: "Clear room 7?"
    calls_nothing: true
  - caller: when are you open
    says: open all day
  - vote: "yes"
    says: Room 7 is empty.
    calls: {clear: {number: 7, quickly: false}}
  - wait_s: 0.05
    calls_nothing: true
"""


async def play(agent: AgentDefinition, folder: Path, text: str) -> Report:
    """Play the script in *text*."""
    file = folder / "script.yaml"
    file.write_text(text)
    async with Stage(agent, AgentLLM, {}) as stage:
        return await stage.play(read(file))


async def test_script_that_goes_as_written_has_no_failures(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """Words, patterns, tools with arguments, order, a card, and what is said meanwhile."""
    report = await play(agent, tmp_path, GOOD)
    assert report.failures == []
    assert "  ran clear(number=7, quickly=False)" in report.transcript
    assert "caller answers on the screen: yes" in report.transcript


@pytest.mark.parametrize(
    ("step", "failure"),
    [
        ("{caller: look at room 7, says: green}", "did not say 'green', but 'Room 7 has 0 coats.'"),
        ("{caller: look at room 7, never: coats}", "said 'coats'"),
        ("{caller: look at room 7, calls: {paint: null}}", "did not run paint with None"),
        ("{caller: look at room 7, calls: {look: {number: 8}}}", "did not run look with {'number'"),
        ("{caller: look at room 7, calls_nothing: true}", "ran look"),
        ("{caller: look at room 7, within_ms: 1}", "not within 1 ms"),
        ("{vote: 'yes'}", "there are 0 open questions"),
    ],
)
async def test_step_that_goes_otherwise_is_told(
    agent: AgentDefinition, tmp_path: Path, step: str, failure: str
) -> None:
    """With its number, and what came instead."""
    report = await play(agent, tmp_path, f"name: x\nsteps:\n  - {step}\n")
    (told, *_) = report.failures
    assert told.startswith("step 1: ") and failure in told


async def test_order_that_is_another_is_told(agent: AgentDefinition, tmp_path: Path) -> None:
    """Of the whole conversation."""
    text = "{name: x, order: [paint, look], steps: [{caller: look at room 7}, {caller: paint it}]}"
    report = await play(agent, tmp_path, text)
    assert report.failures == ["tools ran as ['look', 'paint'], not in the order ['paint', 'look']"]


async def test_caller_without_cards_hears_every_argument(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """And may say yes then."""
    text = """
name: x
cards: false
steps:
  - {caller: clear room 7, says: "In full: quickly: no. Yes or no?"}
  - {caller: "yes", says: [All right, Room 7 is empty], calls: {clear: null}}
"""
    assert (await play(agent, tmp_path, text)).failures == []


def broken(number: int) -> None:
    """Be broken."""
    raise KeyError("floor")


def unspeakable(number: Any) -> str:
    return str(number / 0)


async def test_tool_that_breaks_is_told_with_its_error_and_line(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """To the author, in the transcript; the journal has no word of it."""

    @tool(effect="read")
    async def look(number: int) -> Answer:
        """Look at a room."""
        raise ValueError(f"secret {number}")

    @tool(effect="write", policy=[broken])
    async def paint(number: int) -> Answer:
        """Paint a room."""
        return Answer(say="Painted.")

    @tool(effect="read")
    async def search(words: str) -> Answer:
        """Search."""
        nothing: Any = words
        return nothing  # type: ignore[no-any-return]

    @tool(effect="write", confirm="Clear {number}?", in_words={"number": unspeakable})
    async def clear(number: int) -> Answer:
        """Clear a room."""
        return Answer(say="Cleared.")

    @tool(effect="read")
    async def person() -> Answer:
        """Send a person, who does not come."""
        raise BackendUnavailable("no line") from OSError("unplugged")

    ours = {one.name: one for one in (look, paint, search, clear, person)}
    changed = dataclasses.replace(
        agent, tools=tuple(ours.get(one.name, one) for one in agent.tools)
    )
    text = """
name: x
steps:
  - {caller: look at room 7, says: did not work}
  - {caller: paint room 7}
  - {caller: search for this}
  - {caller: clear room 7}
  - {caller: xyzzy}
  - {caller: xyzzy}
  - {caller: xyzzy}
  - {vote: "yes"}
"""
    file = tmp_path / "script.yaml"
    file.write_text(text)
    async with Stage(changed, AgentLLM, {}) as stage:
        report = await stage.play(read(file))
        journal = repr(stage._journal.entries)
    assert report.failures == []
    told = [re.sub(r":\d+", ":N", line) for line in report.transcript if "failed" in line]
    here = "tests/unit/agent_worker/rehearsal/test_stage.py:N"
    assert told == [
        f"  look failed: ValueError: secret 7 ({here})",
        f"  rule broken of paint failed: KeyError: 'floor' ({here})",
        f"  search failed: it returned str, not an Answer ({here})",
        f"  in_words of clear failed: ZeroDivisionError: division by zero ({here})",
        f"  person failed: BackendUnavailable: no line, from OSError: unplugged ({here})",
    ]
    assert "secret" not in journal and "floor" not in journal


async def test_tool_that_takes_too_long_is_told(agent: AgentDefinition, tmp_path: Path) -> None:
    """A read is stopped then; that it was is told, not that it was cancelled."""

    @tool(effect="read", timeout_s=0.1)
    async def look(number: int) -> Answer:
        """Look at a room."""
        await asyncio.sleep(60)
        return Answer(say="Late.")

    changed = dataclasses.replace(agent, tools=(look, *agent.tools[1:]))
    report = await play(changed, tmp_path, "{name: x, steps: [{caller: look at room 7}]}")
    assert "  look failed: it took longer than its timeout_s of 0.1 s" in "".join(report.transcript)


@asynccontextmanager
async def open_nothing(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    yield ()


@asynccontextmanager
async def open_no_tuple(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    house: Any = House()
    yield house


@asynccontextmanager
async def open_broken(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    raise OSError("no house")
    yield ()


@pytest.mark.parametrize(
    ("opens", "message"),
    [
        (lambda _: 3, "open: TypeError: it returns int, not what @asynccontextmanager makes"),
        (open_nothing, "open: TypeError: it yields no House, although `provides` says so"),
        (open_no_tuple, "open: TypeError: it yields House, not a tuple"),
        (open_broken, "open: OSError: no house"),
    ],
)
async def test_agent_that_opens_what_it_should_not_is_told(
    agent: AgentDefinition, opens: Any, message: str
) -> None:
    """In one sentence, before the first step."""
    wrong = dataclasses.replace(agent, open=opens)
    with pytest.raises(AgentError, match=rf"^tests/unit/.*/test_stage\.py:\d+: {message}"):
        async with Stage(wrong, AgentLLM, {}):
            pass


async def test_rehearsal_opens_what_is_for_rehearsals(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """Once for each script, so that each finds the same; not what calls get."""
    opened: list[House] = []

    @asynccontextmanager
    async def open_fake(_: Caller) -> AsyncIterator[tuple[object, ...]]:
        opened.append(House())
        yield (opened[-1],)

    changed = dataclasses.replace(agent, open=open_broken, open_rehearsal=open_fake)
    text = "{name: x, steps: [{caller: paint room 7}, {caller: look at it, says: 1 coats}]}"
    for _ in range(2):
        assert (await play(changed, tmp_path, text)).failures == []
    assert [len(house.painted) for house in opened] == [1, 1]


async def test_what_is_known_of_the_caller_is_not_asked_for(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """As in a call."""

    @asynccontextmanager
    async def open_known(_: Caller) -> AsyncIterator[tuple[object, ...]]:
        yield (House(), KnownValues({"number": 7}))

    known = dataclasses.replace(agent, open=open_known)
    text = "{name: x, steps: [{caller: clear a room, says: 'Clear room 7?'}]}"
    assert (await play(known, tmp_path, text)).failures == []
    assert (await play(agent, tmp_path, text)).failures != []


async def test_rehearsal_that_cannot_be_opened_is_told(agent: AgentDefinition) -> None:
    """By the name of what failed."""
    wrong = dataclasses.replace(agent, open_rehearsal=open_broken)
    with pytest.raises(AgentError, match=r"test_stage\.py:\d+: open_rehearsal: OSError: no house"):
        async with Stage(wrong, AgentLLM, {}):
            pass


class TurnsAt(SystemClock):
    """A clock on which midnight comes at the *reads*-th look."""

    def __init__(self, reads: int) -> None:
        self._reads = reads

    def now_ms(self) -> int:
        self._reads -= 1
        day = 1 if self._reads > 0 else 2
        return int(datetime(2026, 12, day, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize("reads", [1, 2, 3, 4, 5])
async def test_script_that_midnight_comes_into_is_played_again(
    agent: AgentDefinition, tmp_path: Path, reads: int
) -> None:
    """Which day "today" is in an answer then depends on chance; the second time it does not."""
    clock = TurnsAt(reads)

    @tool(effect="read")
    async def look(number: int) -> Answer:
        """Look at a room."""
        day = datetime.fromtimestamp(clock.now_ms() / 1000, UTC).day
        return Answer(say=f"It is December {day}.")

    ours = (look, *agent.tools[1:])
    changed = dataclasses.replace(agent, tools=ours, time_zone="UTC")
    file = tmp_path / "script.yaml"
    file.write_text("{name: x, steps: [{caller: look at room 7, says: 'It is {today}'}]}")
    report = await rehearse(changed, AgentLLM, {}, read(file), clock)
    assert report.failures == []


async def test_script_that_fails_on_one_day_is_played_once(
    agent: AgentDefinition, tmp_path: Path
) -> None:
    """It is not tried until it passes."""
    file = tmp_path / "script.yaml"
    file.write_text("{name: x, steps: [{caller: look at room 7, says: green}]}")
    report = await rehearse(agent, AgentLLM, {}, read(file), TurnsAt(1_000))
    assert len(report.failures) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x", ": steps: field required"),
        ("{name: x, steps: []}", "steps: "),
        (
            "{name: x, steps: [{}]}",
            ": steps.0: give exactly one of caller",
        ),
        ("{name: x, steps: [{caller: a, vote: 'no'}]}", "give exactly one of"),
        ("{name: x, steps: [{caller: a, say: b}]}", ": steps.0.say: extra inputs"),
        ("{name: x, steps: [{caller: a, calls: {b: null}, calls_nothing: true}]}", "contradicts"),
        ("{name: x", ":1: while parsing a flow mapping: "),
        ("{name: x, name: y, steps: [{caller: a}]}", ":1: 'name' is there twice"),
        ("name: x\nsteps:\n- caller: a\n  says: b\n  says: c", ":5: 'says' is there twice"),
        (
            "{name: x, steps: [{caller: a, says: ['/(/']}]}",
            ": steps.0: /(/ is not a regular expression: missing ), unterminated subpattern",
        ),
        ("{name: x, steps: [{caller: a, never: '/*/'}]}", "/*/ is not a regular expression: nothi"),
        (
            "{name: x, steps: [{caller: 'on {tuesdy}'}]}",
            ": steps.0: there is no placeholder {tuesdy}; there are {today}, {tomorrow}, {monday}",
        ),
        ("{name: x, steps: [{caller: a, says: ['/{day}/']}]}", "no placeholder {day}"),
        ("{name: x, steps: [{caller: a, never: '{Friday}'}]}", "no placeholder {Friday}"),
        ("{name: x, steps: [{caller: a, calls: {b: {c: ['{x}']}}}]}", "no placeholder {x}"),
        (
            "{name: x, steps: [{caller: a, says: 5}]}",
            ": steps.0.says.str: should be a valid",
        ),
    ],
)
def test_script_that_is_wrong_is_told(tmp_path: Path, text: str, message: str) -> None:
    """With the file and the place in it."""
    file = tmp_path / "script.yaml"
    file.write_text(text)
    with pytest.raises(ScriptError) as caught:
        read(file)
    assert str(file) in str(caught.value) and message in str(caught.value)


def test_script_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(ScriptError, match="No such file"):
        read(tmp_path / "nothing.yaml")


def test_script_defaults_are_those_of_a_caller_with_a_page() -> None:
    """Cards are shown unless the script says otherwise."""
    assert Script.model_validate({"name": "x", "steps": [{"caller": "a"}]}).cards
