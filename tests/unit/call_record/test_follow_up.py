"""The work after a call, as the record keeps it."""

import asyncio

import pytest
from sqlalchemy import text

from call_record import erasure, follow_up, workers
from call_record.erasure import Erasure
from call_record.follow_up import Run, StepState, WorkState
from call_record.record import Record
from tests.support.calls import FakeClock, live
from tests.support.ended_calls import ended
from voice_contract.follow_up import ActionItem, CallSummary

STEPS = ["summary", "action_items", "ticket", "crm", "webhook:a"]
FOUND = CallSummary(reason="Order 7.", outcome="resolved", text="Sam asked about order 7.")
ITEM = ActionItem(text="Call Sam back.", evidence=[3])


async def planned(record: Record) -> str:
    """A call whose work was begun."""
    await workers.register(record, "worker", 100)
    call_id = await ended(record)
    await follow_up.take(record)
    await follow_up.set_queued(record, await follow_up.unqueued(record))
    assert await follow_up.plan(record, call_id, STEPS) == STEPS
    return call_id


async def do(record: Record, call_id: str, step: str, state: StepState = StepState.DONE) -> None:
    """Settle a step as the work does."""
    assert await follow_up.begin(record, call_id, step, f"{step}-target") is not None
    found = {
        "summary": {"summary": FOUND.model_dump_json()},
        "action_items": {"action_items": follow_up.items_json([ITEM])},
    }
    external_id = "42" if step in ("ticket", "crm") and state is StepState.DONE else None
    reason = "why" if state is not StepState.DONE else ""
    assert await follow_up.settle(
        record,
        call_id,
        step,
        state,
        reason=reason,
        external_id=external_id,
        found=found.get(step),
    )


async def test_take_makes_work_of_ended_calls_once(record: Record) -> None:
    """Ten at a time make it once, and none fails; calls in progress and erased ones have none."""
    await workers.register(record, "worker", 100)
    first, second, gone = [await ended(record) for _ in range(3)]
    await live(record)
    await erasure.erase(record, gone, "asked")
    taken = await asyncio.gather(*(follow_up.take(record) for _ in range(10)))
    assert sum(taken) == 2
    assert await follow_up.take(record) == 0
    runs = [Run(first, 0), Run(second, 0)]
    assert await follow_up.unqueued(record) == runs
    await follow_up.set_queued(record, runs)
    assert await follow_up.unqueued(record) == []
    assert await follow_up.waiting(record) == runs
    assert await follow_up.waiting(record, after=first) == runs[1:]


async def test_take_of_a_call_whose_work_another_version_made_goes_on(record: Record) -> None:
    """It does not say in the call's row that it was taken."""
    await workers.register(record, "worker", 100)
    first, second = [await ended(record) for _ in range(2)]
    async with record.database.writing() as connection:
        await connection.execute(
            text("INSERT INTO follow_up (call_id, state, run, queued) VALUES (:id, 'ready', 0, 0)"),
            {"id": first},
        )
    assert await follow_up.take(record) == 1
    assert await follow_up.take(record) == 0
    assert await follow_up.unqueued(record) == [Run(second, 0)]


async def test_take_looks_at_no_call_that_was_taken(record: Record) -> None:
    """However many there have been: the index holds the others alone."""
    statement = follow_up.untaken(0, 100)
    compiled = statement.compile(
        dialect=record.database.engine.dialect, compile_kwargs={"literal_binds": True}
    )
    explain = "EXPLAIN QUERY PLAN" if record.database.is_sqlite else "EXPLAIN"
    async with record.database.reading() as connection:
        if not record.database.is_sqlite:
            # A table of three rows is read whole else.
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            await connection.exec_driver_sql("SET LOCAL enable_sort = off")
        plan = await connection.exec_driver_sql(f"{explain} {compiled}")
        assert "call_untaken" in " ".join(str(row) for row in plan)


async def test_it_is_quiet_while_no_call_goes_on_and_nothing_waits(record: Record) -> None:
    """From a call's admission until the work after it is done it is not."""
    await workers.register(record, "worker", 100)
    assert await follow_up.is_quiet(record)
    call_id = await live(record)
    assert not await follow_up.is_quiet(record)
    await erasure.end(record, call_id, "caller")
    assert not await follow_up.is_quiet(record)
    await follow_up.take(record)
    assert not await follow_up.is_quiet(record)
    await follow_up.plan(record, call_id, ["ticket"])
    await do(record, call_id, "ticket")
    await follow_up.finish(record, call_id)
    assert await follow_up.is_quiet(record)


async def test_take_of_the_last_calls_leaves_older_ones_to_the_sweep(
    clocked: Record, clock: FakeClock
) -> None:
    """Looking back a little is what is done often."""
    await workers.register(clocked, "worker", 100)
    await ended(clocked)
    clock.seconds += 500
    await ended(clocked)
    assert await follow_up.take(clocked, ended_after_ms=clock.now_ms() - 1_000) == 1
    assert await follow_up.take(clocked) == 1


async def test_follow_up_is_waiting_until_what_the_caller_sees_is_settled(record: Record) -> None:
    """The webhook is nothing that the caller waits for."""
    await workers.register(record, "worker", 100)
    call_id = await ended(record)

    async def state() -> str:
        read = await follow_up.read_follow_up(record, call_id)
        assert read is not None
        return read.state

    assert await state() == "waiting"
    await follow_up.take(record)
    assert await state() == "waiting"
    await follow_up.plan(record, call_id, STEPS)
    for step in STEPS[:3]:
        assert await state() == "waiting"
        await do(record, call_id, step)
    read = await follow_up.read_follow_up(record, call_id)
    assert read is not None
    assert (read.state, read.summary, read.action_items) == ("ready", FOUND, [ITEM])
    assert read.ticket == "42"
    await do(record, call_id, "crm", StepState.SKIPPED)
    await do(record, call_id, "webhook:a", StepState.PARKED)
    assert await follow_up.finish(record, call_id) is WorkState.FAILED
    assert await state() == "ready"


async def test_follow_up_of_a_parked_ticket_has_failed_for_the_caller(record: Record) -> None:
    """What was found so far is there all the same."""
    call_id = await planned(record)
    await do(record, call_id, "summary")
    await do(record, call_id, "action_items")
    await do(record, call_id, "ticket", StepState.PARKED)
    read = await follow_up.read_follow_up(record, call_id)
    assert read is not None
    assert (read.state, read.summary, read.ticket) == ("failed", FOUND, None)


async def test_follow_up_of_nobody_is_none(record: Record) -> None:
    """There is no such call."""
    assert await follow_up.read_follow_up(record, "nobody") is None


async def test_finish_with_open_steps_changes_nothing(record: Record) -> None:
    """It waits until all are settled."""
    call_id = await planned(record)
    assert await follow_up.finish(record, call_id) is WorkState.WAITING
    assert await follow_up.finish(record, "nobody") is None


async def test_plan_again_gives_what_is_open(record: Record) -> None:
    """Whatever steps there would be by now: those of the first plan count."""
    call_id = await planned(record)
    await do(record, call_id, "summary")
    assert await follow_up.plan(record, call_id, ["summary", "other"]) == STEPS[1:]
    assert await follow_up.plan(record, "nobody", STEPS) == []


async def test_settled_step_is_neither_begun_nor_settled_again(record: Record) -> None:
    """Who comes late stores nothing."""
    call_id = await planned(record)
    assert await follow_up.begin(record, call_id, "summary", None) == 1
    assert await follow_up.begin(record, call_id, "summary", None) == 2
    await do(record, call_id, "summary")
    assert await follow_up.begin(record, call_id, "summary", None) is None
    other = {"summary": FOUND.model_copy(update={"text": "Late."}).model_dump_json()}
    assert not await follow_up.settle(record, call_id, "summary", StepState.DONE, found=other)
    assert (await follow_up.read_results(record, call_id)).summary == FOUND


@pytest.mark.parametrize("step", [None, "crm"])
async def test_retry_opens_what_is_parked_for_another_run(record: Record, step: str | None) -> None:
    """All of it or one step; what is done stays done."""
    call_id = await planned(record)
    for name in STEPS:
        parked = name in ("ticket", "crm")
        await do(record, call_id, name, StepState.PARKED if parked else StepState.DONE)
    await follow_up.finish(record, call_id)
    assert [one.step for one in await follow_up.read_unsettled(record, failed=True)] == [
        "ticket",
        "crm",
    ]
    assert await follow_up.count(record) == follow_up.Counts(waiting=0, parked=2)
    assert await follow_up.retry(record, call_id, step) == (1 if step else 2)
    assert await follow_up.unqueued(record) == [Run(call_id, 1)]
    assert await follow_up.plan(record, call_id, []) == ([step] if step else ["ticket", "crm"])
    assert await follow_up.retry(record, call_id, "summary") == 0


async def test_retry_amid_the_work_makes_no_second_workflow(record: Record) -> None:
    """The one under way does the rest first; what is open then is found by who mends."""
    call_id = await planned(record)
    await do(record, call_id, "summary")
    await do(record, call_id, "ticket", StepState.PARKED)
    assert await follow_up.retry(record, call_id) == 1
    assert await follow_up.unqueued(record) == []
    assert await follow_up.finish(record, call_id) is WorkState.WAITING
    assert await follow_up.waiting(record) == [Run(call_id, 0)]


async def test_skip_of_the_last_parked_step_ends_the_work(record: Record) -> None:
    """It is ready, with a step left undone by hand."""
    call_id = await planned(record)
    for name in STEPS:
        await do(record, call_id, name, StepState.PARKED if name == "crm" else StepState.DONE)
    assert await follow_up.finish(record, call_id) is WorkState.FAILED
    assert await follow_up.skip(record, call_id, "ticket") == 0
    assert await follow_up.skip(record, call_id, "crm") == 1
    assert await follow_up.finish(record, call_id) is WorkState.READY
    assert await follow_up.read_unsettled(record, failed=False) == []


async def test_run_again_is_for_work_that_still_waits(record: Record) -> None:
    """One that finished meanwhile, or has another run already, is left alone."""
    call_id = await planned(record)
    assert await follow_up.run_again(record, Run(call_id, 0))
    assert not await follow_up.run_again(record, Run(call_id, 0))
    assert await follow_up.unqueued(record) == [Run(call_id, 1)]
    for name in STEPS:
        await do(record, call_id, name)
    await follow_up.finish(record, call_id)
    assert not await follow_up.run_again(record, Run(call_id, 1))


async def test_give_up_parks_what_is_open(record: Record) -> None:
    """A person will look at it."""
    call_id = await planned(record)
    await do(record, call_id, "summary")
    await follow_up.give_up(record, Run(call_id, 20), "the workflow failed 21 times")
    parked = await follow_up.read_unsettled(record, failed=True)
    assert {one.reason for one in parked} == {"the workflow failed 21 times"}
    assert [one.step for one in parked] == STEPS[1:]
    assert await follow_up.waiting(record) == []


async def test_erase_reaches_what_was_found_and_stops_what_is_open(record: Record) -> None:
    """What went to other systems stays listed, with what may have gone there."""
    call_id = await planned(record)
    await do(record, call_id, "summary")
    await do(record, call_id, "action_items")
    await do(record, call_id, "ticket")
    await follow_up.begin(record, call_id, "crm", "crm-target")
    assert await erasure.erase(record, call_id, "asked") is Erasure.ERASED
    async with record.database.reading() as connection:
        row = (await connection.execute(text("SELECT * FROM follow_up"))).one()
    assert (row.summary, row.action_items, row.state) == (None, None, "ready")
    left = await erasure.left_outside(record, call_id)
    assert [(one.step, one.target, one.external_id, one.state) for one in left] == [
        ("summary", "summary-target", None, StepState.DONE),
        ("action_items", "action_items-target", None, StepState.DONE),
        ("ticket", "ticket-target", "42", StepState.DONE),
        ("crm", "crm-target", None, StepState.SKIPPED),
    ]
    assert not await follow_up.settle(
        record, call_id, "crm", StepState.DONE, found={"summary": FOUND.model_dump_json()}
    )
    assert await follow_up.begin(record, call_id, "webhook:a", "a") is None
    assert await follow_up.retry(record, call_id) == 0
    assert await follow_up.read_follow_up(record, call_id) is None


async def test_plan_of_an_erased_call_is_empty(record: Record) -> None:
    """Erased between being taken and being worked on."""
    await workers.register(record, "worker", 100)
    call_id = await ended(record)
    await follow_up.take(record)
    await erasure.erase(record, call_id, "asked")
    assert await follow_up.plan(record, call_id, STEPS) == []
    assert await follow_up.finish(record, call_id) is WorkState.READY


async def test_retention_removes_the_work_and_tells_what_was_left_elsewhere(
    clocked: Record, clock: FakeClock
) -> None:
    """Before it forgets."""
    call_id = await planned(clocked)
    await do(clocked, call_id, "summary")
    await do(clocked, call_id, "ticket")
    clock.seconds += 100
    told: list[follow_up.Step] = []
    assert await erasure.remove_ended_before(clocked, clock.now_ms(), "age", told.extend) == 1
    assert [(one.call_id, one.step) for one in told] == [(call_id, "summary"), (call_id, "ticket")]
    assert await follow_up.read_steps(clocked, call_id) == []
    assert await follow_up.finish(clocked, call_id) is None
    assert await follow_up.begin(clocked, call_id, "crm", None) is None
