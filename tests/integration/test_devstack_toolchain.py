"""Go and Node from the real package registry."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from devstack import toolchain
from devstack.toolchain import GO, NODE

FETCH_TIMEOUT_S = 600


def path_without(programs: set[str], folder: Path) -> str:
    """A PATH of links to everything on this one but *programs*."""
    folder.mkdir()
    for part in os.environ["PATH"].split(os.pathsep):
        for program in Path(part).glob("*"):
            link = folder / program.name
            if program.name not in programs and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Go, no Node, nothing fetched, and an empty home."""
    monkeypatch.setenv("PATH", path_without({"go", "node", "npm", "npx"}, tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(toolchain, "FETCHED", tmp_path / "toolchain")
    monkeypatch.chdir(tmp_path)


def said(tmp_path: Path, variables: dict[str, str], *command: str) -> str:
    """What *command* prints with *variables* added to the environment."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    ).stdout


@pytest.mark.long
@pytest.mark.timeout(FETCH_TIMEOUT_S)
def test_go_fetched_builds_a_program_and_leaves_the_home_alone(tmp_path: Path) -> None:
    """The package's compiler and library are whole."""
    variables = toolchain.variables(GO)
    (tmp_path / "go.mod").write_text(f"module hello\n\ngo {GO.least_text}\n")
    (tmp_path / "main.go").write_text('package main\n\nfunc main() { println("hello") }\n')
    said(tmp_path, variables, "go", "build", "-o", "hello", ".")
    assert os.access(tmp_path / "hello", os.X_OK)
    assert not (tmp_path / "go").exists()
    assert not (tmp_path / ".cache" / "go-build").exists()


@pytest.mark.long
@pytest.mark.timeout(FETCH_TIMEOUT_S)
def test_node_fetched_runs_scripts_that_call_npm_and_node(tmp_path: Path) -> None:
    """As the scripts of web/package.json do."""
    variables = toolchain.variables(NODE)
    scripts = {"outer": "npm run --silent inner", "inner": "node --version"}
    (tmp_path / "package.json").write_text(json.dumps({"scripts": scripts}))
    printed = said(tmp_path, variables, "npm", "run", "--silent", "outer")
    assert int(printed.removeprefix("v").split(".")[0]) >= NODE.least[0]
    assert not (tmp_path / ".npm").exists()
