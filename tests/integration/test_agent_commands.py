"""`describe` and `rehearse` as an author runs them, with the example agent and a real shop."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from stack.parent_death import die_with_parent
from tests.local_stack import ROOT, free_ports

AGENT = "examples.storefront.agent"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of a machine on which the shop runs, freshly seeded."""
    folder = tmp_path_factory.mktemp("shop")
    (port,) = free_ports(1)
    variables = {name: value for name, value in os.environ.items() if name[:7] != "PARLEY_"}
    variables |= {
        "PYTHONPATH": str(ROOT),
        "PARLEY_STOREFRONT_URL": f"http://127.0.0.1:{port}",
        "PARLEY_STOREFRONT_PORT": str(port),
        "PARLEY_STOREFRONT_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/shop.db",
    }
    shop = subprocess.Popen(
        [sys.executable, "-m", "examples.storefront.backend"],
        cwd=folder,
        env=variables,
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        for _ in range(300):
            try:
                httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                asyncio.run(asyncio.sleep(0.05))
        yield variables
    finally:
        shop.terminate()
        shop.wait(10)


def run(
    environment: dict[str, str], folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m agent_worker` with *arguments*."""
    return subprocess.run(
        [sys.executable, "-m", "agent_worker", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_example_agent_is_described_as_its_page_says(environment: dict[str, str]) -> None:
    """The page in the repository is what the command prints, MCP tools included."""
    described = run(environment, ROOT, "describe", AGENT)
    assert described.returncode == 0, described.stderr
    page = ROOT / "examples" / "storefront" / "agent" / "TOOLS.md"
    assert described.stdout == page.read_text()
    assert "remove_article" not in described.stdout


def test_example_agents_rehearsals_go_as_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Each of its scripts, against the shop and its knowledge base."""
    rehearsed = run(environment, tmp_path, "rehearse", AGENT)
    assert rehearsed.returncode == 0, rehearsed.stdout + rehearsed.stderr
    assert "4 of 4 rehearsals went as written." in rehearsed.stdout


def test_rehearsal_that_fails_is_told_with_its_conversation(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """And a script that is wrong is no rehearsal at all."""
    script = tmp_path / "wrong.yaml"
    script.write_text("{name: Wrong, steps: [{caller: what can you do, says: nothing}]}")
    failed = run(environment, tmp_path, "rehearse", AGENT, str(script))
    assert failed.returncode == 1
    assert "FAILED  Wrong" in failed.stdout and "caller: what can you do" in failed.stdout
    script.write_text("{name: Wrong}")
    unusable = run(environment, tmp_path, "rehearse", AGENT, str(script))
    assert unusable.returncode == 2 and "Traceback" not in unusable.stderr
    assert f"{script}: steps: Field required" in unusable.stderr


AGENT_WITH_A_DEAD_SERVER = """
import dataclasses
from agent_worker.tools.mcp import allow, mcp_server
from examples.storefront.agent import AGENT as SHOP

DEAD = mcp_server("dead", url="http://127.0.0.1:9/mcp", tools={"search": allow(effect="read")})
AGENT = dataclasses.replace(SHOP, mcp=(*SHOP.mcp, DEAD))
"""


def test_agent_with_a_dead_mcp_server_does_not_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """One sentence with file, line and server, and no half an agent."""
    (tmp_path / "half_agent.py").write_text(AGENT_WITH_A_DEAD_SERVER)
    path = f"{tmp_path}:{environment['PYTHONPATH']}"
    dead = run({**environment, "PYTHONPATH": path}, tmp_path, "describe", "half_agent")
    assert dead.returncode == 2
    assert "half_agent.py:6: the MCP server 'dead' does not answer" in dead.stderr
    assert "Traceback" not in dead.stderr
