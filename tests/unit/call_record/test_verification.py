"""A journal that is not as it was written does not verify."""

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, text, update

from call_record import calls, erasure, hash_chain, journal
from call_record.keys import KeyRing
from call_record.record import Record
from call_record.tables import call as call_table
from call_record.tables import journal as journal_table
from call_record.tables import tombstone as tombstone_table
from call_record.verification import (
    Evidence,
    Link,
    Tail,
    Tombstone,
    Verdict,
    judge,
    read_verified,
    verify,
)
from tests.support.calls import live, the_call
from voice_contract.journal import UserTurn

KEY = b"k" * 32
KEYS = KeyRing("k1", {"k1": KEY})
CALL = "01890000-0000-7000-8000-000000000000"


def evidence(count: int = 4, *, erased: bool = False) -> Evidence:
    """A sealed journal in memory, erased or not."""
    links: list[Link] = []
    last = hash_chain.genesis(KEY, CALL)
    for seq in range(1, count + 1):
        kind = {1: "call.requested", count: "call.ended"}.get(seq, "turn.user")
        body = '{"caller":"c1"}' if seq == 1 else '{"text":"ab"}'
        salt = bytes([seq] * 16)
        digest = hash_chain.digest(salt, body)
        last = hash_chain.mac(KEY, last, seq=seq, at_ms=seq, attempt=1, kind=kind, digest=digest)
        whole = Link(CALL, seq, seq, 1, kind, body, salt, None, last)
        gone = dataclasses.replace(whole, body=None, salt=None, digest=digest)
        links.append(gone if erased else whole)
    end = tail("ended", count, last, caller=None if erased else "c1")
    return Evidence(end, links, tomb(count, last) if erased else None)


def tail(state: str, head_seq: int, head_mac: bytes, *, caller: str | None = "c1") -> Tail:
    return Tail(state, "k1", head_seq, head_mac, caller, tenant=None, display_name=None)


def tomb(last_seq: int, last_mac: bytes) -> Tombstone:
    mac = hash_chain.tombstone_mac(
        KEY, call_id=CALL, at_ms=9, why="asked", last_seq=last_seq, last_mac=last_mac
    )
    return Tombstone(CALL, 9, "asked", last_seq, last_mac, "k1", mac)


def flipped(value: Any) -> Iterator[Any]:
    """*value* with each of its bits changed, one at a time."""
    if isinstance(value, int):
        yield from (value ^ 1 << bit for bit in range(32))
        return
    raw = value if isinstance(value, bytes) else value.encode()
    for bit in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[bit // 8] ^= 1 << bit % 8
        # Spoiled text is read leniently, as the database does.
        yield bytes(changed) if isinstance(value, bytes) else changed.decode(errors="replace")


@pytest.mark.parametrize("erased", [False, True])
def test_judge_any_bit_changed_in_any_column_is_broken(erased: bool) -> None:
    """Every bit of every column of every entry, and of the tombstone."""
    whole = evidence(erased=erased)
    assert judge(KEYS, CALL, whole).verdict is (Verdict.ERASED if erased else Verdict.INTACT)
    tried = 0
    for position, link in enumerate(whole.links):
        for name, value in vars(link).items():
            for other in flipped(value) if value is not None else ():
                changed = list(whole.links)
                changed[position] = dataclasses.replace(link, **{name: other})
                finding = judge(KEYS, CALL, dataclasses.replace(whole, links=changed))
                assert (finding.verdict, finding.seq) == (Verdict.BROKEN, position + 1), (
                    name,
                    other,
                )
                tried += 1
    for name, value in vars(whole.tombstone).items() if whole.tombstone else ():
        for other in flipped(value) if name != "call_id" else ():
            changed_tomb = dataclasses.replace(whole.tombstone, **{name: other})  # type: ignore[type-var]
            finding = judge(KEYS, CALL, dataclasses.replace(whole, tombstone=changed_tomb))
            assert finding.verdict is Verdict.BROKEN, (name, other)
    assert tried > 3_000


def test_judge_entries_removed_reordered_doubled_or_added_is_broken() -> None:
    """Also with the head moved to fit."""
    whole = evidence()
    one, two, three, four = whole.links
    forged = Link(CALL, 5, 5, 1, "call.ended", "{}", b"s" * 16, None, b"m" * 32)
    for links, seq in (
        ([two, three, four], 1),
        ([one, three, four], 2),
        ([one, two, three], 4),
        ([one, three, two, four], 2),
        ([one, dataclasses.replace(three, seq=2), dataclasses.replace(two, seq=3), four], 2),
        ([one, one, two, three, four], 2),
        ([one, two, dataclasses.replace(two, seq=3), dataclasses.replace(three, seq=4)], 3),
        ([one, two, three, four, forged], 5),
        ([], 1),
    ):
        finding = judge(KEYS, CALL, dataclasses.replace(whole, links=links))
        assert (finding.verdict, finding.seq) == (Verdict.BROKEN, seq)
        end = tail("ended", len(links), links[-1].mac if links else b"")
        finding = judge(KEYS, CALL, Evidence(end, links, None))
        assert finding.verdict is Verdict.BROKEN


def test_judge_cut_tail_is_broken_against_the_exported_mac_alone() -> None:
    """What a chain cannot show by itself."""
    whole = evidence()
    exported = whole.links[-1].mac
    kept = whole.links[:2]
    cut = Evidence(tail("live", 2, kept[-1].mac), kept, None)
    assert judge(KEYS, CALL, cut).verdict is Verdict.INTACT
    finding = judge(KEYS, CALL, cut, expect_mac=exported)
    assert finding.verdict is Verdict.BROKEN and "cut off" in finding.problem
    earlier = whole.links[1].mac
    assert judge(KEYS, CALL, whole, expect_mac=earlier).verdict is Verdict.INTACT


def test_judge_ended_call_without_its_seal_is_broken() -> None:
    """The tail cannot be cut off a call that stays ended."""
    kept = evidence().links[:2]
    cut = Evidence(tail("ended", 2, kept[-1].mac), kept, None)
    assert judge(KEYS, CALL, cut).verdict is Verdict.BROKEN


def test_judge_erased_without_a_tombstone_of_ours_is_broken() -> None:
    """Whoever edits the database cannot pass off a deletion as an erasure."""
    erased = evidence(erased=True)
    assert judge(KEYS, CALL, dataclasses.replace(erased, tombstone=None)).verdict is Verdict.BROKEN
    others = KeyRing("k1", {"k1": b"x" * 32})
    assert judge(others, CALL, erased).verdict is Verdict.BROKEN
    removed = Evidence(None, [], erased.tombstone)
    assert judge(KEYS, CALL, removed).verdict is Verdict.REMOVED
    assert judge(others, CALL, removed).verdict is Verdict.BROKEN
    last = erased.links[-1].mac
    assert judge(KEYS, CALL, removed, expect_mac=last).verdict is Verdict.REMOVED
    assert judge(KEYS, CALL, removed, expect_mac=b"x").verdict is Verdict.BROKEN
    assert judge(KEYS, CALL, Evidence(None, erased.links, None)).verdict is Verdict.BROKEN
    assert judge(KEYS, CALL, Evidence(None, [], None)).verdict is Verdict.MISSING


def test_judge_call_of_a_key_that_is_not_there_says_so() -> None:
    """A rotated key must be kept as long as its calls."""
    finding = judge(KeyRing("k2", {"k2": KEY}), CALL, evidence())
    assert finding.verdict is Verdict.BROKEN and "no key 'k1'" in finding.problem


@pytest.mark.parametrize(
    "spoil",
    [
        update(journal_table).values(attempt=2).where(journal_table.c.seq == 3),
        update(journal_table)
        .values(at_ms=journal_table.c.at_ms + 1)
        .where(journal_table.c.seq == 3),
        update(journal_table).values(kind="turn.users").where(journal_table.c.seq == 3),
        update(journal_table).values(body='{"text":"No."}').where(journal_table.c.seq == 3),
        update(journal_table).values(body=None).where(journal_table.c.seq == 3),
        update(journal_table).values(salt=b"x" * 16).where(journal_table.c.seq == 3),
        update(journal_table).values(digest=b"x" * 32).where(journal_table.c.seq == 3),
        update(journal_table).values(mac=b"x" * 32).where(journal_table.c.seq == 3),
        update(journal_table).values(seq=9).where(journal_table.c.seq == 3),
        delete(journal_table).where(journal_table.c.seq == 3),
        delete(journal_table).where(journal_table.c.seq == 5),
        update(call_table).values(head_seq=4),
        update(call_table).values(head_mac=b"x" * 32),
        update(call_table).values(state="live"),
        update(call_table).values(key_id="none"),
        update(call_table).values(caller="somebody-else"),
        update(call_table).values(caller=None),
        update(call_table).values(tenant="another"),
        update(call_table).values(display_name="Somebody Else"),
    ],
    ids=str,
)
async def test_verify_of_a_database_that_was_edited_is_broken(record: Record, spoil: Any) -> None:
    """The same, through the database."""
    call_id = await sealed(record)
    assert (await verify(record, call_id)).verdict is Verdict.INTACT
    async with record.database.writing() as connection:
        await connection.execute(spoil)
    assert (await verify(record, call_id)).verdict is Verdict.BROKEN


async def test_verify_of_an_erased_call_that_has_a_caller_again_is_broken(record: Record) -> None:
    """Of an erased call nobody knows whose it was."""
    call_id = await sealed(record)
    await erasure.erase(record, call_id, "asked")
    async with record.database.writing() as connection:
        await connection.execute(update(call_table).values(caller="somebody-else"))
    assert (await verify(record, call_id)).verdict is Verdict.BROKEN


async def test_verify_of_a_call_that_goes_on_is_of_one_moment(record: Record) -> None:
    """What others append meanwhile does not make it look broken."""
    call_id = await live(record)

    async def append() -> None:
        while True:
            await journal.append(record, call_id, None, [UserTurn(text="Hello")])

    appending = asyncio.create_task(append())
    verdicts = {(await verify(record, call_id)).verdict for _ in range(150)}
    appending.cancel()
    await asyncio.wait({appending})
    assert verdicts == {Verdict.INTACT}


async def test_read_verified_has_the_entries_that_the_finding_is_about(record: Record) -> None:
    """Who acts on what the journal says acts on no other reading of it."""
    call_id = await sealed(record)
    finding, recorded = await read_verified(record, call_id)
    assert finding == await verify(record, call_id)
    assert recorded == await journal.read(record, call_id)


async def test_verify_of_an_entry_added_or_moved_between_calls_is_broken(record: Record) -> None:
    """An entry holds in its own place only."""
    one, two = await sealed(record), await sealed(record)
    async with record.database.writing() as connection:
        copy = text(
            "INSERT INTO journal SELECT call_id, 6, at_ms, attempt, kind, body, salt, digest, mac "
            "FROM journal WHERE call_id = :call_id AND seq = 5"
        )
        await connection.execute(copy, {"call_id": one})
        await connection.execute(
            delete(journal_table).where(journal_table.c.call_id == two, journal_table.c.seq == 3)
        )
        move = text(
            "INSERT INTO journal SELECT :two, seq, at_ms, attempt, kind, body, salt, digest, mac "
            "FROM journal WHERE call_id = :one AND seq = 3"
        )
        await connection.execute(move, {"one": one, "two": two})
    assert (await verify(record, one)).seq == 6
    assert (await verify(record, two)).seq == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the other stores no such text
async def test_verify_of_text_that_is_no_text_is_broken(record: Record) -> None:
    """Bytes that no reader could decode are told, not thrown."""
    call_id = await sealed(record)
    async with record.database.writing() as connection:
        await connection.execute(
            text("UPDATE journal SET body = CAST(x'7bff7d' AS TEXT) WHERE seq = 3")
        )
    assert (await verify(record, call_id)).seq == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the other has typed columns
@pytest.mark.parametrize("column", ["at_ms", "attempt", "kind", "body", "salt", "mac"])
@pytest.mark.parametrize("value", ["CAST({column} AS BLOB)", "x'ff'", "'ff'", "1.5"])
async def test_read_verified_believes_no_entry_whose_column_has_another_type(
    record: Record, column: str, value: str
) -> None:
    """The MAC of bytes is that of the same text, but no reader knows an entry of such a kind."""
    call_id = await sealed(record)
    was = await journal.read(record, call_id)
    async with record.database.writing() as connection:
        change = f"UPDATE journal SET {column} = {value.format(column=column)} WHERE seq = 3"  # noqa: S608
        await connection.execute(text(change))
    finding, recorded = await read_verified(record, call_id)
    if finding.verdict is Verdict.INTACT:  # an integer or bytes that were stored as they were
        assert recorded == was
    else:
        assert (finding.verdict, finding.seq, recorded) == (Verdict.BROKEN, 3, was[:2])
    assert len(await journal.read(record, call_id)) == len(was)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["state", "key_id", "head_mac", "caller"])
async def test_verify_of_a_call_whose_row_has_another_type_is_broken(
    record: Record, column: str
) -> None:
    """Its row is as little believed as its entries."""
    call_id = await sealed(record)
    value = f"CAST({column} AS TEXT)" if column == "head_mac" else f"CAST({column} AS BLOB)"
    async with record.database.writing() as connection:
        await connection.execute(text(f"UPDATE call SET {column} = {value}"))  # noqa: S608
    assert (await verify(record, call_id)).verdict is Verdict.BROKEN


async def test_verify_after_erasure_says_erased_and_a_forged_tombstone_does_not_help(
    record: Record,
) -> None:
    """Erased by us: the chain holds. Erased by hand: it does not."""
    ours, forged = await sealed(record), await sealed(record)
    exported = (await verify(record, ours)).last_mac
    await erasure.erase(record, ours, "asked")
    finding = await verify(record, ours, expect_mac=exported)
    assert (finding.verdict, finding.erased, finding.entries) == (Verdict.ERASED, 5, 5)
    assert finding.tombstone is not None and finding.tombstone.why == "asked"
    async with record.database.writing() as connection:
        call = await the_call(record, forged)
        await connection.execute(
            insert(tombstone_table).values(
                call_id=forged,
                at_ms=1,
                why="asked",
                last_seq=call.head_seq,
                last_mac=call.head_mac,
                key_id=call.key_id,
                mac=b"x" * 32,
            )
        )
    assert (await verify(record, forged)).verdict is Verdict.BROKEN


async def test_verify_after_key_rotation_takes_each_call_with_its_own_key(record: Record) -> None:
    """A call keeps the key it began with; new calls take the first one."""
    old = await live(record)
    keys = KeyRing("new", {"new": b"n" * 32, **record.keys.keys})
    rotated = dataclasses.replace(record, keys=keys)
    await journal.append(rotated, old, 1, [UserTurn(text="still here")])
    new = await live(rotated)
    for call_id, key_id in ((old, record.keys.current), (new, "new")):
        assert (await verify(rotated, call_id)).verdict is Verdict.INTACT
        assert (await the_call(rotated, call_id)).key_id == key_id


async def sealed(record: Record) -> str:
    """An ended call with five entries."""
    call_id = await live(record)
    await journal.append(record, call_id, 1, [UserTurn(text="Yes.")])
    await calls.end(record, call_id, "caller")
    await journal.seal(record, call_id, 1, "caller")
    return call_id
