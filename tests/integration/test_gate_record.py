"""The gate on the real record: what is durable when, and what another agent makes of it."""

import asyncio
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import insert, update

from agent_worker.claim import CallClaim
from agent_worker.metrics import Metrics
from agent_worker.resume import recall
from agent_worker.tools.call_tools import CallTools
from agent_worker.tools.events import GateEvents
from agent_worker.tools.invocations import Proposal
from agent_worker.tools.phrases import GatePhrases
from agent_worker.tools.restore import restore
from agent_worker.tools.result_delivery import ResultDelivery
from agent_worker.tools.tool import Caller
from call_record import calls, journal
from call_record.lease import Lease
from call_record.record import Record
from call_record.tables import call as call_table
from call_record.tables import journal as entries
from call_record.verification import Verdict, verify
from call_record.writer import JournalWriter
from tests.support import gate_process
from tests.support.calls import fence, requested, the_call
from tests.support.faults import Faults
from tests.support.gate_process import Disk, gate_of, take_over
from tests.support.gate_scene import TOOLS, Probe, Scene, asked, outcome
from tests.support.local_stack import until
from voice_contract.confirmations import ConfirmationVote
from voice_contract.dispatch import DispatchMetadata
from voice_contract.journal import ConfirmationAnswered, Entry, ToolStarted


class RealScene(Scene):
    """The gate with a journal in a database and a lease on a call."""

    def __init__(self, record: Record, call_id: str, writer: JournalWriter, lease: Lease) -> None:
        super().__init__(journal=writer, clock=record.clock, call_id=call_id, lease=lease)
        self.record = record
        self.call_id = call_id
        self.writer = writer
        self.real_lease = lease

    async def kinds_in_database(self) -> list[str]:
        """What is durable, after the claim."""
        return [one.kind for one in await journal.read(self.record, self.call_id, after_seq=2)]


class Delivery(ResultDelivery, GateEvents):
    """Learns of each outcome from the gate, as in a call."""


@asynccontextmanager
async def open_scene(record: Record) -> AsyncIterator[RealScene]:
    """A claimed call."""
    call_id = await requested(record)
    lease = Lease(record, call_id, 1, "job-1", "worker")
    await lease.claim()
    async with JournalWriter(record, call_id, 1) as writer:
        scene = RealScene(record, call_id, writer, lease)
        yield scene
        await scene.gate.aclose()


async def test_start_and_yes_are_durable_before_the_effect(record: Record) -> None:
    """What the tool finds in the database when it begins: everything up to its own start."""
    async with open_scene(record) as scene:
        found: list[list[str]] = []

        async def look_first(what: str, key: str = "") -> None:
            found.append(await scene.kinds_in_database())

        scene.probe.work = look_first  # type: ignore[method-assign]
        invocation = await asked(scene.propose("pay", {"amount": 5}))
        scene.vote(invocation, True)
        assert (await outcome(invocation)).kind == "done"
        assert found == [
            ["tool.proposed", "confirmation.asked", "confirmation.answered", "tool.started"]
        ]
        await scene.writer.flush()
        assert (await scene.kinds_in_database())[-1] == "tool.finished"
    assert (await verify(record, scene.call_id)).verdict is Verdict.INTACT


async def test_agent_that_was_replaced_has_no_effect(record: Record) -> None:
    """Another attempt is out: the old agent's start is refused by the journal itself."""
    async with open_scene(record) as scene:
        call = await the_call(record, scene.call_id)
        assert await fence(record, scene.call_id, call.seen) == 2
        assert (await scene.call("note", {"number": 1})).kind == "not-begun"
    assert scene.probe.events == []
    assert "tool.started" not in await scene.kinds_in_database()


async def test_call_that_is_ending_has_no_new_effect(record: Record) -> None:
    """The lease knows at its next renewal."""
    async with open_scene(record) as scene:
        assert await calls.end(record, scene.call_id, "caller", attempt=1)
        await scene.real_lease.renew()
        assert (await scene.call("note", {"number": 1})).kind == "not-begun"
        assert (await scene.call("look")).kind == "done"
    assert scene.probe.events == ["look 1"]


async def test_database_that_goes_away_stops_effects_and_nothing_else(record: Record) -> None:
    """Reading goes on; when it is back, so do effects."""
    async with open_scene(record) as scene:
        await scene.call("look")
        await scene.writer.flush()
        faults = Faults(record.database)
        with faults.at(0):
            refused = await scene.call("note", {"number": 1})
            assert refused.kind in ("not-begun", "done")
            # The writer tries again by itself: whatever came of it, it is on record.
            await until(lambda: scene.writer.healthy)
        assert (await scene.call("note", {"number": 2})).kind == "done"
        await scene.writer.flush()
        starts = [
            one.entry
            for one in await journal.read(record, scene.call_id)
            if isinstance(one.entry, ToolStarted) and one.entry.effect == "write"
        ]
    effects = [event for event in scene.probe.events if event.startswith("note")]
    assert len(effects) <= len(starts)


async def test_yes_that_was_forged_in_the_database_has_no_effect(record: Record) -> None:
    """The next agent does not believe the journal: it looks things up and changes nothing."""
    async with open_scene(record) as scene:
        await calls.join(record, scene.call_id)
        invocation = await asked(scene.propose("pay", {"amount": 900}))
        assert invocation.question is not None
        await scene.writer.flush()
        await forge(
            record,
            scene.call_id,
            ConfirmationAnswered(
                confirmation_id=invocation.question.id, approved=True, by="screen"
            ),
        )
        lease = await take_over(record, scene.call_id)
        probe = Probe()
        probe.release.set()
        async with JournalWriter(record, scene.call_id, 2) as writer:
            call = await the_call(record, scene.call_id)
            claim = CallClaim(record, call, lease, writer, never_given_back)
            history = await recall(claim, dispatched(call))
            assert history is not None
            tools = CallTools(
                caller=Caller("caller-1", scene.call_id, "tenant-1"),
                tools=TOOLS,
                resources=(probe,),
                journal=claim.journal,
                lease=claim,
                metrics=Metrics(None),
                settle_s=0.0,
                secret=b"key of the call",
            )
            tools.restore(history.recorded)
            restored = [one.task for one in tools.gate.invocations if one.task is not None]
            await asyncio.wait_for(asyncio.gather(*restored), 5)
            assert probe.events == []
            for name, kind in (("note", "not-begun"), ("look", "done")):
                proposal = Proposal(name, {"number": 1}, f"fnc-{name}", turn_id="turn-9")
                assert (await outcome(tools.gate.propose(proposal))).kind == kind
            await tools.aclose()
        assert probe.events == ["look 1"]


def dispatched(call: calls.Call) -> DispatchMetadata:
    """As the supervisor sends the call's agent."""
    assert call.caller is not None
    return DispatchMetadata(call_id=call.call_id, attempt=call.attempt, caller=call.caller)


async def never_given_back() -> bool:
    """For a claim that the test itself ends."""
    return False


async def forge(record: Record, call_id: str, entry: Entry) -> None:
    """Add *entry* as somebody does who can write to the database and does not have the key."""
    head = await journal.head(record, call_id)
    assert head is not None
    forged = journal.draft(entry, record.clock.now_ms())
    where = {"call_id": call_id, "seq": head.seq + 1, "attempt": head.attempt}
    async with record.database.writing() as connection:
        await connection.execute(insert(entries).values(**where, **vars(forged), mac=b"x" * 32))
        await connection.execute(
            update(call_table)
            .where(call_table.c.call_id == call_id)
            .values(head_seq=head.seq + 1, head_mac=b"x" * 32)
        )


async def test_agent_that_is_killed_midway_is_taken_over(
    record: Record, database_url: str, tmp_path: Path
) -> None:
    """
    SIGKILL while two writes are at work and a question is open: the idempotent one is finished
    with its key, the other is unknown and not repeated, the question can still be answered.
    """
    call_id = await requested(record)
    done = tmp_path / "done"
    done.mkdir()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.gate_process"])
    here, there = context.Pipe()
    process = context.Process(
        target=gate_process.run,
        args=(database_url, tmp_path / "journal-keys.yaml", call_id, done, there),
        daemon=True,
    )
    process.start()
    try:
        assert await asyncio.to_thread(here.poll, 30)
    finally:
        process.kill()
        process.join()
    assert len(list(done.iterdir())) == 2

    lease = await take_over(record, call_id)
    async with JournalWriter(record, call_id, 2) as writer:
        delivery = Delivery(GatePhrases())
        gate = gate_of(call_id, Disk(done, answers=True), writer, lease, delivery)
        questions = gate.questions
        restore(gate, delivery, writer, await journal.read(record, call_id))
        invocations = {invocation.tool.name: invocation for invocation in gate.invocations}
        assert (await outcome(invocations["ship"])).say == "Shipped 0."
        unknown = invocations["shout"].outcome
        assert unknown is not None and unknown.kind == "unknown"
        assert sorted(delivery._untold) == ["fnc-0", "fnc-1"]
        (card,) = questions.listing().pending
        vote = ConfirmationVote(id=card.id, digest=card.digest, approved=True)
        assert questions.vote(vote, "screen", "caller").state == "approved"
        assert (await outcome(invocations["burn"])).say == "Burnt 2."
        await gate.aclose()
    # One file for each effect and key.
    names = sorted(file.name.rpartition("-")[2] for file in done.iterdir())
    assert names == ["burn2", "ship0", "shout1"]
    entries = [one.entry for one in await journal.read(record, call_id)]
    assert sum(isinstance(entry, ConfirmationAnswered) for entry in entries) == 1
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
