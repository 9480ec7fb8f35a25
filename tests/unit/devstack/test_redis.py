"""Redis for the tests."""

from pathlib import Path

import pytest

from devstack import redis
from devstack.step import StepError


def test_missing_server_that_cannot_be_installed_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepError, match="apt-get install redis-server"):
        redis.get()
    with pytest.raises(StepError, match="missing"), redis.running(1):
        pass
