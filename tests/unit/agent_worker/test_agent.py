"""An agent's definition, checked when it is loaded."""

import dataclasses
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.call_control import end_call
from agent_worker.loading import load_agent
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, tool
from tests.unit.agent_worker.small_agent import TEMPLATES, House, load_templates, look, paint

Load = Callable[[object], AgentDefinition]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads an object as the `AGENT` of a real module."""

    def loaded(agent: object) -> AgentDefinition:
        module = types.ModuleType("house_agent")
        module.__dict__["AGENT"] = agent
        monkeypatch.setitem(sys.modules, "house_agent", module)
        return load_agent("house_agent")

    return loaded


def test_load_agent_returns_the_definition(agent: AgentDefinition, load: Load) -> None:
    """A consistent agent comes back as it was written, with the tools that every agent has."""
    assert load(agent) is agent
    assert agent.all_tools == (*agent.tools, end_call)


def test_load_agent_example_is_consistent() -> None:
    """The shop's agent that the repository ships can be loaded by its name."""
    assert load_agent("examples.storefront.agent").name == "Spoke & Wheel"


def test_load_agent_missing_module_is_told() -> None:
    """A name that is no module."""
    with pytest.raises(
        AgentError,
        match=r"no_such_agent: this package has no AGENT that can be loaded: No module named",
    ):
        load_agent("no_such_agent")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("from agent_worker.agent import AgentDefinition\nAGENT = AgentDefinition(nme='x')", "nme"),
    ],
)
def test_load_agent_module_that_breaks_is_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    """One sentence with file and line, and never the success that an exit at import would be."""
    (tmp_path / "broken_agent.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AgentError, match=rf"broken_agent\.py:\d: broken_agent .*{problem}"):
        load_agent("broken_agent")


def test_load_agent_module_without_agent_is_told() -> None:
    """A module that holds no AGENT."""
    with pytest.raises(AgentError, match=r"json: this package has no AGENT .*AGENT"):
        load_agent("json")


def test_load_agent_of_another_type_is_told(load: Load) -> None:
    """An AGENT that is something else."""
    with pytest.raises(AgentError, match=r"house_agent\.AGENT is not an AgentDefinition"):
        load({"name": "House"})


@tool(effect="read")
async def lost(
    *, house: House, line: dict[str, Any], caller: Caller, key: IdempotencyKey
) -> Answer:
    """Need what nobody provides."""
    return Answer(say="")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": (look, look)}, "two tools have the name 'look'"),
        ({"tools": (end_call,)}, "two tools have the name 'end_call'"),
        ({"name": ""}, "name: give the agent one of 1 to 100 characters"),
        ({"name": "x" * 101}, "name: give the agent one of 1 to 100 characters"),
        ({"fallback_tool": "helicopter"}, "fallback_tool: there is no tool 'helicopter'"),
        ({"tools": (look, paint), "fallback_tool": None}, "intent clear: there is no tool 'clear'"),
    ],
)
def test_load_agent_contradiction_is_told(
    agent: AgentDefinition, load: Load, changes: dict[str, Any], message: str
) -> None:
    """Each contradiction between tools, resources and templates has its own sentence."""
    with pytest.raises(AgentError, match="(House|house_agent): " + message):
        load(dataclasses.replace(agent, **changes))


def test_load_agent_parameter_of_an_unknown_type_is_told(
    agent: AgentDefinition, load: Load
) -> None:
    """A keyword-only parameter that nobody can fill is found before the first call."""
    with pytest.raises(AgentError, match=r"test_agent\.py:\d+: lost: nothing provides line"):
        load(dataclasses.replace(agent, tools=(*agent.tools, lost)))


def test_load_agent_resource_that_is_not_provided_is_told(
    agent: AgentDefinition, load: Load
) -> None:
    """With file, line and tool; a rule's resources count as well."""
    with pytest.raises(AgentError, match=r"small_agent\.py:\d+: look: nothing provides house \(Ho"):
        load(dataclasses.replace(agent, provides=()))

    def fair(*, line: dict[str, Any]) -> None:
        """Be fair."""

    @tool(effect="read", policy=[fair])
    async def ruled() -> Answer:
        """Be ruled."""
        return Answer(say="")

    with pytest.raises(AgentError, match="ruled: nothing provides line"):
        load(dataclasses.replace(agent, tools=(*agent.tools, ruled)))


def test_load_agent_fallback_tool_that_needs_arguments_is_told(
    agent: AgentDefinition, load: Load
) -> None:
    """It is called with none."""
    with pytest.raises(AgentError, match="fallback_tool: paint needs number"):
        load(dataclasses.replace(agent, fallback_tool="paint"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '      number: "Which room?"',
            '      room: "Which room?"',
            "intent look: look has no parameter 'room'",
        ),
        (
            '    ask:\n      number: "Which room?"\n',
            "",
            "intent look: look needs number: add a question",
        ),
        (
            '"book a visit [on {day}] [at {time}]"',
            '"book a visit [on {day}] [at {time}] [in <room>]"',
            "intent visit: visit has no parameter 'number'",
        ),
        (
            "slots: {number: the-same}",
            "slots: {number: the-same, color: red}",
            "intent look: look has no parameter 'color'",
        ),
    ],
)
def test_load_agent_templates_that_do_not_fit_the_tools_are_told(
    agent: AgentDefinition, load: Load, tmp_path: Path, old: str, new: str, message: str
) -> None:
    """Every slot that a sentence can fill is a parameter; every required one can be asked for."""
    templates = load_templates(tmp_path, TEMPLATES.replace(old, new, 1))
    with pytest.raises(AgentError, match=message):
        load(dataclasses.replace(agent, templates=templates))


async def test_open_by_default_yields_nothing(agent: AgentDefinition) -> None:
    """An agent without resources needs to write nothing."""
    plain = AgentDefinition("x", "y", "z", agent.templates, ())
    async with plain.open(Caller("a", "b")) as resources:
        assert resources == ()
