"""A long step of the preparation."""

import sys
import time
from pathlib import Path

import pytest

from devstack import step
from devstack.step import StepError


def test_step_that_hangs_is_killed_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every wait has an end, and a sign of life before it."""
    monkeypatch.setattr(step, "PROGRESS_EVERY_S", 0.1)
    started = time.monotonic()
    with pytest.raises(StepError, match="Waiting: not done after"):
        step.run(
            "Waiting",
            [sys.executable, "-c", "import time; time.sleep(60)"],
            log=tmp_path / "log",
            remedy="Wait longer.",
            timeout_s=0.3,
        )
    assert time.monotonic() - started < 10
    assert capsys.readouterr().out.startswith("Waiting ...\n  0 s\n")


def test_step_that_fails_shows_the_end_of_its_log_and_the_remedy(tmp_path: Path) -> None:
    """A hundred lines are not thrown at the person."""
    code = "print(*range(100), sep='\\n'); raise SystemExit(1)"
    with pytest.raises(StepError) as raised:
        step.run(
            "Counting",
            [sys.executable, "-c", code],
            log=tmp_path / "log",
            remedy="Count better.",
            timeout_s=30,
        )
    lines = str(raised.value).splitlines()
    assert lines[0] == "Counting: failed."
    assert lines[1:-1] == [f"  | {number}" for number in range(88, 100)]
    assert lines[-1] == f"Count better. All of its output is in {tmp_path / 'log'}."
