"""Who this process is."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from post_call import executor_id
from service_base.settings import SettingsError


def test_identity_is_the_hosts_with_the_first_free_number(tmp_path: Path) -> None:
    """A second process gets the next one; what is given back is taken first."""
    first, second = executor_id.take(tmp_path), executor_id.take(tmp_path)
    host = socket.gethostname()
    assert (first.executor_id, second.executor_id) == (f"{host}-0", f"{host}-1")
    first.release()
    again = executor_id.take(tmp_path)
    assert again.executor_id == f"{host}-0"
    again.release()
    second.release()


def test_identity_chosen_twice_is_refused(tmp_path: Path) -> None:
    """Two processes of one name would do each other's work."""
    held = executor_id.take(tmp_path, "a")
    with pytest.raises(SettingsError, match="another process on this host has that name"):
        executor_id.take(tmp_path, "a")
    held.release()


def test_identity_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The system takes the lock back, so the next process goes on with the same work."""
    code = (
        "import pathlib, sys, time; from post_call import executor_id;"
        "held = executor_id.take(pathlib.Path(sys.argv[1]), 'a'); print('held', flush=True);"
        "time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(SettingsError):
            executor_id.take(tmp_path, "a")
        process.kill()
        process.wait()
    executor_id.take(tmp_path, "a").release()


def test_identity_without_a_folder_is_a_sentence(tmp_path: Path) -> None:
    """It names the setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"PARLEY_RUN_DIR: .*file"):
        executor_id.take(tmp_path / "file")
