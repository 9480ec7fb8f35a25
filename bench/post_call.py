"""
After a call: how long from hang-up until the ticket is written in the shop's ticket system.

With the real post-call process and the real shop over HTTP, without a model. Calls end one after
another, then all at once.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from call_record import calls, erasure, follow_up, journal, keys, workers
from call_record.admission import Admitted, Applicant, admit
from call_record.calls import Claim
from call_record.database import Database
from call_record.follow_up import TICKET
from call_record.prepare import prepare
from call_record.record import Record
from devstack import postgres
from devstack.parent_death import die_with_parent
from devstack.step import StepError
from voice_contract.ids import new_call_id
from voice_contract.journal import (
    AgentTurnEnded,
    AgentTurnStarted,
    Entry,
    ToolStarted,
    ToolUnknown,
    UserTurn,
)

CALLS = 50
APART_S = 0.35
START_TIMEOUT_S = 30
SHOP_PORT, POST_CALL_PORT = 28_083, 28_085
TALK: list[Entry] = [
    *(
        entry
        for n in range(10)
        for entry in (
            UserTurn(text="I would like to know where my order number seven is, please."),
            AgentTurnStarted(turn_id=str(n), planned="Order 7 is on its way."),
            AgentTurnEnded(turn_id=str(n), heard="Order 7 is on its way.", interrupted=False),
        )
    ),
    ToolStarted(invocation_id="t", tool="refund_order", effect="write", arguments={"order": 3}),
    ToolUnknown(invocation_id="t", reason="No answer within 5 s."),
]
"""Ten turns, and a tool of which nobody knows whether it was done."""


def main() -> None:
    """Measure both databases and print."""
    print(f"{'':<52}{'p50 ms':>9}{'p95 ms':>9}{'calls':>11}")
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as name:
        folder = Path(name).absolute()
        _run("SQLite", folder, f"sqlite+aiosqlite:///{folder}/parley.db")
        with postgres.running(durable=True) as url:
            _run("PostgreSQL", folder, url)


def _run(name: str, folder: Path, url: str) -> None:
    variables = {
        "PARLEY_RUN_DIR": str(folder),
        "PARLEY_DATABASE_URL": url,
        "PARLEY_STOREFRONT_PORT": str(SHOP_PORT),
        "PARLEY_STOREFRONT_URL": f"http://127.0.0.1:{SHOP_PORT}",
        "PARLEY_POST_CALL_CRM": "examples.storefront.connectors:StorefrontCrm",
        "PARLEY_POST_CALL_TICKETS": "examples.storefront.connectors:StorefrontTickets",
        "PARLEY_STOREFRONT_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/{name}.db",
        "PARLEY_POST_CALL_PORT": str(POST_CALL_PORT),
        "PARLEY_LOG_LEVEL": "WARNING",
    }
    asyncio.run(prepare(url))
    ring = keys.ensure(folder / "journal-keys.yaml")
    with (
        _process("examples.storefront.backend", SHOP_PORT, variables),
        _process("post_call", POST_CALL_PORT, variables),
    ):
        asyncio.run(_measure(name, Record(Database(url, connections=4), ring)))


async def _measure(name: str, record: Record) -> None:
    await workers.register(record, "bench", 10_000)
    one_by_one = []
    for _ in range(CALLS):
        one_by_one.append(await _talked(record))
        await erasure.end(record, one_by_one[-1], "caller")
        await asyncio.sleep(APART_S)
    await _report(record, f"{name:<12}hang-up to ticket, one after another", one_by_one)
    at_once = [await _talked(record) for _ in range(CALLS)]
    await asyncio.gather(*(erasure.end(record, call_id, "caller") for call_id in at_once))
    await _report(record, f"{name:<12}hang-up to ticket, {CALLS} at once", at_once)
    await record.close()


async def _talked(record: Record) -> str:
    call_id = new_call_id()
    assert isinstance(await admit(record, call_id, Applicant(call_id)), Admitted)
    assert await calls.claim(record, call_id, 1, "bench", "bench") is Claim.CLAIMED
    await calls.join(record, call_id)
    await journal.append(record, call_id, 1, TALK)
    return call_id


async def _report(record: Record, what: str, call_ids: Sequence[str]) -> None:
    times_s = []
    for call_id in call_ids:
        async with asyncio.timeout(60):
            ticket = await _ticket(record, call_id)
        call = await calls.read(record, call_id)
        assert call is not None and call.ended_at_ms is not None
        times_s.append((ticket.at_ms - call.ended_at_ms) / 1000)
    ordered = sorted(times_s)
    p50, p95 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.95))
    print(f"{what:<52}{p50:>9.0f}{p95:>9.0f}{len(ordered):>11}")


async def _ticket(record: Record, call_id: str) -> follow_up.Step:
    """The step, when it is done."""
    while True:
        for one in await follow_up.read_steps(record, call_id):
            if one.step == TICKET and one.external_id:
                return one
        await asyncio.sleep(0.1)


@contextmanager
def _process(module: str, port: int, variables: dict[str, str]) -> Iterator[None]:
    """Raises: StepError: it does not start."""
    kept = {n: value for n, value in os.environ.items() if not n.startswith("PARLEY_")}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", module],
        env={**kept, **variables},
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _ready(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise StepError(f"{module} does not start on port {port}.")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
