"""Admission: one transaction at a time decides which callers may call now."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import calls as live
from call_record import deny_list, network_shares, queue, slots
from call_record.calls import Call, select_calls
from call_record.journal import StaleAttempt, append_in, draft, opening
from call_record.network_shares import NetworkShares
from call_record.queue import Queue, Who
from call_record.record import Record
from call_record.slots import Slots
from call_record.tables import OPEN, CallState
from call_record.tables import call as calls
from call_record.tables import journal as entries
from call_record.workers import Worker
from voice_contract.journal import CallEnded, CallRequested
from voice_contract.limits import JOIN_WITHIN_S

DAY_MS = 86_400_000
JOIN_AGAIN_WITHIN_MS = 2 * JOIN_WITHIN_S * 1000
"""
A call that was not joined for longer is not given again: it could be ended as one that nobody
joined while its new token is still good.
"""
NOT_JOINED = "not-joined"


class Refusal(StrEnum):
    """Why a call is not admitted; the values are problem codes."""

    NOT_ALLOWED = "not-allowed"
    """The caller was put out."""
    TOO_MANY_CALLS = "too-many-calls"
    """The caller is in as many calls as one caller may be."""
    DAILY_LIMIT = "daily-limit"
    """The caller has talked today for as long as one caller may."""
    SERVICE_BUSY = "service-busy"
    """There are as many calls as there may be."""
    NETWORK_BUSY = "network-busy"
    """The caller proves no identity, and its network holds as many slots as one may."""
    TENANT_LIMIT = "tenant-limit"
    """The tenant has as many calls as it may have."""
    AGENTS_BUSY = "agents-busy"
    """No worker that is there has a free slot."""


@dataclass(frozen=True)
class Limits:
    """What is admitted besides what there are slots for; None: no limit."""

    calls_a_caller: int | None = None
    """At the same time."""
    minutes_a_day: int | None = None
    """Of one caller, by the days of UTC. A call under way goes on."""
    calls: int | None = None
    """At the same time, of all callers."""
    calls_a_tenant: Mapping[str, int] = field(default_factory=dict)
    """At the same time, by tenant; one that is not named has no limit of its own."""
    network_share: float = 1.0
    """Of all slots, what anonymous callers of one network may hold; 1: no limit."""


NO_LIMITS = Limits()


@dataclass(frozen=True)
class Applicant:
    """The person who wants to call. Identities are unique within a tenant."""

    caller: str
    """The identity that the token service vouches for, or made for this call."""
    tenant: str | None = None
    display_name: str | None = None
    return_proof_hash: bytes | None = None
    """SHA-256 of the secret by which an anonymous caller comes back."""
    networks: tuple[str, ...] = ()
    """Keyed names of the networks that an anonymous caller comes from, the smallest first."""


@dataclass(frozen=True)
class Admitted:
    """The call that may begin."""

    call: Call
    is_new: bool
    """False: the caller's own call, asked for before and not joined yet."""
    deployment: str
    """Of the worker that was chosen for it, for the dispatch."""


@dataclass(frozen=True)
class Application:
    """A call that is asked for, under the id that it would have."""

    call_id: str
    applicant: Applicant


@dataclass(frozen=True)
class Queued:
    """There is no slot yet: the caller waits for one, in the order of asking."""

    refusal: Refusal
    position: int | None
    """In the queue, from 1; None: the queue is full."""


Answer = Admitted | Queued | Refusal


class _NothingToWrite(Exception):
    """Rolls the transaction back, so that refusals hardly wait for the disk. Holds the answers."""


async def admit(
    record: Record, call_id: str, applicant: Applicant, limits: Limits = NO_LIMITS
) -> Answer:
    """Admit *applicant* with a new call of that id, or with the one that it has not joined yet."""
    [answer] = await admit_all(record, [Application(call_id, applicant)], limits)
    return answer


async def admit_all(
    record: Record, applications: Sequence[Application], limits: Limits = NO_LIMITS
) -> list[Answer]:
    """
    Admit several, one after the other, in one transaction.

    Transactions wait here for one another, so no slot is given twice. Each new call gets a worker.
    """
    now_ms = record.clock.now_ms()
    try:
        async with record.database.writing() as connection:
            batch = await _Batch.open(connection, applications, limits, now_ms)
            stale = batch.stale()
            for call in stale:
                entry = draft(CallEnded(reason=NOT_JOINED), now_ms)
                # One that an agent has claimed since it was read stays.
                with suppress(StaleAttempt):
                    await append_in(connection, record.keys, call.call_id, None, [entry])
                    batch.give_up(call)
            answers = [batch.answer(record, application) for application in applications]
            if batch.new:
                await connection.execute(insert(calls), [vars(call) for call, _ in batch.new])
                await connection.execute(insert(entries), [link for _, link in batch.new])
            elif not stale and not batch.queue.changed:
                raise _NothingToWrite(answers)
            await batch.queue.save(connection)
            return answers
    except _NothingToWrite as nothing:
        found: list[Answer] = nothing.args[0]
        return found


async def withdraw(record: Record, call_id: str, reason: str) -> bool:
    """
    `requested` to `ended`: the slot of a call that no agent has is free immediately.

    Returns: False: an agent has it, or had it.
    """
    async with record.database.writing() as connection:
        state = select(calls.c.state).where(calls.c.call_id == call_id).with_for_update()
        if (await connection.execute(state)).scalar_one_or_none() != CallState.REQUESTED:
            return False
        entry = draft(CallEnded(reason=reason), record.clock.now_ms())
        await append_in(connection, record.keys, call_id, None, [entry])
    return True


async def hang_up(record: Record, call_id: str, reason: str) -> None:
    """End the call for its caller, whether or not an agent has it; one that is over stays so."""
    if not await withdraw(record, call_id, reason):
        await live.end(record, call_id, reason)


def seconds_until_tomorrow(record: Record) -> int:
    """When a caller's minutes are counted from zero again."""
    return (DAY_MS - record.clock.now_ms() % DAY_MS) // 1000 + 1


async def _calls_of_tenant(connection: AsyncConnection) -> dict[str, int]:
    of_tenant = (
        select(calls.c.tenant, func.count().label("calls"))
        .where(calls.c.state.in_(OPEN), calls.c.tenant.is_not(None))
        .group_by(calls.c.tenant)
    )
    return {row.tenant: row.calls for row in await connection.execute(of_tenant)}


class _Batch:
    """What is known while applications are answered; each answer changes it."""

    def __init__(
        self,
        slots: Slots,
        queue: Queue,
        shares: NetworkShares,
        calls_of_tenant: Mapping[str, int],
        todays: Iterable[Call],
        deny_entries: Iterable[deny_list.DenyEntry],
        limits: Limits,
        now_ms: int,
    ) -> None:
        self.new: list[tuple[Call, dict[str, Any]]] = []
        """To be inserted, each with its first entry."""
        self._slots = slots
        self.queue = queue
        self._shares = shares
        self._calls_of_tenant = Counter(calls_of_tenant)
        self._limits = limits
        self._now_ms = now_ms
        self._todays: dict[Who, list[Call]] = {}
        for call in todays:
            self._todays.setdefault((call.tenant, call.caller), []).append(call)
        self._denied = {(one.tenant, one.caller, one.call_id) for one in deny_entries}

    @classmethod
    async def open(
        cls,
        connection: AsyncConnection,
        applications: Sequence[Application],
        limits: Limits,
        now_ms: int,
    ) -> "_Batch":
        """Read all that decides, and hold it until the transaction ends."""
        held = await slots.hold(connection)
        callers = {application.applicant.caller for application in applications}
        waiting = await queue.read(connection, held.turn, now_ms)
        shares = await network_shares.read(connection, held.capacity, limits.network_share)
        for entry in waiting:
            shares.hold((entry.networks or "").split(), joined=True)
        today_ms = now_ms - now_ms % DAY_MS
        todays = await select_calls(
            connection,
            calls.c.caller.in_(callers)
            & or_(calls.c.ended_at_ms.is_(None), calls.c.ended_at_ms >= today_ms),
        )
        return cls(
            held,
            waiting,
            shares,
            await _calls_of_tenant(connection) if limits.calls_a_tenant else {},
            todays,
            await deny_list.of(connection, callers, now_ms),
            limits,
            now_ms,
        )

    def stale(self) -> list[Call]:
        """Calls that their callers asked for too long ago."""
        own = [call for calls in self._todays.values() for call in calls]
        return [call for call in own if self._waits(call) and self._is_stale(call)]

    def give_up(self, call: Call) -> None:
        """A call of `stale` has ended."""
        self._todays[call.tenant, call.caller].remove(call)
        self._slots.give_up(call.worker_id)

    def answer(self, record: Record, application: Application) -> Answer:
        """Whether the applicant may call."""
        applicant = application.applicant
        who = (applicant.tenant, applicant.caller)
        own = self._todays.setdefault(who, [])
        for call in own:
            if self._waits(call) and not self._is_stale(call):
                denied = {(*who, None), (*who, call.call_id)} & self._denied
                self.queue.leave(who)
                return Refusal.NOT_ALLOWED if denied else self._admitted(call, is_new=False)
        if refusal := self._refusal(who, own) or self._share_refusal(who, applicant):
            self.queue.leave(who)
            return refusal
        worker = self._worker(who)
        if isinstance(worker, Refusal):
            self._shares.hold(applicant.networks, joined=True)
            return Queued(worker, self.queue.wait(who, " ".join(applicant.networks) or None))
        self.queue.leave(who)
        self._shares.hold(applicant.networks, joined=False)
        self._calls_of_tenant[applicant.tenant or ""] += 1
        new = self._begin(record, application, worker.worker_id)
        own.append(new)
        self._slots.take(worker.worker_id)
        return self._admitted(new, is_new=True)

    def _worker(self, who: Who) -> Worker | Refusal:
        """The worker for a caller whose turn it is, or why it must wait."""
        ahead = self.queue.ahead_of(who)
        limit = self._limits.calls
        if limit is not None and self._slots.calls + ahead >= limit:
            return Refusal.SERVICE_BUSY
        worker = self._slots.choose() if self._slots.free > ahead else None
        return worker or Refusal.AGENTS_BUSY

    def _admitted(self, call: Call, *, is_new: bool) -> Admitted:
        return Admitted(call, is_new, self._slots.deployment(call.worker_id))

    def _waits(self, call: Call) -> bool:
        return call.state is CallState.REQUESTED and call.joined_at_ms is None

    def _is_stale(self, call: Call) -> bool:
        return self._now_ms - call.admitted_at_ms > JOIN_AGAIN_WITHIN_MS

    def _refusal(self, who: Who, own: list[Call]) -> Refusal | None:
        """What concerns the caller alone comes first: waiting for others would not help."""
        limits = self._limits
        if (*who, None) in self._denied:
            return Refusal.NOT_ALLOWED
        open_calls = sum(call.state is not CallState.ENDED for call in own)
        if limits.calls_a_caller is not None and open_calls >= limits.calls_a_caller:
            return Refusal.TOO_MANY_CALLS
        talked_ms = sum(map(self._today_ms, own))
        if limits.minutes_a_day is not None and talked_ms >= limits.minutes_a_day * 60_000:
            return Refusal.DAILY_LIMIT
        return None

    def _share_refusal(self, who: Who, applicant: Applicant) -> Refusal | None:
        """What concerns those whom the caller shares something with."""
        if (entry := self.queue.entry(who)) is not None:
            # Counted again below, where the caller waits on.
            self._shares.release((entry.networks or "").split())
        quota = self._limits.calls_a_tenant.get(applicant.tenant or "")
        if quota is not None and self._calls_of_tenant[applicant.tenant or ""] >= quota:
            return Refusal.TENANT_LIMIT
        return None if self._shares.has_room(applicant.networks) else Refusal.NETWORK_BUSY

    def _today_ms(self, call: Call) -> int:
        """How long the caller has been in the call today."""
        if call.joined_at_ms is None:
            return 0
        until_ms = self._now_ms if call.ended_at_ms is None else call.ended_at_ms
        return max(0, until_ms - max(call.joined_at_ms, self._now_ms - self._now_ms % DAY_MS))

    def _begin(self, record: Record, application: Application, worker_id: str) -> Call:
        applicant = application.applicant
        entry = CallRequested(
            caller=applicant.caller, tenant=applicant.tenant, display_name=applicant.display_name
        )
        first = draft(entry, self._now_ms)
        head, link = opening(record.keys, application.call_id, first)
        call = Call(
            call_id=application.call_id,
            state=head.state,
            attempt=head.attempt,
            owner=None,
            worker_id=worker_id,
            renewals=0,
            caller=applicant.caller,
            tenant=applicant.tenant,
            display_name=applicant.display_name,
            return_proof_hash=applicant.return_proof_hash,
            networks=" ".join(applicant.networks) or None,
            admitted_at_ms=self._now_ms,
            joined_at_ms=None,
            ended_at_ms=None,
            end_reason=None,
            key_id=head.key_id,
            head_seq=head.seq,
            head_mac=head.mac,
            taken=False,
        )
        self.new.append((call, link))
        return call
