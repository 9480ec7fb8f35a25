"""What each container is given to know."""

from pathlib import Path

import pytest

from devstack import container_keys
from devstack.container_keys import make
from service_base.key_file import read

OWN = {
    "keys": {"sfu-keys.yaml", "journal-keys.yaml"},
    "sfu": {"sfu-keys.yaml"},
    "token-service": {"sfu-keys.yaml", "journal-keys.yaml", "pgpass"},
    "agent-worker": {"sfu-keys.yaml", "journal-keys.yaml", "pgpass"},
    "call-supervisor": {"sfu-keys.yaml", "journal-keys.yaml", "pgpass"},
    "post-call": {"journal-keys.yaml", "pgpass"},
    "migrate": {"journal-keys.yaml", "pgpass"},
    "postgres": {"password"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the volumes are mounted."""
    for name in OWN:
        (tmp_path / name).mkdir()
    return tmp_path


def contents(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_text() for file in files}


def test_each_container_knows_what_it_needs_and_no_more(folder: Path) -> None:
    """Passwords differ; only PostgreSQL's own may be read by another user."""
    make(folder)
    assert {path.name: {file.name for file in path.iterdir()} for path in folder.iterdir()} == OWN
    passwords = {file.read_text() for file in folder.glob("*/pgpass")}
    assert len(passwords) == 5
    for file in folder.glob("*/*"):
        assert file.stat().st_mode & 0o777 == (0o444 if file.name == "password" else 0o600)
    owner = (folder / "postgres" / "password").read_text()
    assert (folder / "migrate" / "pgpass").read_text() == f"*:*:*:parley:{owner}\n"


def test_what_is_there_stays_and_a_key_that_was_changed_is_handed_out(folder: Path) -> None:
    """A second start changes nothing."""
    make(folder)
    before = contents(folder)
    make(folder)
    assert contents(folder) == before
    (folder / "keys" / "journal-keys.yaml").write_text(f"new: {'n' * 40}\n")
    (folder / "keys" / "api-keys.yaml").write_text(f"shop: {'s' * 40}\n")
    make(folder)
    assert list(read(folder / "token-service" / "api-keys.yaml", "X")) == ["shop"]
    for name in ("token-service", "agent-worker", "call-supervisor", "post-call", "migrate"):
        assert list(read(folder / name / "journal-keys.yaml", "X")) == ["new"]


def test_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and exit code 2."""
    (tmp_path / "keys").write_text("a file")
    monkeypatch.setattr("sys.argv", ["container_keys", str(tmp_path)])
    assert container_keys.main() == 2
    assert "keys" in capsys.readouterr().err
