"""The executor id of this process: the same after a restart, and never used by two processes."""

import fcntl
import os
import socket
from pathlib import Path

from service_base.settings import SettingsError

MAX_ON_HOST = 100


class ExecutorId:
    """
    An executor's id, held by a locked file for as long as the process lives.

    The system gives the lock back when the process dies, however it dies, and the next process on
    this host takes the id, and with it the work.
    """

    def __init__(self, executor_id: str, descriptor: int) -> None:
        self.executor_id = executor_id
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._descriptor)


def take(run_dir: Path, chosen: str = "") -> ExecutorId:
    """
    Take the id *chosen*, or the host's name with the first number that is free.

    Raises: SettingsError: another process on this host has it, or the run folder cannot be used.
    """
    host = socket.gethostname()
    names = [chosen] if chosen else [f"{host}-{number}" for number in range(MAX_ON_HOST)]
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        for name in names:
            descriptor = os.open(run_dir / f"post-call.{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return ExecutorId(name, descriptor)
    except OSError as error:
        raise SettingsError(f"PARLEY_RUN_DIR: {run_dir}: {error.strerror}.") from None
    raise SettingsError(
        "PARLEY_POST_CALL_EXECUTOR_ID: another process on this host has that name."
        if chosen
        else "PARLEY_POST_CALL_EXECUTOR_ID: no number is free on this host."
    )
