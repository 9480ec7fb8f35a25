"""An agent's gate in a process that tests kill while its tool is at work."""

import asyncio
import itertools
from multiprocessing.connection import Connection
from pathlib import Path

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.events import GateEvents
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Proposal
from agent_worker.tools.tool import Answer, IdempotencyKey, tool
from agent_worker.tools.tool import Caller as GateCaller
from call_record import keys
from call_record.calls import raise_attempt, read
from call_record.database import Database
from call_record.lease import Lease
from call_record.record import Record
from call_record.writer import JournalWriter


class Disk:
    """A backend that keeps what was done in a folder, by key, and may never answer."""

    def __init__(self, folder: Path, *, answers: bool) -> None:
        self.folder = folder
        self._answers = answers
        self._numbers = itertools.count()

    async def do(self, key: str, what: str) -> None:
        """Keep *what*; a key that is known already does nothing new."""
        (self.folder / f"{key.replace(':', '_')}-{what}").write_text(what)
        if not self._answers:
            await asyncio.Event().wait()


@tool(effect="write", idempotent=True)
async def ship(number: int, *, disk: Disk, key: IdempotencyKey) -> Answer:
    """Ship; the backend honours the key."""
    await disk.do(key, f"ship{number}")
    return Answer(say=f"Shipped {number}.")


@tool(effect="write")
async def shout(number: int, *, disk: Disk, key: IdempotencyKey) -> Answer:
    """Shout; the backend knows no keys."""
    await disk.do(key, f"shout{number}")
    return Answer(say=f"Shouted {number}.")


@tool(effect="write", confirm="Burn {number}?", idempotent=True)
async def burn(number: int, *, disk: Disk, key: IdempotencyKey) -> Answer:
    """Burn, when the caller says so."""
    await disk.do(key, f"burn{number}")
    return Answer(say=f"Burnt {number}.")


TOOLS = (ship, shout, burn)


def gate_of(
    call_id: str,
    disk: Disk,
    journal: JournalWriter,
    lease: Lease,
    events: GateEvents | None = None,
) -> Gate:
    """The gate of that call."""
    return Gate(
        caller=GateCaller("caller", call_id),
        tools=TOOLS,
        resources=(disk,),
        journal=journal,
        lease=lease,
        metrics=Metrics(None),
        secret=b"key of the call",
        page=CallersPage(has_cards=True),
        events=events,
        settle_s=0.0,
    )


def run(url: str, keys_file: Path, call_id: str, folder: Path, ready: Connection) -> None:
    """Propose one call of each tool, tell that the writes are at work, and wait to be killed."""
    asyncio.run(_run(url, keys_file, call_id, folder, ready))


async def _run(url: str, keys_file: Path, call_id: str, folder: Path, ready: Connection) -> None:
    record = Record(Database(url, connections=1), keys.read(keys_file))
    lease = Lease(record, call_id, 1, "job-1", "worker")
    await lease.claim()
    async with JournalWriter(record, call_id, 1) as journal:
        gate = gate_of(call_id, Disk(folder, answers=False), journal, lease)
        for number, name in enumerate(("ship", "shout", "burn")):
            gate.propose(Proposal(name, {"number": number}, f"fnc-{number}", turn_id="turn-1"))
        while len(list(folder.iterdir())) < 2:
            await asyncio.sleep(0.01)
        await journal.flush()
        ready.send("at work")
        await asyncio.sleep(60)


async def take_over(record: Record, call_id: str) -> Lease:
    """The lease of the next attempt, as a supervisor sends it."""
    call = await read(record, call_id)
    assert call is not None
    raised = await raise_attempt(record, call_id, call.seen)
    assert raised is not None
    lease = Lease(record, call_id, call.attempt + 1, "job-2", "worker")
    await lease.claim()
    return lease
