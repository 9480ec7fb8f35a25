"""The backend as a process of its own: started, killed, started again."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx

ROOT = Path(__file__).parents[3]
START_TIMEOUT_S = 30


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


async def spawn(folder: Path, port: int, *arguments: str, **settings: str) -> Process:
    """Starts the backend in *folder*, with its database there by default."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "examples.storefront.backend",
        *arguments,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PARLEY_STOREFRONT_PORT": str(port),
            "PARLEY_STOREFRONT_DEMO_CUSTOMER": "true",
            **settings,
        },
        stdout=PIPE,
        stderr=PIPE,
    )


@asynccontextmanager
async def running(
    folder: Path, *arguments: str
) -> AsyncIterator[tuple[httpx.AsyncClient, Process]]:
    port = free_port()
    process = await spawn(folder, port, *arguments)
    try:
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
            asyncio.timeout(START_TIMEOUT_S),
        ):
            while not await is_ready(client):
                assert process.returncode is None, (await process.communicate())[1].decode()
                await asyncio.sleep(0.05)
            yield client, process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False


async def test_backend_killed_after_effects_replays_them_when_started_again(
    tmp_path: Path,
) -> None:
    """SIGKILL loses no effect and no key; `--reset` loses both."""
    headers = {"Idempotency-Key": "k"}
    async with running(tmp_path) as (client, process):
        first = await client.post("/v1/orders/9/cancel", headers=headers)
        assert first.status_code == 200
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    assert (tmp_path / ".run" / "storefront.db").is_file()
    async with running(tmp_path) as (client, _):
        again = await client.post("/v1/orders/9/cancel", headers=headers)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
        (effect,) = (await client.get("/v1/ledger")).json()["effects"]
        assert effect["requests"] == 2
    async with running(tmp_path, "--reset") as (client, _):
        assert (await client.get("/v1/orders/9")).json()["status"] == "processing"


async def test_backend_on_sigterm_ends_cleanly_and_has_logged_json(tmp_path: Path) -> None:
    """Exit is orderly, each line is JSON with its service, and no file of the log is left over."""
    async with running(tmp_path) as (client, process):
        await client.get("/v1/orders/7", headers={"X-Call-Id": "call-7"})
        process.terminate()
        out, err = await process.communicate()
    # uvicorn shuts down in order, then lets the signal have its way.
    assert (process.returncode, err) == (-signal.SIGTERM, b"")
    lines = [json.loads(line) for line in out.splitlines()]
    assert all(line["service"] == "storefront" for line in lines)
    (asked,) = [line for line in lines if line.get("route") == "/v1/orders/{number:int}"]
    assert (asked["event"], asked["call_id"]) == ("request.answered", "call-7")
    assert [path.name for path in (tmp_path / ".run").iterdir()] == ["storefront.db"]


async def test_backend_that_cannot_start_says_why_in_a_sentence(tmp_path: Path) -> None:
    """A database in a place where none can be, and a port that is taken: no traceback."""
    (tmp_path / "file").touch()
    url = "sqlite+aiosqlite:///file/shop.db"
    process = await spawn(tmp_path, free_port(), PARLEY_STOREFRONT_DATABASE_URL=url)
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.startswith(b"Bad setting: PARLEY_STOREFRONT_DATABASE_URL: the database cannot be")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = await spawn(tmp_path, port)
        _, err = await process.communicate()
    assert process.returncode == 2
    assert err.startswith(f"Cannot listen on 127.0.0.1:{port}: ".encode())


async def test_backend_killed_amid_effects_has_each_once_when_all_are_sent_again(
    tmp_path: Path,
) -> None:
    """Whichever of 20 refunds were committed before SIGKILL: sent again, all happened once."""

    async def refund(client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post(
            "/v1/orders/3/refund",
            json={"amount_cents": 100},
            headers={"Idempotency-Key": f"k{number}"},
        )

    async with running(tmp_path) as (client, process):
        tasks = [asyncio.create_task(refund(client, number)) for number in range(20)]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        process.kill()
        await process.communicate()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert any(isinstance(outcome, httpx.TransportError) for outcome in outcomes)
    async with running(tmp_path) as (client, _):
        answers = await asyncio.gather(*(refund(client, number) for number in range(20)))
        assert {answer.status_code for answer in answers} == {201}
        assert any("Idempotency-Replayed" in answer.headers for answer in answers)
        effects = (await client.get("/v1/ledger")).json()["effects"]
        assert (await client.get("/v1/orders/3")).json()["refunded_cents"] == 2000
    keys = [effect["idempotency_key"] for effect in effects]
    assert sorted(keys) == sorted(f"k{number}" for number in range(20))
