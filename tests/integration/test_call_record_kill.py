"""What was acknowledged is there, whenever the agent's process is killed."""

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from call_record import journal
from call_record.record import Record
from call_record.verification import Verdict, verify
from tests.support import scripted_call
from tests.support.calls import live
from tests.support.scripted_call import SCRIPT


@pytest.fixture(scope="module")
def context() -> ForkServerContext:
    """Processes that have everything imported when they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.scripted_call"])
    return context


@pytest.mark.parametrize("last", range(len(SCRIPT)))
async def test_what_was_acknowledged_is_there_after_sigkill(
    record: Record, database_url: str, tmp_path: Path, context: ForkServerContext, last: int
) -> None:
    """Killed right after each write of a call: all up to the last write-ahead, in order."""
    call_id = await live(record)
    here, there = context.Pipe()
    process = context.Process(
        target=scripted_call.run,
        args=(database_url, tmp_path / "journal-keys.yaml", call_id, there),
        daemon=True,
    )
    process.start()
    try:
        while True:
            assert here.poll(30)
            if here.recv() == last:
                break
    finally:
        process.kill()
        process.join()
    durable = max((n + 1 for n in range(last + 1) if SCRIPT[n][1]), default=0)
    entries = [one.entry for one in await journal.read(record, call_id, after_seq=2)]
    assert len(entries) >= durable
    # What was written behind, or after the signal was sent, may be there too: never with a gap.
    assert entries == [entry for entry, _ in SCRIPT][: len(entries)]
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
