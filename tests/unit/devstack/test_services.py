"""Which processes are started, and for which agent."""

from pathlib import Path

import pytest

from devstack import checks, services
from devstack.__main__ import _welcome


@pytest.fixture(autouse=True)
def _no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(agent: str, monkeypatch: pytest.MonkeyPatch) -> services.Loaded:
    """The settings with that agent."""
    monkeypatch.setenv("PARLEY_AGENT", agent)
    found, problems = checks.settings()
    assert problems == []
    return found


def test_services_of_the_example_include_its_shop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo has a backend and a sentence to try."""
    settings = loaded("examples.storefront.agent", monkeypatch)
    assert "storefront" in services.commands(settings)
    assert "order seven" in "\n".join(_welcome(settings, Path("logs")))


def test_services_of_an_agent_made_of_the_examples_can_include_its_shop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A setting says so, either way."""
    monkeypatch.setenv("PARLEY_START_STOREFRONT", "true")
    assert "storefront" in services.commands(loaded("my.shop", monkeypatch))
    monkeypatch.setenv("PARLEY_START_STOREFRONT", "false")
    assert "storefront" not in services.commands(loaded("examples.storefront.agent", monkeypatch))


@pytest.mark.parametrize("agent", ["clinic.agent", "examples.storefront_of_mine"])
def test_services_of_another_agent_have_no_shop(
    agent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clinic's `make run` has nothing to do with the shop's orders."""
    settings = loaded(agent, monkeypatch)
    commands = services.commands(settings)
    assert "storefront" not in commands
    assert set(commands) == {service.name for service in services.SERVICES} - {"storefront"}
    welcome = "\n".join(_welcome(settings, Path("logs")))
    assert "order" not in welcome
    assert 'make ask SAY="..."' in welcome


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
