"""Which livekit-server is run, and what is said when there is none."""

from pathlib import Path

import pytest

from devstack import livekit_server, toolchain
from devstack.livekit_server import VERSION
from devstack.step import StepError

GO_VERSION = '[ "$1" = version ] && echo go version go1.26.0 x/y && exit'


def program(folder: Path, name: str, script: str) -> Path:
    """An executable shell script *name* in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH; nothing was built before."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(toolchain, "FETCHED", tmp_path / "toolchain")
    monkeypatch.setattr(livekit_server, "BUILT", tmp_path / "built" / "livekit-server")
    monkeypatch.chdir(tmp_path)
    return folder


def test_server_on_path_of_our_version_is_taken(path: Path) -> None:
    """What the person has installed is used."""
    mine = program(path, "livekit-server", f"echo livekit-server version {VERSION}")
    assert livekit_server.get(None) == mine


def test_server_on_path_of_another_version_is_passed_over_for_the_built_one(path: Path) -> None:
    """Settings are checked strictly by the server, so its version matters."""
    program(path, "livekit-server", r"printf '\377\376 version 1.9.0'")
    built = program(path.parent / "built", "livekit-server", f"echo x version {VERSION}")
    assert livekit_server.get(None) == built


def test_server_chosen_by_setting_is_taken_whatever_its_version(path: Path) -> None:
    """Who names one knows why."""
    mine = program(path.parent, "my-server", "exit 1")
    assert livekit_server.get(mine) == mine


def test_server_chosen_by_setting_but_missing_is_a_sentence(path: Path) -> None:
    """It is not silently replaced by another."""
    with pytest.raises(StepError, match="PARLEY_SFU_BINARY: nowhere is not a program"):
        livekit_server.get(Path("nowhere"))


def test_server_without_go_and_without_network_says_all_that_was_tried(path: Path) -> None:
    """No server, no Go, and none to be fetched: each with its remedy."""
    program(path, "uv", "echo no route to host; exit 1")
    with pytest.raises(StepError) as raised:
        livekit_server.get(None)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"There is no livekit-server {VERSION} on your PATH, and no Go to build it."
    assert lines[2] == "  | no route to host"
    assert "https://go.dev/dl" in lines[-1]


def test_server_that_does_not_build_shows_why(path: Path) -> None:
    """The end of Go's own output and the remedy."""
    program(path, "go", f"{GO_VERSION}; echo dial tcp: no route to host; exit 1")
    with pytest.raises(StepError, match=r"(?s)failed.*no route to host.*module proxy"):
        livekit_server.get(None)


def test_server_is_built_with_go_once(path: Path) -> None:
    """Go puts `server` into GOBIN; it becomes livekit-server and the next start finds it."""
    (path.parent / "built").mkdir()
    program(
        path,
        "go",
        f"{GO_VERSION}\n"
        f'[ "$1 $2" = "install {livekit_server.MODULE}" ] || exit 9\n'
        f"printf '#!/bin/sh\\necho livekit-server version {VERSION}\\n' >\"$GOBIN/server\"\n"
        '/bin/chmod +x "$GOBIN/server"',
    )
    assert livekit_server.get(None) == livekit_server.BUILT
    (path / "go").unlink()
    assert livekit_server.get(None) == livekit_server.BUILT
