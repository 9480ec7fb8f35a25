"""Processes that end with the one that started them, even when that one is killed."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(signum: signal.Signals = signal.SIGTERM) -> None:
    """
    Have the kernel send *signum* to this process when the thread that started it ends.

    It survives `exec`. Elsewhere than on Linux it does nothing: there only an orderly stop of
    the parent stops its children. Safe between fork and exec: nothing is imported or allocated.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(signum))
