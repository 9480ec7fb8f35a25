"""The documentation says what the code does, where a command can tell."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import agent_worker.worker
import call_supervisor.metrics
import post_call.metrics
import speech_server.metrics
import token_service.app
from agent_worker.loading import load_agent

FENCE = r"```%s\n(.*?)```"
ROOT = Path(__file__).parents[2]
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


def test_agents_page_example_works_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest agent on the page can be copied, loaded and understood."""
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
