"""Compares what the shop's ledger, a call's journal and its ticket say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import httpx2 as httpx

from agent_worker.tools.phrases import GatePhrases
from call_record import calls, follow_up, journal
from call_record.calls import Call
from call_record.follow_up import TICKET, Step, StepState
from call_record.journal import Recorded
from call_record.record import Record
from call_record.tables import CallState
from call_record.timeline import Timeline, fold
from call_record.timeline_parts import Invocation
from call_record.verification import Finding, Verdict, verify
from tests.chaos.ledger_call import Acts, Wish
from voice_contract.journal import ToolFinished, ToolUnknown, Usage

KINDS = {
    "refund_order": "order.refunded",
    "cancel_order": "order.cancelled",
    "cancel_appointment": "appointment.cancelled",
    "talk_to_person": "callback.requested",
}
WENT_THROUGH = GatePhrases().went_through.partition("{")[0]
ONCE_MORE = GatePhrases().once_more
OFFICE = ("contact.created", "activity.logged", "ticket.opened")
"""What the shop does after a call, not in it."""


@dataclass
class Account:
    """All that is known of a call when everything is over."""

    wish: Wish
    acts: Acts
    call: Call
    recorded: Sequence[Recorded]
    finding: Finding
    ledger: Sequence[dict[str, Any]]
    tickets: Sequence[dict[str, Any]]
    steps: Sequence[Step]

    def __post_init__(self) -> None:
        self.line: Timeline = fold(self.recorded)
        self.effects = [one for one in self.ledger if one["kind"] not in OFFICE]
        self.writes = [
            one for one in self.line.invocations if one.started and one.started.effect == "write"
        ]
        self.open_doubts = [
            one for one in self.writes if one.end is None or isinstance(one.end, ToolUnknown)
        ]
        self.settled_doubts = [
            one for one in self.writes if one not in self.open_doubts and self._was_in_doubt(one)
        ]

    def _was_in_doubt(self, invocation: Invocation) -> bool:
        """Whether it was said to be, or was ended by another agent than the one that began it."""
        if any(isinstance(end.entry, ToolUnknown) for end in invocation.ends):
            return True
        attempts = {one.seq: one.attempt for one in self.recorded}
        began, ended = attempts[invocation.starts[-1].seq], invocation.ends[-1:]
        return bool(ended) and attempts[ended[0].seq] != began

    def violations(self) -> Iterator[str]:
        """What is not as it must be."""
        yield from self._end()
        yield from self._ledger_and_journal()
        yield from self._twice()
        yield from self._lost()
        yield from self._follow_up()

    def _end(self) -> Iterator[str]:
        if self.call.state is not CallState.ENDED:
            yield f"the call is {self.call.state}"
        if self.finding.verdict is not Verdict.INTACT:
            yield f"the journal is {self.finding.verdict}: {self.finding.problem}"

    def _ledger_and_journal(self) -> Iterator[str]:
        begun = {one.idempotency_key: one for one in self.writes}
        for effect in self.effects:
            invocation = begun.get(effect["idempotency_key"])
            if invocation is None:
                yield f"{effect['kind']} {effect['subject']} was never begun by the journal"
            elif KINDS[invocation.tool] != effect["kind"]:
                yield f"{effect['kind']} was begun as {invocation.tool}"
            elif invocation.state not in ("finished", "unknown", "started"):
                yield f"{effect['kind']} is done, and the journal says {invocation.state}"
        keys = {effect["idempotency_key"] for effect in self.effects}
        for invocation in self.writes:
            if len({one.entry.idempotency_key for one in invocation.starts}) > 1:
                yield f"{invocation.invocation_id} was begun with two keys"
            if isinstance(invocation.end, ToolFinished) and invocation.idempotency_key not in keys:
                yield f"{invocation.invocation_id} is finished, and the shop knows nothing of it"

    def _twice(self) -> Iterator[str]:
        by_key = {one.idempotency_key: one for one in self.writes}
        done = [
            by_key[one["idempotency_key"]]
            for one in self.effects
            if one["idempotency_key"] in by_key
        ]
        allowed = self.acts.yes if self.wish.asks else self.acts.wished + self.acts.yes
        if len(done) > allowed:
            yield f"{len(done)} effects for {allowed} acts of the caller"
        for invocation in done:
            if self.wish.asks and not _approved(invocation):
                yield f"{invocation.tool} without a yes"
        for earlier, later in combinations(done, 2):
            # Of other words with another target the caller was asked by name.
            if earlier.arguments == later.arguments or _target(earlier) == _target(later):
                if not _approved(later) and earlier.turn_ids & later.turn_ids:
                    yield f"{later.tool} twice for one turn"
                if not self._knew(earlier, later):
                    yield f"{later.tool} again, while the first was in doubt"

    def _knew(self, earlier: Invocation, later: Invocation) -> bool:
        """Whether the caller knew what became of *earlier*, when *later* was wished or allowed."""
        if not self._was_in_doubt(earlier):
            return True
        wished = min((one.seq for one in later.proposals), default=later.seq)
        for one in later.confirmations:
            if one.decision == "approved" and one.asked:
                title = one.asked.entry.title
                if title.startswith(WENT_THROUGH):
                    # "Once more" means the same thing, not what the same words mean by now.
                    return ONCE_MORE not in title or _target(earlier) == _target(later)
                wished = one.asked.seq
        told = [
            turn.ended.seq
            for turn in self.line.agent_turns
            if turn.ended and earlier.invocation_id in turn.ended.entry.invocation_ids
        ]
        finished = [one.seq for one in earlier.ends if isinstance(one.entry, ToolFinished)]
        return any(seq < wished and any(end < seq for end in finished) for seq in told)

    def _lost(self) -> Iterator[str]:
        for invocation in self.line.invocations:
            if _approved(invocation) and not invocation.starts and not invocation.ends:
                yield f"{invocation.tool} was approved, and nothing came of it"
        mine = [one for one in self.line.invocations if one.tool == self.wish.tool]
        if not mine and not self.acts.hung_up_in_doubt:
            yield "the wish is not in the journal"
        by_agent = any(isinstance(one.entry, Usage) for one in self.recorded)
        for invocation in self.open_doubts:
            if by_agent and invocation.end is None:
                yield f"{invocation.invocation_id} has no end, although its agent ended the call"
            about = [
                one for one in self.tickets if (invocation.idempotency_key or "-") in one["text"]
            ]
            if len(about) != 1:
                yield f"{invocation.tool} is in doubt, and {len(about)} tickets say so"

    def _follow_up(self) -> Iterator[str]:
        states = {one.step: one.state for one in self.steps}
        if not states or set(states.values()) - {StepState.DONE, StepState.SKIPPED}:
            yield f"the work after the call is {states}"
        after = [one["kind"] for one in self.ledger if one["kind"] in OFFICE]
        if after.count("activity.logged") != 1:
            yield f"the CRM was told {after.count('activity.logged')} times"
        wanted = [one for one in self.steps if one.step == TICKET and one.state is StepState.DONE]
        if not len(self.tickets) == len(wanted) == after.count("ticket.opened"):
            yield f"{len(self.tickets)} tickets, {after.count('ticket.opened')} of them opened"


def _target(invocation: Invocation) -> str | None:
    return invocation.started.target if invocation.started else None


def _approved(invocation: Invocation) -> bool:
    return any(one.decision == "approved" for one in invocation.confirmations)


async def account(
    record: Record, shop: httpx.AsyncClient, call_id: str, wish: Wish, acts: Acts
) -> Account:
    """Ask everybody."""
    call = await calls.read(record, call_id)
    assert call is not None
    ledger = (await shop.get("/v1/ledger", params={"call_id": call_id, "limit": 1_000})).json()
    tickets = (await shop.get("/v1/tickets", params={"external_id": call_id})).json()
    return Account(
        wish,
        acts,
        call,
        await journal.read(record, call_id),
        await verify(record, call_id),
        ledger["effects"],
        tickets["tickets"],
        await follow_up.read_steps(record, call_id),
    )
