"""
The gate: its own time for a call, from the proposal to the result of a tool that does nothing.

On a disk as in production: SQLite with full sync, PostgreSQL with fsync. The moment that an
unconfirmed write waits for the caller to go on speaking is not in it, nor is a question's wait.
"""

import asyncio
import itertools
import logging
import tempfile
from pathlib import Path

import structlog

from agent_worker.metrics import Metrics
from agent_worker.tools.confirmations import CallersPage
from agent_worker.tools.gate import Gate
from agent_worker.tools.invocations import Outcome, Proposal
from agent_worker.tools.tool import Answer, Caller, IdempotencyKey, ToolRefused, tool
from bench.record import TURN, live, repeat
from bench.row import HEADER
from call_record import keys, workers
from call_record.database import Database
from call_record.lease import Lease
from call_record.prepare import prepare
from call_record.record import Record
from call_record.writer import JournalWriter
from devstack import postgres
from voice_contract.confirmations import ConfirmationVote

PACE_S = 0.005
"""Reads are written behind: without a pause they would outrun the journal's queue."""
MANY = 1_000_000
"""Of each tool in one call: what is measured is not its budget."""


def even(number: int) -> None:
    """Any number, looked at."""
    if number < 0:
        raise ToolRefused("No.")


@tool(effect="read", policy=[even], max_per_call=MANY)
async def look(number: int) -> Answer:
    """Read."""
    return Answer(say="Seen.", data={"number": number})


@tool(effect="write", policy=[even], max_per_call=MANY)
async def note(number: int, *, key: IdempotencyKey) -> Answer:
    """Write."""
    return Answer(say="Noted.", data={"number": number})


@tool(effect="write", confirm="Pay {number}?", policy=[even], max_per_call=MANY)
async def pay(number: int, *, key: IdempotencyKey) -> Answer:
    """Write, if the caller says so."""
    return Answer(say="Paid.", data={"number": number})


def main() -> None:
    """Measure with both databases and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="parley-bench-", dir=".") as folder:
        file = Path(folder) / "parley.db"
        asyncio.run(_measure("SQLite", f"sqlite+aiosqlite:///{file}", Path(folder)))
        with postgres.running(durable=True) as url:
            asyncio.run(_measure("PostgreSQL", url, Path(folder)))


async def _measure(name: str, url: str, folder: Path) -> None:
    await prepare(url)
    record = Record(Database(url, connections=1), keys.ensure(folder / "keys.yaml"))
    await workers.register(record, "bench", 10_000)
    call_id = await live(record)
    lease = Lease(record, call_id, 1, "bench", "bench")
    await lease.claim()
    keeping = asyncio.create_task(lease.keep())
    async with JournalWriter(record, call_id, 1) as journal:
        calls = _Calls(call_id, journal, lease)
        for row in (
            await repeat("(the journal alone, written ahead)", lambda: journal.write_ahead(TURN)),
            await repeat("read", lambda: calls.make("look"), PACE_S),
            await repeat("write, unconfirmed", lambda: calls.make("note")),
            await repeat("write, confirmed immediately", lambda: calls.make("pay")),
            await repeat("write, proposed again in the same turn", calls.again),
        ):
            print(f"{name:<12}{row}")
    keeping.cancel()
    await record.close()


class _Calls:
    def __init__(self, call_id: str, journal: JournalWriter, lease: Lease) -> None:
        self._gate = Gate(
            caller=Caller("bench", call_id),
            tools=(look, note, pay),
            resources=(),
            journal=journal,
            lease=lease,
            metrics=Metrics(None),
            secret=b"key of the call",
            page=CallersPage(has_cards=True),
            call_max=MANY,
            settle_s=0.0,
        )
        self._questions = self._gate.questions
        self._numbers = itertools.count()

    async def make(self, name: str, number: int | None = None) -> Outcome:
        """One call, in a turn of its own."""
        number = next(self._numbers) if number is None else number
        invocation = self._gate.propose(
            Proposal(name, {"number": number}, f"fnc-{number}", turn_id=f"turn-{number}")
        )
        assert invocation.task is not None
        if name == "pay":
            await invocation.asked.wait()
            assert invocation.question is not None
            vote = ConfirmationVote(
                id=invocation.question.id, digest=invocation.question.digest, approved=True
            )
            self._questions.vote(vote, "screen", "bench")
        outcome = await invocation.task
        assert outcome.kind == "done", outcome
        return outcome

    async def again(self) -> None:
        """The same, once it is done: it joins the first."""
        number = next(self._numbers)
        await self.make("note", number)
        await self.make("note", number)
