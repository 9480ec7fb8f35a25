"""A post-call process that tests start and kill; forked, so that it need not import everything."""

import os
import sys
from pathlib import Path

import post_call.app  # noqa: F401 - imported before the fork
from post_call.__main__ import main


def run(variables: dict[str, str], log: Path) -> None:
    """Serve with those settings and no others; all output is appended to *log*."""
    for name in [name for name in os.environ if name.startswith("PARLEY_")]:
        del os.environ[name]
    os.environ.update(variables)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = ["post_call"]
    os.chdir(log.parent)
    sys.exit(main())
