"""Scripts are played as written, and what does not go as written is told."""

from pathlib import Path

import pytest

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.rehearsal.script import Script, ScriptError, read
from agent_worker.rehearsal.stage import Report, Stage

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
    async with Stage(agent, AgentLLM(agent), {}) as stage:
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
