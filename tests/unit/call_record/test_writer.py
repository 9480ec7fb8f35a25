"""The writer of a call's journal: in order, in time, never in the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import delete, update

from call_record import journal, writer
from call_record.database import Database
from call_record.journal import Head, StaleAttempt
from call_record.record import Record
from call_record.tables import CallState
from call_record.tables import call as call_table
from call_record.tables import journal as entries
from call_record.verification import Verdict, verify
from call_record.writer import JournalWriter, NotDurable
from tests.support.calls import FakeClock, fence, live, the_call
from tests.support.faults import LOST_ANSWER, Faults
from tests.support.local_stack import until
from voice_contract.journal import (
    BODY_MAX_BYTES,
    EntryTooLarge,
    JournalGap,
    ToolStarted,
    Unknown,
    UserTurn,
)

STARTED = ToolStarted(invocation_id="1", tool="refund", effect="write", arguments={})


@dataclass
class Counts:
    """What the writer told."""

    transactions: list[int] = field(default_factory=list)
    lost: int = 0
    rolled_back: int = 0
    health: list[bool] = field(default_factory=list)

    def journal_append(self, entries: int, duration_s: float) -> None:
        assert duration_s >= 0
        self.transactions.append(entries)

    def journal_lost(self) -> None:
        self.lost += 1

    def journal_rolled_back(self) -> None:
        self.rolled_back += 1

    def journal_healthy(self, healthy: bool) -> None:
        self.health.append(healthy)


@pytest.fixture
async def call_id(record: Record) -> str:
    return await live(record)


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
async def journal_writer(
    record: Record, call_id: str, counts: Counts
) -> AsyncIterator[JournalWriter]:
    async with JournalWriter(record, call_id, 1, counts) as opened:
        yield opened


async def words(record: Record, call_id: str) -> list[str]:
    read = await journal.read(record, call_id)
    return [one.entry.text for one in read if isinstance(one.entry, UserTurn)]


async def fail_over(record: Record, call_id: str, replica: Head) -> None:
    """The database is as it was when the journal ended at *replica*."""
    async with record.database.writing() as connection:
        await connection.execute(
            delete(entries).where(entries.c.call_id == call_id, entries.c.seq > replica.seq)
        )
        await connection.execute(
            update(call_table)
            .where(call_table.c.call_id == call_id)
            .values(attempt=replica.attempt, head_seq=replica.seq, head_mac=replica.mac)
        )


@asynccontextmanager
async def database_away(record: Record) -> AsyncIterator[None]:
    """Every statement on calls fails meanwhile."""
    async with record.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE call RENAME TO away")
    yield
    async with record.database.writing() as connection:
        await connection.exec_driver_sql("ALTER TABLE away RENAME TO call")


async def test_write_is_stored_by_itself_in_order_and_together(
    record: Record, call_id: str, journal_writer: JournalWriter, counts: Counts
) -> None:
    """Written behind: the caller goes on, and nobody has to ask for it."""
    for number in range(5):
        journal_writer.write(UserTurn(text=str(number)))
    await until(lambda: sum(counts.transactions) == 5)
    assert await words(record, call_id) == ["0", "1", "2", "3", "4"]
    assert counts.transactions == [5]
    assert journal_writer.healthy


async def test_write_ahead_is_durable_with_all_before_it_in_one_transaction(
    record: Record,
    call_id: str,
    journal_writer: JournalWriter,
    counts: Counts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is done before the journal says so, and why; it does not wait for others."""
    monkeypatch.setattr(writer, "GATHER_S", 60)
    journal_writer.write(UserTurn(text="refund order seven"))
    journal_writer.write(UserTurn(text="yes"))
    async with asyncio.timeout(10):
        await journal_writer.write_ahead(STARTED)
    assert counts.transactions == [3]
    assert (await journal.read(record, call_id))[-1].entry == STARTED


async def test_writer_and_others_append_to_one_chain(
    record: Record, call_id: str, journal_writer: JournalWriter
) -> None:
    """The token service appends between the agent's entries."""
    for number in range(3):
        await journal_writer.write_ahead(UserTurn(text=str(number)))
        await journal.append(record, call_id, None, [UserTurn(text="other")])
    assert await words(record, call_id) == ["0", "other", "1", "other", "2", "other"]
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


@pytest.mark.parametrize("place", [0, 1, 2, LOST_ANSWER])
async def test_writer_stores_once_whatever_breaks(
    record: Record, call_id: str, journal_writer: JournalWriter, place: int
) -> None:
    """Also when the commit happened and its answer was lost."""
    await journal_writer.write_ahead(UserTurn(text="before"))
    with Faults(record.database).at(place):
        journal_writer.write(UserTurn(text="one"))
        await journal_writer.write_ahead(UserTurn(text="two"))
        journal_writer.write(UserTurn(text="three"))
        await journal_writer.flush()
    assert await words(record, call_id) == ["before", "one", "two", "three"]
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
    assert journal_writer.healthy


async def test_writer_without_a_database_is_unhealthy_and_loses_nothing_in_its_bound(
    record: Record, call_id: str, journal_writer: JournalWriter, counts: Counts
) -> None:
    """The conversation goes on, effects do not start; then all of it is stored in order."""
    async with database_away(record):
        journal_writer.write(UserTurn(text="0"))
        with pytest.raises(NotDurable):
            await journal_writer.write_ahead(UserTurn(text="1"), timeout_s=0.2)
        assert not journal_writer.healthy
        journal_writer.write(UserTurn(text="2"))
    await journal_writer.flush()
    assert await words(record, call_id) == ["0", "1", "2"]
    assert journal_writer.healthy
    assert counts.health == [False, True]


async def test_writer_with_a_full_queue_loses_entries_and_says_how_many(
    record: Record,
    call_id: str,
    journal_writer: JournalWriter,
    counts: Counts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory is bounded, and the journal is honest about it."""
    monkeypatch.setattr(writer, "QUEUE_MAX", 4)
    async with database_away(record):
        for number in range(7):
            journal_writer.write(UserTurn(text=str(number)))
        with pytest.raises(NotDurable):
            await journal_writer.write_ahead(STARTED)
        assert not journal_writer.healthy
        assert counts.lost == 4
    await until(lambda: journal_writer.healthy)
    await journal_writer.flush()
    assert await words(record, call_id) == ["0", "1", "2", "3"]
    assert (await journal.read(record, call_id))[-1].entry == JournalGap(lost=4)


async def test_writer_whose_entry_waits_too_long_is_unhealthy(
    clocked: Record, clock: FakeClock, call_id: str
) -> None:
    """A database that neither answers nor fails counts as away, too."""
    async with JournalWriter(clocked, call_id, 1) as journal_writer:
        async with clocked.database.writing() as connection:
            await connection.exec_driver_sql("UPDATE call SET display_name = 'locked'")
            journal_writer.write(UserTurn(text="late"))
            clock.seconds += writer.LATE_S
            assert journal_writer.healthy
            clock.seconds += 0.01
            assert not journal_writer.healthy
        await journal_writer.flush()
    assert await words(clocked, call_id) == ["late"]


async def test_writer_of_a_stale_attempt_stops(
    record: Record, call_id: str, journal_writer: JournalWriter, counts: Counts
) -> None:
    """Another agent has the call: nothing is written, no effect starts."""
    await journal_writer.write_ahead(UserTurn(text="mine"))
    await fence(record, call_id, (await the_call(record, call_id)).seen)
    journal_writer.write(UserTurn(text="late"))
    with pytest.raises(StaleAttempt, match="attempt"):
        await journal_writer.write_ahead(STARTED)
    with pytest.raises(StaleAttempt, match="attempt"):
        await journal_writer.write_ahead(STARTED)
    with pytest.raises(StaleAttempt, match="attempt"):
        await journal_writer.flush()
    journal_writer.write(UserTurn(text="later"))
    assert await words(record, call_id) == ["mine"]
    assert not journal_writer.healthy
    assert journal_writer.stale is not None
    assert counts.health == [], "it is nobody's fault"


async def test_writer_whose_answer_was_lost_before_another_agent_was_sent_is_stale(
    record: Record, call_id: str, database_url: str
) -> None:
    """Its entry is stored, but it must not write on as the agent that was sent since."""
    own = Record(Database(database_url), record.keys)
    async with JournalWriter(own, call_id, 1) as opened:
        await opened.write_ahead(UserTurn(text="before"))
        with Faults(own.database).at(LOST_ANSWER, stays_away=True):
            opened.write(UserTurn(text="stored"))
            await until(lambda: not opened.healthy)
            await fence(record, call_id, (await the_call(record, call_id)).seen)
        with pytest.raises(StaleAttempt, match="attempt"):
            await opened.flush()
            await opened.write_ahead(STARTED)
        assert opened.stale is not None
    await own.close()
    assert await words(record, call_id) == ["before", "stored"]
    assert {one.attempt for one in await journal.read(record, call_id)} == {1}


@pytest.mark.parametrize("others", [0, 1, 2, 3])
async def test_writer_whose_durable_entries_are_gone_says_so_and_lets_no_effect_start(
    record: Record, call_id: str, journal_writer: JournalWriter, counts: Counts, others: int
) -> None:
    """After a failover to a replica that lagged; others may have written there already."""
    await journal_writer.write_ahead(UserTurn(text="kept"))
    replica = await journal.head(record, call_id)
    assert replica is not None
    await journal_writer.write_ahead(STARTED)
    await journal_writer.write_ahead(UserTurn(text="lost"))
    await fail_over(record, call_id, replica)
    for number in range(others):
        await journal.append(record, call_id, None, [UserTurn(text=f"other {number}")])
    await journal_writer.write_ahead(UserTurn(text="after"))
    read = await journal.read(record, call_id)
    assert [one.entry for one in read[-2:]] == [
        JournalGap(lost=max(1, 2 - others), cause="rolled-back"),
        UserTurn(text="after"),
    ]
    assert await words(record, call_id) == ["kept", *(f"other {n}" for n in range(others)), "after"]
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
    assert counts.rolled_back == 1
    await journal_writer.write_ahead(UserTurn(text="and on"))
    assert not journal_writer.healthy, "what it stores next may be lost the same way"
    assert counts.rolled_back == 1


async def test_writer_whose_call_went_back_to_an_older_attempt_is_stale(
    record: Record, call_id: str
) -> None:
    """The replica has not heard of this agent, nor of what it did: the journal says so at least."""
    replica = await journal.head(record, call_id)
    assert replica is not None
    await fence(record, call_id, (await the_call(record, call_id)).seen)
    counts = Counts()
    async with JournalWriter(record, call_id, 2, counts) as opened:
        await opened.write_ahead(UserTurn(text="lost"))
        await fail_over(record, call_id, replica)
        with pytest.raises(StaleAttempt, match="attempt"):
            await opened.write_ahead(STARTED)
        assert not opened.healthy
    [*_, last] = await journal.read(record, call_id)
    assert (last.entry, last.attempt) == (JournalGap(lost=1, cause="rolled-back"), 1)
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
    assert counts.rolled_back == 1


async def test_writer_that_was_replaced_says_nothing_of_a_database_that_went_back(
    record: Record, call_id: str, journal_writer: JournalWriter, counts: Counts
) -> None:
    """A later attempt is no loss."""
    await journal_writer.write_ahead(UserTurn(text="kept"))
    await fence(record, call_id, (await the_call(record, call_id)).seen)
    with pytest.raises(StaleAttempt, match="attempt"):
        await journal_writer.write_ahead(STARTED)
    assert not [one for one in await journal.read(record, call_id) if one.kind == "journal.gap"]
    assert counts.rolled_back == 0


async def test_writer_of_a_journal_that_is_not_believed_says_so_and_lets_no_effect_start(
    record: Record, call_id: str, journal_writer: JournalWriter
) -> None:
    """What is said goes on record all the same."""
    journal_writer.distrust("changed")
    assert not journal_writer.healthy
    await journal_writer.write_ahead(UserTurn(text="Hello"))
    assert not journal_writer.healthy
    read = await journal.read(record, call_id)
    assert [one.entry for one in read[-2:]] == [
        JournalGap(lost=0, cause="changed"),
        UserTurn(text="Hello"),
    ]


async def test_seal_ends_the_call_behind_all_that_was_written(
    record: Record, call_id: str, journal_writer: JournalWriter
) -> None:
    """Whoever wanted it to end; the seal is the last entry."""
    journal_writer.write(UserTurn(text="bye"))
    await journal_writer.seal("caller")
    journal_writer.write(UserTurn(text="too late"))
    with pytest.raises(StaleAttempt, match="ended"):
        await journal_writer.seal("agent")
    read = await journal.read(record, call_id)
    assert [one.kind for one in read[2:]] == ["turn.user", "call.ending", "call.ended"]
    assert (await the_call(record, call_id)).state is CallState.ENDED
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_writer_of_no_call_is_stale(record: Record) -> None:
    """Nothing to wait for."""
    async with JournalWriter(record, "nobody", 1) as opened:
        with pytest.raises(StaleAttempt, match="missing"):
            await opened.write_ahead(STARTED)


async def test_writer_closed_has_stored_what_was_written(record: Record, call_id: str) -> None:
    """And takes no more; without a database it gives up in time."""
    async with JournalWriter(record, call_id, 1) as opened:
        opened.write(UserTurn(text="last words"))
    opened.write(UserTurn(text="too late"))
    assert await words(record, call_id) == ["last words"]
    assert not opened.healthy
    another = await JournalWriter(record, call_id, 1).__aenter__()
    async with database_away(record):
        another.write(UserTurn(text="lost"))
        await another.aclose(timeout_s=0.2)
    assert await words(record, call_id) == ["last words"]


async def test_write_of_too_much_is_refused(journal_writer: JournalWriter) -> None:
    """The one thing that `write` raises: a mistake of the program."""
    with pytest.raises(EntryTooLarge):
        journal_writer.write(Unknown(kind="x", body="x" * (BODY_MAX_BYTES + 1)))
