"""The small agent's templates, compiled once a test."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from agent_worker.agent import AgentDefinition
    from agent_worker.reasoning.templates import Templates

# Nothing of the worker is imported before a test asks for it, so that test_livekit_compat.py can
# name what LiveKit took away although the worker can no longer be imported.


@pytest.fixture
def templates(tmp_path: Path) -> "Templates":
    from tests.unit.agent_worker.small_agent import load_templates

    return load_templates(tmp_path)


@pytest.fixture
def agent(templates: "Templates") -> "AgentDefinition":
    from tests.unit.agent_worker.small_agent import small_agent

    return small_agent(templates)
