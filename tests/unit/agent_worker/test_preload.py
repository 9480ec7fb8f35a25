"""What the processes of calls share, and what each loads anew."""

import os
import subprocess
import sys

import pytest

from tests.support.local_stack import ROOT

ASK = "import agent_worker.preload, sys; print('examples.storefront.agent' in sys.modules)"


@pytest.mark.parametrize(("reload", "is_shared"), [("false", "True"), ("true", "False")])
def test_agent_is_shared_by_calls_unless_each_is_to_load_it_anew(
    reload: str, is_shared: str
) -> None:
    """Loaded anew, an edit of it is live in the next call."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    chosen = {"PARLEY_WORKER_RELOAD": reload, "PARLEY_AGENT": "examples.storefront.agent"}
    asked = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**kept, **chosen},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert asked.stdout.strip() == is_shared
