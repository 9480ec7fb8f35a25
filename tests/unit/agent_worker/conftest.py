"""The small agent's templates, compiled once a test."""

from pathlib import Path

import pytest

from agent_worker.agent import AgentDefinition
from agent_worker.reasoning.templates import Templates
from tests.unit.agent_worker.small_agent import load_templates, small_agent


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return load_templates(tmp_path)


@pytest.fixture
def agent(templates: Templates) -> AgentDefinition:
    return small_agent(templates)
