"""The verdict on each line of a file of what callers say, and how a line is played in text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.tools.tool import Answer, tool
from agent_worker.values import Day
from bench.callers_say import Line, Played, Verdict, judge, read
from bench.conversation import play
from bench.understanding import in_text
from devstack.step import StepError
from tests.unit.agent_worker.small_agent import PHRASES, TEMPLATES, load_templates, small_agent

pytestmark = pytest.mark.usefixtures("virtual_time")
NOW = datetime(2026, 11, 18, 10, 15, tzinfo=UTC)
NOT_HEARD = PHRASES.not_heard[0]
FILE = """tool\targuments\tsentence
look\t{"number":7}\tlook at room seven
look\t{"number":7}\tlook at room eight
look\t{"number":7}\tshow a room
look\task\tshow a room
look\task\tpaint a room
look\t{"number":7}\txyzzy
search\t{"words":"bell"}\tsearch for bells
paint\t{"number":7}\tpaint room 7
clear\t{"number":7}\tclear room 7
visit\t{"day":"friday"}\tbook a visit on friday
visit\t{"day":"monday"}\tbook a visit on friday
visit\t{"day":"friday"}\tbook a visit
look\t{"number":7}\tlook at room 8 >> no, seven
none\t{}\txyzzy
none\t{}\tpaint room 7
none\t{}\tclear room 7
none\t{}\tlook at room 7
none\t{}\tpaint a room
hours\t{}\twhen are you open
hours\t{}\tsay that again
repeat\t{}\tsay that again
repeat\t{}\twhen are you open >> say that again
closed\t{}\tlook at room 7
closed\t{}\tclear room 7
closed\t{}\txyzzy
two\t{"number":[7,8]}\tlook at room 7
yes\t{}\tclear room 7 >> yes
yes\t{}\tclear room 7 >> no
no\t{}\tclear room 7 >> no
no\t{}\tclear room 7 >> yes
no\t{}\tclear room 7 >> when are you open
listening\t{}\tuh-huh
listening\t{}\twhen are you open
wait\t{}\thang on a second
wait\t{}\tlook at room 7
end_call\t{}\tgoodbye
"""
VERDICTS: list[Verdict] = [
    "right",
    "wrong tool or words",
    "needless question",
    "right",
    "wrong tool or words",
    "missed",
    "right",
    "right",
    "right",
    "right",
    "wrong tool or words",
    "needless question",
    "right",
    "right",
    "wrong effect",
    "wrong effect",
    "wrong tool or words",
    "needless question",
    "right",
    "wrong tool or words",
    "right",
    "right",
    "right",
    "wrong effect",
    "missed",
    "wrong tool or words",
    "right",
    "missed",
    "right",
    "wrong effect",
    "missed",
    "right",
    "wrong tool or words",
    "right",
    "wrong tool or words",
    "right",
]


@pytest.fixture
def agent(tmp_path: Path) -> AgentDefinition:
    return small_agent(load_templates(tmp_path, TEMPLATES))


def lines(agent: AgentDefinition, folder: Path, text: str) -> list[Line]:
    """The lines of a file with *text*."""
    file = folder / "said.tsv"
    file.write_text(text)
    return read(file, agent, {one.name: one for one in agent.all_tools})


async def test_each_line_gets_its_verdict(agent: AgentDefinition, tmp_path: Path) -> None:
    """Played in text; what the agent does after a yes counts where nothing may happen."""
    tools = {one.name: one for one in agent.all_tools}
    got = []
    for line in lines(agent, tmp_path, FILE):
        async with in_text(agent, AgentLLM, {}) as conversation:
            played = await play(conversation, line, agent.greeting)
        got.append((line.number, " >> ".join(line.turns), judge(agent, tools, line, played)))
    assert [verdict for *_, verdict in got] == VERDICTS, got


@pytest.mark.parametrize(
    ("proposed", "effects", "verdict"),
    [
        ([("look", {"number": 7}), ("look", {"number": 8})], [], "right"),
        ([("look", {"number": 8}), ("look", {"number": 7})], [], "right"),
        ([("look", {"number": 7}), ("look", {"number": 9})], [], "wrong tool or words"),
        ([("look", {"number": 7}), ("paint", {"number": 8})], [], "wrong tool or words"),
        ([("paint", {"number": 7})], ["painted"], "wrong effect"),
        ([], [], "needless question"),
    ],
)
def test_two_values_are_two_runs_of_one_tool(
    agent: AgentDefinition,
    proposed: Sequence[tuple[str, dict[str, Any]]],
    effects: list[str],
    verdict: Verdict,
) -> None:
    """In any order."""
    line = Line(2, "two", {"number": [7, 8]}, ("look at seven and eight",))
    played = Played(line.turns, NOW, "Which?", proposed=proposed, effects=effects)
    assert judge(agent, {one.name: one for one in agent.all_tools}, line, played) == verdict


def test_two_values_may_be_written_as_they_are_said(agent: AgentDefinition) -> None:
    """As in every other line; the tool gets them in its own form."""

    @tool(effect="read")
    async def hours(day: Day) -> Answer:
        """Tell the hours of a day."""
        return Answer(say=f"{day}")

    line = Line(2, "two", {"day": ["friday", "monday"]}, ("are you open Friday and Monday",))
    days = ("2026-11-23", "2026-11-20")
    played = Played(line.turns, NOW, "", proposed=[("hours", {"day": day}) for day in days])
    assert judge(agent, {"hours": hours}, line, played) == "right"


@pytest.mark.parametrize(
    ("tool", "turns", "said", "verdict"),
    [
        ("look", (), "Hello. How can I help you?", "missed"),
        ("look", (), NOT_HEARD, "missed"),
        ("look", ("Look at,",), NOT_HEARD, "missed"),
        ("none", (), NOT_HEARD, "right"),
        ("closed", (), NOT_HEARD, "missed"),
        ("listening", (), "Hello. How can I help you?", "right"),
    ],
)
def test_what_was_not_heard_was_missed(
    agent: AgentDefinition, tool: str, turns: tuple[str, ...], said: str, verdict: Verdict
) -> None:
    """By voice nothing may have come of what was said."""
    line = Line(2, tool, {}, ("look at room seven",))
    played = Played(turns, NOW, said)
    assert judge(agent, {one.name: one for one in agent.all_tools}, line, played) == verdict


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r":1: the header must be tool, arguments, sentence, with tabs"),
        ("tool\targuments\tsentence\n\nlook\t{}", r":3: 2 columns instead of 3"),
        ("tool\targuments\tsentence\nlok\t{}\tx", r":2: there is no tool 'lok'"),
        ("tool\targuments\tsentence\nlook\t[1]\tx", r":2: the arguments must be a JSON object or"),
        ("tool\targuments\tsentence\nlook\t{\tx", r":2: the arguments must be a JSON object or"),
        ("tool\targuments\tsentence\nlook\t{}\tx >> ", r":2: a turn is empty"),
    ],
)
def test_file_that_is_wrong_is_told(
    agent: AgentDefinition, tmp_path: Path, text: str, message: str
) -> None:
    """With the line's number."""
    with pytest.raises(StepError, match=rf"said\.tsv{message}"):
        lines(agent, tmp_path, text)


def test_file_that_is_not_there_is_told(agent: AgentDefinition, tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(StepError, match=r"nothing\.tsv: cannot be read: "):
        read(tmp_path / "nothing.tsv", agent, {})
