"""An agent's definition, checked when it is loaded."""

import dataclasses
import re
import sys
import types
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_worker.agent import AgentDefinition, AgentError
from agent_worker.call_control import end_call
from agent_worker.loading import load_agent
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, tool
from tests.unit.agent_worker.small_agent import (
    TEMPLATES,
    House,
    load_templates,
    look,
    paint,
    person,
)

Load = Callable[[object], AgentDefinition]
NOTHING = next(one.default for one in dataclasses.fields(AgentDefinition) if one.name == "open")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads an object, or what a function makes, as the `AGENT` of a real module."""

    def loaded(agent: object) -> AgentDefinition:
        module = types.ModuleType("house_agent")
        if isinstance(agent, types.FunctionType):
            module.__dict__["__getattr__"] = lambda _: agent()
        else:
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


START = """\
from typing import *
from pydantic import BaseModel
from agent_worker.agent import AgentDefinition, Phrases
from agent_worker.tools.mcp import allow, mcp_server
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.tool import Answer, tool
from voice_contract.actions import Action

"""


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import json; json.loads('{')", "JSONDecodeError: Expecting property name"),
        ("import yaml; yaml.safe_load('{')", "ParserError: while parsing a flow node"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("from agent_worker.tools.tool import Anser", "ImportError: cannot import name 'Anser'"),
        ("import no_such_shop", "ModuleNotFoundError: No module named 'no_such_shop'"),
        ("tool.x", "AttributeError: "),
        ("Answer(sy='x')", "Answer: sy: extra inputs are not permitted$"),
        ("AGENT = AgentDefinition(nme='x')", "AgentDefinition: nme: unexpected keyword argument$"),
        ("Phrases(silense='x')", "Phrases: silense: unexpected keyword argument$"),
        ("Phrases(silence='x')", "Phrases: silence: should be a valid tuple$"),
        ("Phrases(silence=[3])", "Phrases: silence.0: should be a valid string$"),
        ("Phrases(go_on=3)", "Phrases: go_on: should be a valid string$"),
        ("Phrases('x')", "Phrases: argument 1: should be a valid tuple$"),
        ("Phrases(gate='x')", "Phrases: gate: should be an instance of GatePhrases$"),
        ("Phrases(you_said='{word}')", "Phrases: you_said: needs {words} in braces"),
        ("Phrases(you_said='You said {')", "Phrases: you_said: needs {words} in braces"),
        (
            "GatePhrases(late='Late.')",
            "GatePhrases: late: needs {words} in braces and no",
        ),
        ("GatePhrases(away=None)", "GatePhrases: away: should be a valid string$"),
        ("@tool\nasync def f(): 'F.'", "tool: effect: missing required keyword only argument$"),
        ("@tool()\nasync def f(): 'F.'", "tool: effect: missing required keyword only argument$"),
        ("tool(effect='read', max_per_cal=3)", "tool: max_per_cal: unexpected keyword argument$"),
        ("allow(effect='read', backend='x')", "allow: backend: unexpected keyword argument$"),
        ("allow()", "allow: effect: missing required keyword only argument$"),
        ("mcp_server(3, tools={}, url='x')", "mcp_server: argument 1: should be a valid string$"),
        (
            "class Open(Action):\n  door: int",
            "TypeError: Open needs its name as a field, ",
        ),
    ],
)
def test_load_agent_module_that_breaks_is_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, problem: str
) -> None:
    """One sentence with the author's file and line, and never the success of an exit at import."""
    (tmp_path / "broken_agent.py").write_text(START + code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AgentError) as caught:
        load_agent("broken_agent")
    place = r"^broken_agent\.py:9: broken_agent cannot be loaded: "
    assert re.search(place + problem.replace("{", r"\{"), str(caught.value)), caught.value


def test_load_agent_module_that_breaks_in_its_part_is_told_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is the author's own that broke, not the one that imports it."""
    (tmp_path / "broken_agent.py").write_text("import broken_part")
    (tmp_path / "broken_part.py").write_text("\nimport json\njson.loads('{')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AgentError, match=r"^broken_part\.py:3: broken_agent cannot be loaded: "):
        load_agent("broken_agent")


def test_load_agent_with_wrong_templates_is_told_by_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the templates' own error says it."""
    code = "from agent_worker.reasoning.templates import Templates\nfrom pathlib import Path\n"
    (tmp_path / "broken_agent.py").write_text(code + "Templates.load(Path('no_such.yaml'))")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AgentError, match=r"^no_such\.yaml: .*No such file"):
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
        ({"fallback_tool": "helicopter"}, "fallback_tool: there is no tool 'helicopter'"),
        ({"fallback_question": ""}, "fallback_tool: the caller did not ask for it, so it is asked"),
        ({"tools": (look, paint), "fallback_tool": None}, "intent clear: there is no tool 'clear'"),
    ],
)
def test_load_agent_contradiction_is_told(
    agent: AgentDefinition, load: Load, changes: dict[str, Any], message: str
) -> None:
    """Each contradiction between tools, resources and templates has its own sentence."""
    place = r"^tests/unit/agent_worker/test_agent\.py:\d+: (House|house_agent): "
    with pytest.raises(AgentError, match=place + message):
        load(dataclasses.replace(agent, **changes))


@asynccontextmanager
async def opened_without_caller() -> AsyncIterator[tuple[object, ...]]:
    yield ()


async def not_a_manager(_: Caller) -> AsyncIterator[tuple[object, ...]]:
    yield ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": None}, "name: should be a valid string"),
        ({"name": ""}, "name: string should have at least 1 character"),
        ({"name": "x" * 101}, "name: string should have at most 100 characters"),
        ({"vocabulary": ["x"] * 101}, "vocabulary: these are 101; a recognizer takes a hint of at"),
        ({"vocabulary": ["x" * 51]}, "vocabulary.0: string should have at most 50 characters"),
        ({"vocabulary": [" "]}, "vocabulary: ' ': give one word, name or phrase each"),
        ({"vocabulary": ["a, b"]}, "vocabulary: 'a, b': give one word, name or phrase each"),
        ({"vocabulary": "toothache"}, "vocabulary: should be a valid tuple"),
        ({"greeting": 5}, "greeting: should be a valid string"),
        ({"greeting": ""}, "greeting: string should have at least 1 character"),
        ({"instructions": ["x"]}, "instructions: should be a valid string"),
        ({"templates": "intents.yaml"}, "templates: should be an instance of Templates"),
        ({"tools": look}, "tools: should be a valid tuple"),
        ({"tools": "look"}, "tools: should be a valid tuple"),
        ({"tools": [not_a_manager]}, "tools.0: should be an instance of Tool"),
        ({"mcp": "server"}, "mcp: should be a valid tuple"),
        ({"mcp": ["server"]}, "mcp.0: should be an instance of McpServer"),
        ({"provides": House}, "provides: should be a valid tuple"),
        ({"provides": (House(),)}, "provides.0: should be a type"),
        ({"provides": (House,), "open": NOTHING}, "provides: it needs an `open` that yields them"),
        ({"fallback_tool": person}, "fallback_tool: should be a valid string"),
        ({"open": 3}, "open: should be callable"),
        ({"open": lambda: 3}, "open: it must take one argument, the Caller"),
        ({"open": opened_without_caller}, "open: it must take one argument, the Caller"),
        (
            {"open": not_a_manager},
            "open: put @asynccontextmanager before it",
        ),
        ({"phrases": "x"}, "phrases: should be an instance of Phrases"),
        ({"tool_calls_max": -1}, "tool_calls_max: should be greater than or equal to 1"),
        ({"tool_calls_max": "5"}, "tool_calls_max: should be a valid integer"),
        ({"time_zone": "Berlin"}, "time_zone: there is no such time zone"),
        ({"time_zone": "../etc"}, "time_zone: there is no such time zone"),
    ],
)
def test_load_agent_field_of_the_wrong_kind_is_told(
    agent: AgentDefinition, load: Load, changes: dict[str, Any], message: str
) -> None:
    """Each field is checked where the author writes it, with file and line."""
    place = r"^tests/unit/agent_worker/test_agent\.py:\d+: house_agent cannot be loaded: "
    with pytest.raises(AgentError, match=f"{place}AgentDefinition: {message}"):
        load(lambda: dataclasses.replace(agent, **changes))


def test_load_agent_takes_lists_where_order_matters(agent: AgentDefinition, load: Load) -> None:
    """Whether its author writes a list or a tuple."""
    changes: dict[str, Any] = {"tools": list(agent.tools)}
    listed = load(dataclasses.replace(agent, **changes))
    assert listed.tools == agent.tools


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
