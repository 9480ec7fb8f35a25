"""A call as JSON lines."""

import json
from typing import Any

from call_record import erasure, export, journal
from call_record.record import Record
from call_record.verification import collect
from tests.support.calls import live
from voice_contract.journal import UserTurn


async def exported(record: Record, call_id: str) -> list[dict[str, Any]]:
    """The lines, read back."""
    async with record.database.reading() as connection:
        evidence = await collect(connection, call_id)
    return [json.loads(line) for line in export.lines(call_id, evidence)]


async def test_export_has_what_the_chain_covers_and_its_last_mac(record: Record) -> None:
    """Salts and MACs in hexadecimal."""
    call_id = await live(record)
    await journal.append(record, call_id, 1, [UserTurn(text="Grüß Gott")])
    [*entries, last] = await exported(record, call_id)
    assert json.loads(entries[-1]["body"])["text"] == "Grüß Gott"
    assert bytes.fromhex(entries[-1]["salt"]) and bytes.fromhex(entries[-1]["mac"])
    assert (last["kind"], last["call_id"], last["state"]) == ("parley.export", call_id, "live")
    assert (last["last_seq"], last["last_mac"]) == (len(entries), entries[-1]["mac"])
    assert last["erased_at_ms"] is None


async def test_export_of_an_erased_call_has_no_words_but_its_chain(record: Record) -> None:
    """And says when and why."""
    call_id = await live(record)
    await journal.append(record, call_id, 1, [UserTurn(text="Grüß Gott")])
    await erasure.end(record, call_id, "caller")
    await erasure.erase(record, call_id, "asked")
    [*entries, last] = await exported(record, call_id)
    assert entries and all(one["body"] is one["salt"] is None for one in entries)
    assert all(bytes.fromhex(one["digest"]) and bytes.fromhex(one["mac"]) for one in entries)
    assert last["last_mac"] == entries[-1]["mac"]
    assert (last["erased_why"], last["erased_at_ms"] is None) == ("asked", False)
