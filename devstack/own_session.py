"""
`python -m devstack.own_session COMMAND ...`: run a command whose children must not be signalled.

SIGTERM to the whole process group of an agent worker kills its calls; SIGTERM to its parent alone
lets them finish. Process managers signal groups. So this process stands in the manager's group,
runs the command in a session of its own, and passes the signal on to that one process.
"""

import os
import signal
import subprocess
import sys
from types import FrameType

from devstack.parent_death import die_with_parent

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    """Returns: the command's exit code, or 128 + the signal that ended it."""
    stopping: list[int] = []
    child: subprocess.Popen[bytes] | None = None

    def forward(signum: int, _: FrameType | None) -> None:
        stopping.append(signum)
        if child is not None:
            child.send_signal(signal.SIGTERM)

    for signum in FORWARDED:
        signal.signal(signum, forward)
    child = subprocess.Popen(  # noqa: S603
        sys.argv[1:],
        start_new_session=True,
        # If this process is killed outright, the command must end too.
        preexec_fn=lambda: die_with_parent(signal.SIGKILL),
    )
    if stopping:
        child.send_signal(signal.SIGTERM)
    code = child.wait()
    try:
        # Nothing else would end what the command left behind in its session.
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
