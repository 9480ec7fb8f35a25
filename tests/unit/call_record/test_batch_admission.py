"""Admission of many who come at the same time."""

import asyncio
import dataclasses

import pytest

from call_record import calls, workers
from call_record.admission import Admitted, Applicant, Limits, Queued, Refusal
from call_record.batch_admission import TOGETHER_MAX, BatchAdmission
from call_record.database import DATABASE_DOWN, Database
from call_record.record import Record
from tests.support.faults import Faults
from voice_contract.ids import new_call_id


async def test_turnstile_gives_each_its_own_answer(record: Record) -> None:
    """More than go in together, of whom some are refused."""
    await workers.register(record, "worker", TOGETHER_MAX + 3)
    turnstile = BatchAdmission(record, Limits(calls_a_caller=1))
    ids = [new_call_id() for _ in range(2 * TOGETHER_MAX)]
    answers = await asyncio.gather(*(turnstile.admit(one, Applicant(one)) for one in ids))
    got_in = [answer.call.call_id for answer in answers if isinstance(answer, Admitted)]
    assert got_in == ids[: TOGETHER_MAX + 3]
    late = answers[len(got_in) :]
    assert late == [Queued(Refusal.AGENTS_BUSY, n + 1) for n in range(len(late))]
    assert len(await calls.not_ended(record)) == len(got_in)


async def test_turnstile_turns_again_after_the_database_was_away(record: Record) -> None:
    """Everybody who waited is told; the next one gets in."""
    await workers.register(record, "worker", 9)
    turnstile = BatchAdmission(record)
    with Faults(record.database).at(0):
        waiting = [turnstile.admit(new_call_id(), Applicant(name)) for name in "abc"]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [isinstance(answer, DATABASE_DOWN) for answer in answers] == [True, True, True]
    assert isinstance(await turnstile.admit(new_call_id(), Applicant("a")), Admitted)


async def test_turnstile_goes_on_without_who_went_away(record: Record) -> None:
    """A caller that gives up does not take the others' answers along."""
    await workers.register(record, "worker", 9)
    turnstile = BatchAdmission(record)
    impatient = asyncio.create_task(turnstile.admit(new_call_id(), Applicant("a")))
    patient = asyncio.create_task(turnstile.admit(new_call_id(), Applicant("b")))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert isinstance(await patient, Admitted)


async def test_turnstiles_of_several_processes_share_the_slots(
    record: Record, database_url: str
) -> None:
    """What one has given, no other gives."""
    await workers.register(record, "worker", 5)
    records = [dataclasses.replace(record, database=Database(database_url)) for _ in range(3)]
    turnstiles = [BatchAdmission(one) for one in records]
    answers = await asyncio.gather(
        *(turnstiles[n % 3].admit(new_call_id(), Applicant(f"caller-{n}")) for n in range(30))
    )
    assert sum(isinstance(answer, Admitted) for answer in answers) == 5
    for one in records:
        await one.close()
