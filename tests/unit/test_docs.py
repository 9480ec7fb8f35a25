"""The documentation says what the code does, where a command can tell."""

import ast
import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY
from pydantic import BaseModel

import agent_worker.worker
import call_supervisor.metrics
import post_call.metrics
import speech_server.metrics
import token_service.app
from agent_worker.agent import AgentDefinition
from agent_worker.loading import load_agent
from agent_worker.reasoning.llm import AgentLLM
from agent_worker.reasoning.template_file import IntentRule
from agent_worker.rehearsal.script import Script, Step, read
from agent_worker.rehearsal.stage import Stage
from agent_worker.settings import WorkerSettings
from agent_worker.tools.mcp import allow
from agent_worker.tools.tool import tool
from agent_worker.voice.providers import build_llm
from service_base.settings import load
from voice_contract import actions, confirmations, messages, names, tokens
from voice_contract.__main__ import actions_schema

FENCE = r"```%s\n(.*?)```"
ROOT = Path(__file__).parents[2]
SUPPORT = ROOT / "tests" / "support"
MODULES = (
    agent_worker.worker,
    call_supervisor.metrics,
    post_call.metrics,
    speech_server.metrics,
    token_service.app,
)
"""Imported so that their metrics are registered."""


def test_operating_page_lists_every_metric_and_no_other() -> None:
    """The table of metrics is the metrics."""
    page = (ROOT / "docs" / "operating.md").read_text()
    documented = {name.removesuffix("_total") for name in re.findall(r"`(parley_\w+)`", page)}
    registered = {family.name for family in REGISTRY.collect() if family.name[:7] == "parley_"}
    assert documented == registered


PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """No page points at a file that is not there."""
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_security_page_names_tests_that_exist() -> None:
    """What it says is shown, is shown."""
    page = (ROOT / "docs" / "security.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^ *(?:async )?def (test_\w+)", file.read_text(), re.M)
    }
    assert len(named) > 40
    assert named - there == set()
    paths = re.findall(r"`((?:tests|web)/[\w/]+)`", page)
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path


def test_index_of_the_tests_helpers_lists_each_with_its_docstring() -> None:
    """Who looks for a helper finds it in one table."""
    rows = dict(
        re.findall(r"^\| `(\w+\.py)` \| (.+) \|$", (SUPPORT / "README.md").read_text(), re.M)
    )
    assert rows == {file.name: _first_sentence(file) for file in SUPPORT.glob("*.py")}


def _first_sentence(file: Path) -> str:
    said = ast.get_docstring(ast.parse(file.read_text())) or ""
    return said.split("\n\n")[0].replace("\n", " ").removesuffix(".")


async def test_agents_page_example_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent on the page can be copied, loaded, understood, and rehearsed as its script says."""
    page = (ROOT / "docs" / "agents.md").read_text()
    code, templates = (
        found[1] for kind in ("python", "yaml") if (found := re.search(FENCE % kind, page, re.S))
    )
    package = tmp_path / "my_shop" / "agent"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(code)
    (package / "intents.yaml").write_text(templates)
    monkeypatch.syspath_prepend(tmp_path)
    agent = load_agent("my_shop.agent")
    match = agent.templates.match("Could you tell me how many bells do you have, please?")
    assert match is not None
    assert (match.intent, dict(match.slots)) == ("stock", {"product": "bell"})
    script = tmp_path / "order.yaml"
    script.write_text(re.findall(FENCE % "yaml", page, re.S)[1])
    async with Stage(agent, AgentLLM, {}) as stage:
        assert (await stage.play(read(script))).failures == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_of_a_page_exist(page: Path) -> None:
    """No page names a variable that nothing reads."""
    known = set(re.findall(r"PARLEY_[A-Z0-9_]*[A-Z0-9]", (ROOT / ".env.example").read_text()))
    named = re.findall(r"PARLEY_[A-Z0-9_]*[A-Z0-9](?![A-Z0-9_*])", page.read_text())
    assert set(named) - known == set()


def test_agents_page_names_all_that_an_author_can_set() -> None:
    """Guards, rehearsals, sentences, and the agent itself: by the names that the code has."""
    page = (ROOT / "docs" / "agents.md").read_text()
    names = {
        *inspect.signature(tool).parameters,
        *inspect.signature(allow).parameters,
        *Step.model_fields,
        *Script.model_fields,
        *IntentRule.model_fields,
        *(field.name for field in dataclasses.fields(AgentDefinition) if field.init),
    }
    assert {name for name in names if not re.search(rf"\b{name}\b", page)} == set()


def test_agents_page_says_where_to_import_what_it_names() -> None:
    """The imports work, and each leads to something that the page explains."""
    page = (ROOT / "docs" / "agents.md").read_text()
    (imports,) = (block for block in re.findall(FENCE % "text", page, re.S) if block[:4] == "from")
    there: dict[str, object] = {}
    exec(imports, there)  # noqa: S102
    imported = there.keys() - {"__builtins__"}
    assert {"allow", "mcp_server", "Action", "CallControl"} <= imported
    assert imported - set(re.findall(r"\w+", page.replace(imports, ""))) == set()


def test_agents_page_model_options_are_known() -> None:
    """What the page sets for the model, the plugin takes."""
    page = (ROOT / "docs" / "agents.md").read_text()
    (options,) = re.findall(r"^    PARLEY_LLM_OPTIONS=(.*)$", page, re.M)
    chosen = load(
        WorkerSettings,
        _env_file=None,
        llm_base_url="http://127.0.0.1:1/v1",
        llm_model="small",
        llm_options=json.loads(options),
    )
    assert build_llm(chosen, load_agent("examples.storefront.agent")).remote is not None


MESSAGES: dict[str, type[BaseModel]] = {
    name: model
    for module in (actions, confirmations, messages, tokens)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}


def test_protocol_page_examples_are_in_the_contract() -> None:
    """Each JSON on the page that names a message is one, to the letter."""
    page = (ROOT / "docs" / "protocol.md").read_text()
    examples = re.findall(r"```json (\w+)\n(.*?)```", page, re.S)
    for name, text in examples:
        MESSAGES[name].model_validate_json(text)
    shown = {name for name, _ in examples}
    sent = {one.__name__ for one in get_args(get_args(messages.AgentMessage)[0])}
    assert shown >= sent | {"ConfirmationVote", "ConfirmationResult", "ActionReport"}
    suggested = [json.loads(text) for name, text in examples if name == "ClientAction"]
    kinds = {one["action"]["action"] for one in suggested}
    definitions: Any = actions_schema("examples.storefront.agent.actions")["$defs"]
    for one in suggested:
        Draft202012Validator({"$ref": "#/$defs/Action", "$defs": definitions}).validate(
            one["action"]
        )
    assert len(kinds) == len(definitions["Action"]["oneOf"])


def test_protocol_page_names_every_topic_and_method() -> None:
    """Of our own."""
    page = (ROOT / "docs" / "protocol.md").read_text()
    ours = {value for value in vars(names).values() if str(value).startswith("parley.")}
    assert {value for value in ours if f"`{value}`" not in page} == set()
