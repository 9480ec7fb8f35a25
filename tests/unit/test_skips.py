"""Skips."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_stack import ROOT

SKIPS = """
import pytest

def test_one():
    pytest.skip("no such program here")
"""


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_skip_is_a_failure_where_ci_is_set(tmp_path: Path, ci: str, code: int) -> None:
    """With its reason; elsewhere it is listed."""
    (tmp_path / "conftest.py").write_text(
        "from tests.support.ci_skips import pytest_runtest_makereport"
    )
    (tmp_path / "test_it.py").write_text(SKIPS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "CI": ci,
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no such program here" in done.stdout
    assert done.returncode == code, done.stdout
