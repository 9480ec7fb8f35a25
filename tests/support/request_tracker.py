"""A Request Tracker 5 of our own: Debian's, installed with apt where we may, on a free port."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx

from devstack import apt
from devstack.parent_death import die_with_parent
from tests.support.local_stack import free_ports

LIB = Path("/usr/share/request-tracker5/lib")
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
DATABASE = Path("/var/lib/dbconfig-common/sqlite3/request-tracker5/rtdb")
"""Made by the package; we work on a copy."""
PACKAGES = ("rt5-db-sqlite", "rt5-standalone", "starman", "libplack-perl", "request-tracker5")
START_TIMEOUT_S = 60
TOKEN = """
use RT -init; use RT::AuthToken;
my $root = RT::User->new(RT->SystemUser); $root->Load("root");
my ($ok, $message, $token) = RT::AuthToken->new(RT->SystemUser)->Create(
    Owner => $root->Id, Description => "test");
die $message unless $ok; print $token;
"""


@dataclass(frozen=True)
class RequestTracker:
    """Where it is, and a token that may do everything."""

    url: str
    token: str


def get() -> None:
    """Raises: StepError: it is missing and cannot be installed here."""
    if not (SERVER.exists() and DATABASE.exists()):
        apt.install(
            *PACKAGES,
            needed_by="The tests of tickets in Request Tracker",
            name="Request Tracker 5",
            log=Path(".cache/request-tracker.log"),
        )


@contextmanager
def running(folder: Path) -> Iterator[RequestTracker]:
    """One with no tickets, in *folder*."""
    [port] = free_ports(1)
    shutil.copy(DATABASE, folder / "rtdb")
    (folder / "site.d").mkdir()
    site = folder / "site.pm"
    site.write_text(
        f"""
        Set($rtname, 'test'); Set($Organization, 'test');
        Set($WebDomain, '127.0.0.1'); Set($WebPort, {port}); Set($WebPath, '');
        Set($DatabaseType, 'SQLite'); Set($DatabaseName, '{folder}/rtdb');
        Set($LogToSyslog, undef); Set($LogToSTDERR, 'warning'); Set($MailCommand, 'testfile');
        1;
        """
    )
    environment = {
        **os.environ,
        "RT_SITE_CONFIG": str(site),
        "RT_SITE_CONFIG_DIR": str(folder / "site.d"),
    }
    made = subprocess.run(
        ["perl", f"-I{LIB}", "-e", TOKEN],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=START_TIMEOUT_S,
        check=True,
    )
    with open(folder / "rt.log", "wb") as log:
        process = subprocess.Popen(
            [str(SERVER), "--port", str(port), "--host", "127.0.0.1"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
            # It serves with children of its own, which outlive it: they are ended as a group.
            start_new_session=True,
        )
    started = RequestTracker(f"http://127.0.0.1:{port}", made.stdout.strip())
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(started):
            said = (folder / "rt.log").read_text(errors="replace")
            assert time.monotonic() < deadline and process.poll() is None, said
            time.sleep(0.2)
        yield started
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(started: RequestTracker) -> bool:
    headers = {"Authorization": f"token {started.token}"}
    try:
        answer = httpx.get(f"{started.url}/REST/2.0/rt", headers=headers, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == 200
