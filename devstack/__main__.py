"""
`python -m devstack`: check everything, start everything, wait for Ctrl-C.

`--prepare`, as `make run` calls it: first get the SFU and build the page if they are missing.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from devstack import checks, prepare, services
from devstack.runner import Runner
from devstack.settings import StackSettings

STOP_GRACE_S = 10.0


def main(arguments: list[str]) -> int:
    """Returns: 0 when stopped on purpose, 1 when a process failed, 2 when a check did."""
    loaded, problems = checks.settings()
    # Nothing is built for settings that are wrong.
    if not problems and "--prepare" in arguments and (code := prepare.main(["sfu", "web"])):
        return code
    lines = {} if problems else services.commands(loaded)
    problems = problems or list(checks.problems(loaded, lines))
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 2
    stack = loaded["sfu"]
    assert isinstance(stack, StackSettings)
    runner = Runner(
        services.programs(lines, loaded),
        log_dir=stack.run_dir / "logs",
        environment={
            **os.environ,
            **services.derived(loaded),
            # The Procfile says `python`: this one.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        },
        ready_timeout_s=stack.ready_timeout_s,
        stop_grace_s=STOP_GRACE_S,
        say=_say,
        show_logs=stack.logs,
    )
    return asyncio.run(runner.run(_welcome(loaded, stack.run_dir / "logs")))


def _welcome(loaded: services.Loaded, logs: Path) -> list[str]:
    page = services.TOKEN.url(loaded["token-service"])
    example = services.example_of(loaded)
    question = "..." if example is None else example.question
    return [
        "",
        f'Open {page} and press "Call now"; or, without a microphone:',
        f'  make ask SAY="{question}"',
        f"Logs: {logs}. Ctrl-C stops everything.",
    ]


def _say(line: str) -> None:
    # A closed terminal must not keep us from stopping what we started.
    with contextlib.suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
