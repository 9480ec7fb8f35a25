"""`describe`, `rehearse` and the bench of understanding as an author runs them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

from devstack.parent_death import die_with_parent
from tests.support.local_stack import ROOT, free_ports

pytestmark = pytest.mark.timeout(300)
EXAMPLES = ("storefront", "clinic")


@contextmanager
def backend(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """The variables of a machine on which an example's backend runs, freshly seeded."""
    (port,) = free_ports(1)
    prefix = f"PARLEY_{name.upper()}"
    variables = {name: value for name, value in os.environ.items() if name[:7] != "PARLEY_"}
    variables |= {
        "PYTHONPATH": str(ROOT),
        f"{prefix}_URL": f"http://127.0.0.1:{port}",
        f"{prefix}_PORT": str(port),
        f"{prefix}_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/{name}.db",
        "PARLEY_STOREFRONT_DEMO_CUSTOMER": "true",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", f"examples.{name}.backend", "--allow-reset"],
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
        process.terminate()
        process.wait(10)


@pytest.fixture(params=EXAMPLES, scope="module")
def example(request: pytest.FixtureRequest) -> str:
    """The name of an example."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def environment(example: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of a machine on which the example's backend runs."""
    with backend(example, tmp_path_factory.mktemp(example)) as variables:
        yield variables


def run(
    environment: dict[str, str], folder: Path, *arguments: str, module: str = "agent_worker"
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m` *module* with *arguments*."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_example_agent_is_described_as_its_page_says(
    example: str, environment: dict[str, str]
) -> None:
    """The page in the repository is what the command prints, MCP tools included."""
    described = run(environment, ROOT, "describe", f"examples.{example}.agent")
    assert described.returncode == 0, described.stderr
    page = ROOT / "examples" / example / "agent" / "TOOLS.md"
    assert described.stdout == page.read_text()
    assert "remove_article" not in described.stdout


def test_example_agents_rehearsals_go_as_written_and_a_wrong_one_is_told(
    example: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """
    Against its real backend, whose data are as before for each script; what fails is told with its
    conversation.
    """
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("{name: Wrong, steps: [{caller: what can you do, says: nothing}]}")
    ours = sorted((ROOT / "examples" / example / "agent" / "rehearsals").glob("*.yaml"))
    agent = f"examples.{example}.agent"
    first = run(environment, tmp_path, "rehearse", agent)
    assert first.returncode == 0, first.stdout + first.stderr
    assert f"{len(ours)} of {len(ours)} rehearsals went as written." in first.stdout
    rehearsed = run(environment, tmp_path, "rehearse", agent, *map(str, ours), str(wrong))
    said = rehearsed.stdout
    assert rehearsed.returncode == 1, said + rehearsed.stderr
    assert f"{len(ours)} of {len(ours) + 1} rehearsals went as written." in said
    assert said.count("FAILED") == 1 and "FAILED  Wrong" in said
    assert "caller: what can you do" in said and "did not say 'nothing'" in said


SAID = """tool\targuments\tsentence
order_status\t{"order_number":9}\twhere is order nine
cancel_order\t{"order_number":9}\tcancel order nine
yes\t{}\tcancel order nine >> yes
refund_order\t{"order_number":3,"amount_dollars":10}\trefund ten dollars of order three
move_appointment\t{"day":"tomorrow"}\tmove my appointment to tomorrow
closed\t{}\tbook an appointment tomorrow at four in the morning
find_product\t{"query":"bell"}\twhere is order nine
"""


@pytest.mark.parametrize("example", ["storefront"], indirect=True, scope="module")
def test_understanding_is_measured(environment: dict[str, str], tmp_path: Path) -> None:
    """Against the shop and its ledger; too few lines that are right are an error."""
    file = tmp_path / "said.tsv"
    file.write_text(SAID)
    call = ("understanding", str(file), "--agent", "examples.storefront.agent", "--at-least")
    few = run(environment, tmp_path, *call, "7", module="bench")
    assert (few.returncode, few.stderr.strip()) == (1, "6 lines are right, not 7."), few.stdout
    assert "right                    6    86%" in few.stdout
    assert "wrong effect             0     0%" in few.stdout
    assert "line 8: wrong tool or words: where is order nine" in few.stdout
    assert "proposed order_status with {'order_number': 9}" in few.stdout
    file.write_text("".join(SAID.splitlines(keepends=True)[:2]))
    assert run(environment, tmp_path, *call, "1", module="bench").returncode == 0
