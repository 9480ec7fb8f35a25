"""Appending to a journal, and reading it."""

import pytest

from call_record import calls, journal
from call_record.journal import StaleAttempt
from call_record.record import Record
from call_record.tables import CallState
from call_record.verification import Verdict, verify
from tests.support.calls import fence, live, requested, the_call
from voice_contract.journal import (
    BODY_MAX_BYTES,
    CallEnded,
    EntryTooLarge,
    Unknown,
    Usage,
    UserTurn,
)

HELLO = UserTurn(text="Hello, it's “me” \x00 \N{WAVING HAND SIGN}")


async def test_append_keeps_order_attempt_and_words(record: Record) -> None:
    """What is read is what was written."""
    call_id = await live(record)
    head = await journal.append(record, call_id, 1, [HELLO, Usage(amounts={"stt_audio_s": 2.5})])
    read = await journal.read(record, call_id, after_seq=2)
    assert [(one.seq, one.attempt, one.entry) for one in read] == [
        (3, 1, HELLO),
        (4, 1, Usage(amounts={"stt_audio_s": 2.5})),
    ]
    assert (head.seq, head.mac) == (4, read[-1].mac)
    assert await journal.head(record, call_id) == head
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_append_by_a_stale_attempt_is_refused_and_leaves_nothing(record: Record) -> None:
    """An agent that was replaced cannot write any more; who is no agent can."""
    call_id = await live(record)
    await fence(record, call_id, (await the_call(record, call_id)).seen)
    with pytest.raises(StaleAttempt) as caught:
        await journal.append(record, call_id, 1, [HELLO])
    assert caught.value.reason == "attempt"
    assert len(await journal.read(record, call_id)) == 2
    await journal.append(record, call_id, None, [HELLO])
    assert (await journal.read(record, call_id))[-1].attempt == 2


async def test_append_to_no_call_is_refused(record: Record) -> None:
    """Nothing is written for a call that was not admitted."""
    with pytest.raises(StaleAttempt, match="missing"):
        await journal.append(record, "nobody", None, [HELLO])
    assert await journal.head(record, "nobody") is None


async def test_append_after_the_seal_is_refused(record: Record) -> None:
    """The seal is the last entry, whoever comes after."""
    call_id = await requested(record)
    head = await journal.seal(record, call_id, None, "nobody-came")
    for attempt in (1, None):
        with pytest.raises(StaleAttempt, match="ended"):
            await journal.append(record, call_id, attempt, [HELLO])
    call = await the_call(record, call_id)
    assert (call.state, call.end_reason) == (CallState.ENDED, "nobody-came")
    assert call.ended_at_ms is not None
    assert head.state is CallState.ENDED
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_append_by_a_stale_attempt_to_an_ended_call_says_that_it_ended(
    record: Record,
) -> None:
    """Its job learns that nothing is left to end, as before."""
    call_id = await live(record)
    await fence(record, call_id, (await the_call(record, call_id)).seen)
    await calls.end(record, call_id, "caller")
    await journal.seal(record, call_id, None, "caller")
    with pytest.raises(StaleAttempt, match="ended"):
        await journal.append(record, call_id, 1, [HELLO])


async def test_append_of_entries_behind_a_seal_is_a_mistake(record: Record) -> None:
    """It would be a call that is sealed and not ended."""
    call_id = await requested(record)
    with pytest.raises(ValueError, match="must be the last"):
        await journal.append(record, call_id, 1, [CallEnded(reason="x"), HELLO])
    assert len(await journal.read(record, call_id)) == 1


async def test_append_of_too_much_is_refused(record: Record) -> None:
    """One entry cannot fill the database."""
    call_id = await live(record)
    with pytest.raises(EntryTooLarge):
        await journal.append(
            record, call_id, 1, [Unknown(kind="x", body="é" * (BODY_MAX_BYTES // 2 + 1))]
        )


async def test_place_tried_again_after_a_lost_answer_stores_once(record: Record) -> None:
    """Also when somebody else appended since."""
    call_id = await live(record)
    before = await journal.head(record, call_id)
    drafts = [journal.draft(HELLO, 1), journal.draft(HELLO, 2)]
    for more in (drafts, [*drafts, journal.draft(HELLO, 3)]):
        async with record.database.writing() as connection:
            await journal.append_in(connection, record.keys, call_id, 1, more, before)
        await journal.append(record, call_id, None, [Usage(amounts={})])
    read = await journal.read(record, call_id, after_seq=2)
    assert [one.kind for one in read] == ["turn.user", "turn.user", "usage", "turn.user", "usage"]
    assert [one.at_ms for one in read if one.kind == "turn.user"] == [1, 2, 3]
    assert (await verify(record, call_id)).verdict is Verdict.INTACT


async def test_read_keeps_kinds_of_another_version(record: Record) -> None:
    """A call begun by the next version can still be read by this one."""
    call_id = await live(record)
    future = Unknown(kind="mood.changed", body='{"mood": "better"}')
    await journal.append(record, call_id, 1, [future])
    assert (await journal.read(record, call_id))[-1].entry == future
