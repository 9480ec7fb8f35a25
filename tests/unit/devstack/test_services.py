"""Which processes are started, and for which agent."""

from pathlib import Path
from typing import get_args

import pytest

from devstack import checks, services
from devstack.__main__ import _welcome
from devstack.examples import EXAMPLES
from devstack.settings import StackSettings

BACKENDS = {example.backend.name for example in EXAMPLES}


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(agent: str, monkeypatch: pytest.MonkeyPatch) -> services.Loaded:
    """The settings with that agent."""
    monkeypatch.setenv("PARLEY_AGENT", agent)
    found, problems = checks.settings()
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("name", "question"), [("storefront", "order seven"), ("clinic", "free tomorrow")]
)
def test_services_of_an_example_include_its_backend_alone(
    name: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each demo has a backend and a sentence to try."""
    settings = loaded(f"examples.{name}.agent", monkeypatch)
    assert BACKENDS & services.commands(settings).keys() == {name}
    assert question in "\n".join(_welcome(settings, Path("logs")))


def test_services_of_an_agent_made_of_an_example_can_include_its_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A setting says so, either way."""
    monkeypatch.setenv("PARLEY_START_EXAMPLE", "storefront")
    assert BACKENDS & services.commands(loaded("my.shop", monkeypatch)).keys() == {"storefront"}
    clinic = loaded("examples.clinic.agent", monkeypatch)
    assert BACKENDS & services.commands(clinic).keys() == {"storefront"}
    monkeypatch.setenv("PARLEY_START_EXAMPLE", "none")
    settings = loaded("examples.storefront.agent", monkeypatch)
    assert not BACKENDS & services.commands(settings).keys()


@pytest.mark.parametrize("agent", ["clinic.agent", "examples.storefront_of_mine"])
def test_services_of_another_agent_have_no_backend_of_an_example(
    agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `make run` has nothing to do with the shop's orders."""
    settings = loaded(agent, monkeypatch)
    commands = services.commands(settings)
    assert set(commands) == {service.name for service in services.SERVICES} - BACKENDS
    welcome = "\n".join(_welcome(settings, Path("logs")))
    assert "order" not in welcome
    assert 'make ask SAY="..."' in welcome


def test_examples_are_those_that_the_setting_and_the_procfile_name() -> None:
    """A third one is started too."""
    field = StackSettings.model_fields["start_example"]
    (named, _) = get_args(field.annotation)
    assert set(get_args(named)) == {example.name for example in EXAMPLES} | {"none"}
    procfile = (services.ROOT / "Procfile").read_text()
    assert all(f"\n{name}: exec python -m examples.{name}.backend" in procfile for name in BACKENDS)


def test_worker_asks_the_encoder_where_the_speech_server_has_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One setting is enough; a server of one's own goes before."""
    agent = "examples.storefront.agent"
    assert "PARLEY_ENCODER_URL" not in services.derived(loaded(agent, monkeypatch))
    monkeypatch.setenv("PARLEY_SPEECH_ENCODER", "true")
    monkeypatch.setenv("PARLEY_SPEECH_PORT", "9182")
    derived = services.derived(loaded(agent, monkeypatch))
    assert derived["PARLEY_ENCODER_URL"] == "http://127.0.0.1:9182/v1"
    monkeypatch.setenv("PARLEY_ENCODER_URL", "http://elsewhere/v1")
    assert "PARLEY_ENCODER_URL" not in services.derived(loaded(agent, monkeypatch))
