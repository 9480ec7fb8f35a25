"""Callers who stay out."""

from call_record import deny_list
from call_record.deny_list import DenyEntry
from call_record.record import Record
from tests.support.calls import FakeClock
from voice_contract.ids import new_call_id
from voice_contract.limits import DENY_S


async def test_denied_is_one_call_or_all_of_one_caller(record: Record) -> None:
    """Nobody else, no other tenant's caller of that name."""
    one, other = new_call_id(), new_call_id()
    await deny_list.deny(record, "sam", call_id=one)
    await deny_list.deny(record, "kim", tenant="shop")
    assert await deny_list.denied(record, "sam", None, one)
    assert not await deny_list.denied(record, "sam", None, other)
    assert not await deny_list.denied(record, "sam", "shop", one)
    assert await deny_list.denied(record, "kim", "shop", one)
    assert not await deny_list.denied(record, "kim", None, one)


async def test_deny_entry_outlives_every_token_and_then_is_forgotten(
    clocked: Record, clock: FakeClock
) -> None:
    """Said again, the time begins anew; nothing of the caller is left at the end."""
    call_id = new_call_id()
    await deny_list.deny(clocked, "sam", call_id=call_id)
    clock.seconds += DENY_S - 1
    await deny_list.deny(clocked, "sam", call_id=call_id)
    clock.seconds += DENY_S - 1
    until_ms = clock.now_ms() + 1_000
    assert await deny_list.read_all(clocked) == [DenyEntry("sam", None, call_id, until_ms)]
    clock.seconds += 1
    assert not await deny_list.denied(clocked, "sam", None, call_id)
    assert await deny_list.read_all(clocked) == []
