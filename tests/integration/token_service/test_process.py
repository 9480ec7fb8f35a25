"""`python -m token_service` as it is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_stack import LocalStack


def started(stack: LocalStack) -> "subprocess.CompletedProcess[str]":
    """The process, which must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "token_service"],
        cwd=stack.folder,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"PARLEY_TOKEN_HOST": "0.0.0.0", "PARLEY_SFU_API_SECRET": "hunter2"},  # noqa: S104
            "Bad setting: PARLEY_TOKEN_OPEN: everyone who reaches 0.0.0.0 could call: "
            "set PARLEY_TOKEN_AUTH, or this to true",
        ),
        (
            {"PARLEY_TOKEN_AUTH": "api-key"},
            "Bad setting: PARLEY_TOKEN_API_KEYS_FILE: {run}/api-keys.yaml does not exist; "
            "write it, one `tenant: secret` a line.",
        ),
    ],
)
def test_service_that_would_be_open_or_broken_does_not_start(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    """It says why in one plain sentence, without what is secret, and exits with 2."""
    stack = LocalStack.on_free_ports(tmp_path)
    stack.run_dir.mkdir()
    stack.keys_file.write_text("APIx: " + "x" * 40)
    if "PARLEY_TOKEN_AUTH" in settings:
        (stack.run_dir / "journal-keys.yaml").write_text("journal-x: " + "x" * 40)
        (stack.run_dir / "journal-keys.yaml").chmod(0o600)
    stack.variables.update(settings)
    ended = started(stack)
    assert ended.returncode == 2
    assert sentence.format(run=stack.run_dir) in ended.stderr.splitlines()
    assert "hunter2" not in ended.stderr + ended.stdout
