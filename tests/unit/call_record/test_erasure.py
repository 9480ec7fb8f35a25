"""Forgetting calls."""

import pytest
from sqlalchemy import text

from call_record import calls, erasure, executors, journal, workers
from call_record.erasure import Erasure
from call_record.journal import StaleAttempt
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.support.calls import FakeClock, live, requested, the_call
from tests.support.faults import Faults
from voice_contract.journal import UserTurn


async def ended(record: Record, words: str = "My card is 4111.") -> str:
    call_id = await live(record, "sam")
    await journal.append(record, call_id, 1, [UserTurn(text=words)] * 3)
    await erasure.end(record, call_id, "caller")
    return call_id


async def everything(record: Record) -> str:
    """Every value of every table."""
    found = []
    async with record.database.reading() as connection:
        for table in ("call", "journal", "tombstone", "worker", "admission"):
            rows = await connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608
            found += [str(row) for row in rows]
    return "\n".join(found)


async def test_erase_leaves_nothing_of_the_caller_and_a_chain_that_verifies(
    record: Record,
) -> None:
    """Neither words nor name; kinds, times and the reason stay."""
    call_id = await ended(record)
    assert "4111" in await everything(record) and "sam" in await everything(record)
    assert await erasure.erase(record, call_id, "asked by the person") is Erasure.ERASED
    left = await everything(record)
    assert "4111" not in left and "sam" not in left
    read = await journal.read(record, call_id)
    assert [one.entry for one in read] == [None] * 7
    assert read[2].kind == "turn.user"
    finding = await verify(record, call_id)
    assert (finding.verdict, finding.erased) == (Verdict.ERASED, 7)


async def test_erase_of_a_call_in_progress_is_refused_until_it_is_ended(record: Record) -> None:
    """Its agent writes no more and finds out at its next renewal."""
    call_id = await live(record)
    assert await erasure.erase(record, call_id, "asked") is Erasure.NOT_ENDED
    await erasure.end(record, call_id, "erased")
    assert (await the_call(record, call_id)).state is CallState.ENDED
    with pytest.raises(StaleAttempt, match="ended"):
        await journal.append(record, call_id, 1, [UserTurn(text="late")])
    await erasure.end(record, call_id, "again")
    assert (await the_call(record, call_id)).end_reason == "erased"
    assert await erasure.erase(record, call_id, "asked") is Erasure.ERASED


async def test_end_of_a_call_that_nobody_took_seals_it(record: Record) -> None:
    """From `requested` too."""
    call_id = await requested(record)
    await erasure.end(record, call_id, "no-agent")
    assert (await the_call(record, call_id)).state is CallState.ENDED
    await erasure.end(record, "nobody", "x")


async def test_erase_interrupted_is_completed_by_doing_it_again(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In between, the chain verifies and says how much is erased; the reason stays the first."""
    monkeypatch.setattr(erasure, "ENTRIES_A_BATCH", 3)
    call_id = await ended(record)
    # The tombstone, the follow-up, a batch of three, and the connection breaks in the second one.
    second = 13 if record.database.is_sqlite else 10  # there BEGIN is no statement
    with Faults(record.database).at(second), pytest.raises(Exception, match="broken by the test"):
        await erasure.erase(record, call_id, "asked")
    finding = await verify(record, call_id)
    assert (finding.verdict, finding.erased) == (Verdict.ERASED, 3)
    assert await erasure.erase(record, call_id, "again") is Erasure.ERASED
    finding = await verify(record, call_id)
    assert finding.erased == 7
    assert finding.tombstone is not None and finding.tombstone.why == "asked"


@pytest.mark.parametrize("entries_a_batch", [10, 3])
async def test_remove_takes_ended_calls_of_that_age_and_gone_processes(
    clocked: Record, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, entries_a_batch: int
) -> None:
    """
    What is younger, or in progress, stays; each leaves a tombstone.

    One with more entries than a batch is removed too.
    """
    monkeypatch.setattr(erasure, "ENTRIES_A_BATCH", entries_a_batch)
    old = [await ended(clocked) for _ in range(3)]
    going_on = await live(clocked)
    clock.seconds += 100
    young = await ended(clocked)
    await workers.register(clocked, "gone", 1)
    await workers.mark_gone(clocked, "gone", 1)
    for name in ("executor", "gone"):
        await executors.register(clocked, name)
    await executors.mark_gone(clocked, "gone", 1)
    macs = [(await the_call(clocked, call_id)).head_mac for call_id in old]
    assert await erasure.remove_ended_before(clocked, clock.now_ms() - 50_000, "age") == 3
    assert [await calls.read(clocked, call_id) for call_id in old] == [None] * 3
    assert {one.worker_id for one in await workers.read_all(clocked)} == {"worker"}
    assert {one.executor_id for one in await executors.read_all(clocked)} == {"executor"}
    for call_id, mac in zip(old, macs, strict=True):
        assert (await verify(clocked, call_id, expect_mac=mac)).verdict is Verdict.REMOVED
        assert await erasure.erase(clocked, call_id, "x") is Erasure.MISSING
    for call_id in (going_on, young):
        assert (await verify(clocked, call_id)).verdict is Verdict.INTACT


async def test_remove_of_an_erased_call_keeps_the_first_tombstone(
    clocked: Record, clock: FakeClock
) -> None:
    """The reason of the person counts, not that of the calendar."""
    call_id = await ended(clocked)
    await erasure.erase(clocked, call_id, "asked")
    clock.seconds += 100
    assert await erasure.remove_ended_before(clocked, clock.now_ms(), "age") == 1
    finding = await verify(clocked, call_id)
    assert finding.verdict is Verdict.REMOVED
    assert finding.tombstone is not None and finding.tombstone.why == "asked"
