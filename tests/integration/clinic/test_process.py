"""The clinic's backend as a process of its own."""

import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx

from devstack.parent_death import die_with_parent
from tests.support.local_stack import ROOT, free_ports

START_TIMEOUT_S = 60


def start(folder: Path, port: int, *arguments: str) -> "subprocess.Popen[bytes]":
    """The backend in *folder*, ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "examples.clinic.backend", *arguments],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PARLEY_CLINIC_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).raise_for_status()
            return process
        except httpx.HTTPError:
            time.sleep(0.05)
    process.kill()
    raise RuntimeError("the clinic is not ready")


def test_killed_backend_replays_its_effects_when_started_again(tmp_path: Path) -> None:
    """SIGKILL loses no effect and no key; `--reset` loses both."""
    (port,) = free_ports(1)
    ask = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Idempotency-Key": "k"},
        trust_env=False,
        timeout=30,
    )
    wish = {"name": "Sam Rivera", "phone_number": "2025550134"}
    process = start(tmp_path, port)
    try:
        first = ask.post("/v1/appointments/1/cancel", json=wish)
        assert first.status_code == 200
        process.kill()
        process.wait(10)
        process = start(tmp_path, port)
        again = ask.post("/v1/appointments/1/cancel", json=wish)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
        process.kill()
        process.wait(10)
        process = start(tmp_path, port, "--reset")
        anew = ask.post("/v1/appointments/1/cancel", json=wish)
        assert (anew.status_code, "Idempotency-Replayed" in anew.headers) == (200, False)
    finally:
        process.kill()
        process.wait(10)
        ask.close()
