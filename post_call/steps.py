"""The steps of the work after a call; each call of `try_step` is one try of one step."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from call_record import calls, follow_up
from call_record.calls import Call
from call_record.database import DATABASE_DOWN
from call_record.follow_up import ACTION_ITEMS, SUMMARY, TICKET, StepState
from call_record.record import Record
from call_record.verification import Verdict, is_of, read_verified
from post_call import metrics, summary, tickets
from post_call.call_facts import CallFacts, tell
from post_call.connectors import Crm, Endpoint, Report, Tickets
from post_call.evidence import evidence
from post_call.fact_check import ItemsAnswer, SummaryAnswer, check_items, check_summary
from post_call.http import Refused, TryAgain
from post_call.model import Model, ModelFailed
from voice_contract.follow_up import CallSummary

log = structlog.get_logger()

CRM = "crm"
WEBHOOK = "webhook:"
SETTLE_S = 30.0
"""A request whose fate is not known may still be at work in a system that knows no keys."""
CRASHES_MAX = 50
"""A step that was begun this often beyond its tries kills the process: it is parked."""
SUMMARY_TASK = "Summarize the call."
ITEMS_TASK = "List what is left to do after the call; an empty list if nothing is."


@dataclass(frozen=True)
class Patience:
    """How often and how long a step is tried. Times in seconds."""

    tries: int
    backoff_s: float
    backoff_max_s: float
    timeout_s: float
    model_tries: int
    model_timeout_s: float


@dataclass(frozen=True)
class Tried:
    """What came of a try."""

    again_in_s: float | None = None
    """None: the step is settled."""
    counts: bool = True
    """False: our own database did not answer, which is not the fault of the step."""


@dataclass(frozen=True)
class Done:
    """What a step did. `skipped`: it was not needed, and this is why."""

    skipped: str = ""
    external_id: str | None = None
    note: str = ""
    dropped: int = 0
    found: dict[str, str] = field(default_factory=dict)


class _Missing(Exception):
    """A step that must be done before was given up."""


class Steps:
    """
    What the steps work with.

    Args: parallel: requests at a time to each target.
    """

    def __init__(
        self,
        record: Record,
        patience: Patience,
        *,
        crm: Crm | None = None,
        tickets: Tickets | None = None,
        endpoints: Sequence[Endpoint] = (),
        model: Model | None = None,
        parallel: int = 8,
    ) -> None:
        self._record = record
        self._patience = patience
        self._crm = crm
        self._tickets = tickets
        self._endpoints = {f"{WEBHOOK}{one.name}": one for one in endpoints}
        self._model = model
        self._parallel = parallel
        self._permits: dict[str, asyncio.Semaphore] = {}

    @property
    def steps(self) -> list[str]:
        """The steps of a call, in order."""
        names = [SUMMARY, ACTION_ITEMS, TICKET]
        if self._crm:
            names.append(CRM)
        return [*names, *self._endpoints]

    async def plan(self, call_id: str) -> list[str]:
        """The steps of a call that are to be done now. Raises: what `DATABASE_DOWN` lists."""
        return await follow_up.plan(self._record, call_id, self.steps)

    async def finish(self, call_id: str) -> None:
        """All steps are settled. Raises: what `DATABASE_DOWN` lists."""
        state = await follow_up.finish(self._record, call_id)
        log.info("follow_up.finished", call_id=call_id, state=state)

    async def try_step(self, call_id: str, step: str, failures: int) -> Tried:
        """
        Try a step once; raises nothing but cancellation.

        Args: failures: how often it failed before.
        """
        started_s = time.monotonic()
        label = step.partition(":")[0]
        outcome = "failed"
        try:
            async with self._permit(step):
                started_s = time.monotonic()
                tried, outcome = await self._try(call_id, step, failures)
        except DATABASE_DOWN as error:
            log.warning("record.unavailable", call_id=call_id, error=type(error).__name__)
            tried = Tried(self._wait_s(min(failures, 5)), counts=False)
            outcome = "record-unavailable"
        metrics.STEPS.labels(label, outcome).inc()
        metrics.STEP_S.labels(label).observe(time.monotonic() - started_s)
        return tried

    def _permit(self, step: str) -> AbstractAsyncContextManager[Any]:
        if step in (SUMMARY, ACTION_ITEMS) and self._model is None:
            return nullcontext()
        return self._permits.setdefault(step, asyncio.Semaphore(self._parallel))

    async def _try(self, call_id: str, step: str, failures: int) -> tuple[Tried, str]:
        if self._keyless(step) and (left_s := await self._settles_in_s(call_id, step, failures)):
            return Tried(left_s, counts=False), "settling"
        tries = await follow_up.begin(self._record, call_id, step, self._target(step))
        if tries is None:
            return Tried(), "settled"
        if tries > self._patience.tries + CRASHES_MAX:
            return await self._park(call_id, step, f"begun {tries} times without an end")
        wait: TryAgain | None = None
        try:
            async with asyncio.timeout(self._timeout_s(step)) as limit:
                done = await self._do(call_id, step, failures)
        except TryAgain as error:
            wait = error
        except (Refused, _Missing) as error:
            return await self._park(call_id, step, str(error))
        except TimeoutError:
            if not limit.expired():
                raise
            wait = TryAgain(f"no answer in {self._timeout_s(step):g} s", uncertain=True)
        except DATABASE_DOWN:
            raise
        except Exception as error:
            # A fault of ours: with the next version it may work, so it is not refused.
            log.error("step.broken", call_id=call_id, step=step, exc_info=error)
            wait = TryAgain(f"broken: {type(error).__name__}")
        if wait is None:
            return await self._settle(call_id, step, done)
        log.warning("step.failed", call_id=call_id, step=step, tries=tries, reason=str(wait))
        if failures + 1 >= self._patience.tries:
            return await self._park(call_id, step, f"{wait}, {failures + 1} times")
        return Tried(self._wait_s(failures, wait, self._keyless(step))), "failed"

    async def _settle(self, call_id: str, step: str, done: Done) -> tuple[Tried, str]:
        state = StepState.SKIPPED if done.skipped else StepState.DONE
        await follow_up.settle(
            self._record,
            call_id,
            step,
            state,
            reason=done.skipped or done.note,
            dropped=done.dropped,
            external_id=done.external_id,
            found=done.found,
        )
        label = step.partition(":")[0]
        if done.dropped:
            metrics.DROPPED.labels(label).inc(done.dropped)
        if state is StepState.DONE and (call := await calls.read(self._record, call_id)):
            late_ms = self._record.clock.now_ms() - (call.ended_at_ms or 0)
            metrics.DELAY_S.labels(label).observe(max(late_ms, 0) / 1000)
        log.info("step.settled", call_id=call_id, step=step, state=state)
        return Tried(), state.value

    async def _park(self, call_id: str, step: str, reason: str) -> tuple[Tried, str]:
        await follow_up.settle(self._record, call_id, step, StepState.PARKED, reason=reason)
        log.error("step.parked", call_id=call_id, step=step, reason=reason)
        return Tried(), StepState.PARKED.value

    async def _do(self, call_id: str, step: str, failures: int) -> Done:
        call = await calls.read(self._record, call_id)
        if call is None or call.caller is None:
            return Done(skipped=follow_up.ERASED)
        finding, recorded = await read_verified(self._record, call_id)
        if finding.verdict is Verdict.INTACT and not is_of(recorded[0], call):
            # The row was edited when it was read, and put right since.
            finding = replace(finding, verdict=Verdict.BROKEN, problem="the call's row was edited")
        if finding.verdict is Verdict.BROKEN:
            return await self._report_broken(call_id, step, finding.problem)
        facts = tell(call, recorded)
        if step == SUMMARY:
            return await self._summarize(facts, failures)
        if step == ACTION_ITEMS:
            return await self._list_items(facts, failures)
        report = await self.report(call)
        if step == TICKET:
            return await self._open_ticket(facts, report)
        if step == CRM and self._crm:
            if not call.joined_at_ms and not facts.turns:
                return Done(skipped="nobody came")
            return Done(external_id=await self._crm.log_call(report, f"{call_id}:{step}"))
        if endpoint := self._endpoints.get(step):
            await endpoint.deliver(report, f"{call_id}:{step}")
            return Done(external_id=f"{call_id}:{step}")
        return Done(skipped="not set up any more")

    async def _report_broken(self, call_id: str, step: str, problem: str) -> Done:
        """Raises: Refused: nobody but who looks after it is told of what may be made up."""
        if step == TICKET and self._tickets:
            ticket = tickets.write_broken(call_id, problem)
            return Done(external_id=await self._tickets.open(ticket, f"{call_id}:{TICKET}"))
        raise Refused(f"the journal is broken: {problem}")

    async def _summarize(self, facts: CallFacts, failures: int) -> Done:
        note, dropped = "", 0
        written: CallSummary | None = None
        if self._model and facts.turns:
            try:
                answer = await self._model.ask(facts, SUMMARY_TASK, SummaryAnswer)
            except ModelFailed as error:
                note = self._give_up(error, failures)
            else:
                checked = check_summary(facts, answer)
                written, dropped = checked.summary, checked.dropped
        written = written or summary.summarize(facts)
        return Done(note=note, dropped=dropped, found={"summary": written.model_dump_json()})

    async def _list_items(self, facts: CallFacts, failures: int) -> Done:
        note, dropped = "", 0
        items = None
        if self._model and facts.turns:
            try:
                answer = await self._model.ask(facts, ITEMS_TASK, ItemsAnswer)
            except ModelFailed as error:
                note = self._give_up(error, failures)
            else:
                checked = check_items(facts, answer)
                items, dropped = checked.items, checked.dropped
        if items is None:
            items = summary.action_items(facts, evidence(facts))
        found = follow_up.items_json(items)
        return Done(note=note, dropped=dropped, found={"action_items": found})

    def _give_up(self, error: ModelFailed, failures: int) -> str:
        """Raises: TryAgain: the model may have another try. Returns: what to put on record."""
        if failures + 1 < self._patience.model_tries:
            raise TryAgain(str(error))
        return f"by the record alone; {error}"

    async def _open_ticket(self, facts: CallFacts, report: Report) -> Done:
        if not self._tickets:
            return Done(skipped="no ticket system is set up")
        if not tickets.is_needed(facts, report.summary):
            return Done(skipped="not needed")
        ticket = tickets.write(facts, report)
        return Done(external_id=await self._tickets.open(ticket, f"{report.call_id}:{TICKET}"))

    async def report(self, call: Call) -> Report:
        """What other systems may be told of *call* by now."""
        steps = {one.step: one for one in await follow_up.read_steps(self._record, call.call_id)}
        results = await follow_up.read_results(self._record, call.call_id)
        if results.summary is None:
            raise _Missing("the summary is missing")
        ids = {name: one.external_id for name, one in steps.items()}
        return Report(
            call_id=call.call_id,
            caller=call.caller or "",
            display_name=call.display_name,
            tenant=call.tenant,
            started_at=_moment(call.admitted_at_ms),
            ended_at=_moment(call.ended_at_ms or call.admitted_at_ms),
            end_reason=call.end_reason or "",
            summary=results.summary,
            action_items=results.action_items,
            ticket=ids.get(TICKET),
            activity=ids.get(CRM),
            journal_seq=call.head_seq,
            journal_mac=call.head_mac.hex(),
            journal_key_id=call.key_id,
        )

    def _target(self, step: str) -> str | None:
        if step == TICKET:
            return self._tickets.name if self._tickets else None
        if step == CRM:
            return self._crm.name if self._crm else None
        if step in (SUMMARY, ACTION_ITEMS):
            return f"model {self._model.name}" if self._model else None
        return step

    def _timeout_s(self, step: str) -> float:
        if step in (SUMMARY, ACTION_ITEMS):
            return self._patience.model_timeout_s + self._patience.timeout_s
        return self._patience.timeout_s

    def _keyless(self, step: str) -> bool:
        return step == TICKET and self._tickets is not None and not self._tickets.knows_keys

    async def _settles_in_s(self, call_id: str, step: str, failures: int) -> float:
        """How long a request may still be at work whose sender died, or was given up."""
        for one in await follow_up.read_steps(self._record, call_id):
            if one.step == step and one.tries > failures:
                # It may have been sent at the try's last moment.
                most_s = SETTLE_S + self._timeout_s(step)
                left_s = most_s - (self._record.clock.now_ms() - one.at_ms) / 1000
                return min(max(left_s, 0.0), most_s)
        return 0.0

    def _wait_s(self, failures: int, why: TryAgain | None = None, keyless: bool = False) -> float:
        patience = self._patience
        wait_s = min(patience.backoff_s * 2.0 ** min(failures, 20), patience.backoff_max_s)
        # Spread, so that many calls do not come back at the same moment.
        wait_s *= random.uniform(0.8, 1.2)  # noqa: S311
        if why and why.after_s is not None:
            wait_s = max(wait_s, why.after_s)
        if why and why.uncertain and keyless:
            wait_s = max(wait_s, SETTLE_S)
        return wait_s


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
