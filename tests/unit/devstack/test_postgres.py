"""PostgreSQL for the tests."""

from pathlib import Path

import pytest

from devstack import postgres
from devstack.step import StepError


def test_find_takes_the_newest_of_debians(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """15 comes after 9."""
    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    assert postgres.find() == tmp_path / "15" / "bin"


def test_missing_server_that_cannot_be_installed_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install."""
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres.find() is None
    with pytest.raises(StepError, match="apt-get install postgresql"):
        postgres.get()
    with pytest.raises(StepError, match="missing"), postgres.running(durable=False):
        pass
