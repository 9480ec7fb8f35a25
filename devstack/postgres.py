"""A private PostgreSQL for tests and benchmarks, installed with apt if this user is root."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import apt
from devstack.parent_death import die_with_parent
from devstack.step import StepError

START_TIMEOUT_S = 30
DEBIAN = Path("/usr/lib/postgresql")
USER = "parley"
INITDB = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")


def find() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them off PATH."""
    programs = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if programs:
        return programs[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def get() -> None:
    """
    Install PostgreSQL's server if there is none.

    Raises: StepError: it is missing and this user cannot install it, or apt failed.
    """
    if not find():
        apt.install(
            "postgresql",
            needed_by="The database tests",
            name="PostgreSQL's server",
            log=Path(".cache/postgres.log"),
            # Ours runs in a folder of its own; the package should not start another.
            PG_CREATECLUSTER_OPTIONS="--start-conf=manual",
        )


@contextmanager
def running(*, durable: bool) -> Iterator[str]:
    """
    A server of its own in a temporary folder, on a free port of 127.0.0.1.

    Args: durable: whether a commit waits for the disk.
    Yields: the SQLAlchemy URL of an empty database; its user may create others.
    Raises: StepError: there are no programs, or it does not start.
    """
    programs = find()
    if programs is None:
        raise StepError("PostgreSQL's server is missing.")
    # It refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="parley-postgres-"))
    log = folder / "log"
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        with open(log, "wb") as output:
            subprocess.run(  # noqa: S603
                [str(programs / "initdb"), "-D", str(data), *INITDB],
                user=user,
                cwd=folder,
                stdout=output,
                stderr=output,
                check=True,
                timeout=START_TIMEOUT_S,
            )
            port = _free_port()
            process = subprocess.Popen(  # noqa: S603
                [str(programs / "postgres"), "-D", str(data), *_options(port, durable)],
                user=user,
                cwd=folder,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,
            )
        try:
            _wait_ready(programs, process, port)
            yield f"postgresql+asyncpg://{USER}@127.0.0.1:{port}/postgres"
        finally:
            process.send_signal(signal.SIGINT)  # its fast shutdown
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    except (subprocess.SubprocessError, KeyError, LookupError) as error:
        raise StepError(f"PostgreSQL does not start: {error}; see {log}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _options(port: int, durable: bool) -> list[str]:
    options = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "port": port,
        "max_connections": 200,
        "fsync": "on" if durable else "off",
    }
    return [f"--{name}={value}" for name, value in options.items()]


def _wait_ready(programs: Path, process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        ready = subprocess.run(  # noqa: S603
            [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
        )
        if ready.returncode == 0:
            return
        time.sleep(0.05)
    raise subprocess.SubprocessError("it is not ready in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
