"""A job's exclusive claim on a call: its lease, its journal and the record connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from agent_worker.metrics import Metrics
from agent_worker.renewals import JobRenewals
from agent_worker.settings import WorkerSettings
from call_record import calls
from call_record.calls import Call, Claim
from call_record.database import DATABASE_DOWN
from call_record.journal import StaleAttempt
from call_record.lease import Lease
from call_record.record import Record, open_record
from call_record.writer import JournalWriter, NotDurable
from voice_contract.dispatch import DispatchMetadata

log = structlog.get_logger()

CLAIM_WITHIN_S = 5.0
"""If a call stays unclaimed for longer, the supervisor sends another agent."""
CLAIM_EVERY_S = 0.2
TALK_WITHOUT_RECORD_S = 30.0
"""How long a job that cannot renew its lease keeps talking, without effects, before it leaves."""
DATABASE_WAIT_S = 2.0
SEAL_WITHIN_S = 20.0


GiveBack = Callable[[], Awaitable[bool]]


class NotClaimed(Exception):
    """The call belongs to another job, or the record did not answer in time."""

    def __init__(self, answer: Claim | None) -> None:
        super().__init__(answer or "record-unavailable")
        self.reason = "record-unavailable" if answer is None else answer.value


class CallClaim:
    """
    A job's exclusive claim on a call. Made by `claim_call`.

    Call `keep` when the session has started. Until then the supervisor expects no renewals.
    """

    def __init__(
        self,
        record: Record,
        call: Call,
        lease: Lease,
        journal: JournalWriter,
        give_back: GiveBack,
        renewals: JobRenewals | None = None,
    ) -> None:
        self.record = record
        self.call = call
        """As it was when it was claimed, its caller not erased: who calls does not change."""
        self.lease = lease
        self.journal = journal
        self._renewals = renewals
        self._give_back = give_back
        self._keeping: asyncio.Task[None] | None = None

    def may_act(self) -> bool:
        """Whether an effect may start now."""
        return self.lease.may_act() and self.journal.healthy

    def keep(self) -> None:
        """Start to have the lease renewed each second."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self.lease.keep(self._prove), name="renewals")

    def _prove(self) -> bool:
        # A job that cannot write must not live on by its worker's connection: it renews over its
        # own, and is replaced if that is broken.
        return self._renewals is not None and self.journal.healthy and self._renewals.prove()

    def let_go(self) -> None:
        """Stop renewing because session or room is lost, so that another agent is sent."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None

    def close(self) -> None:
        """Stop renewing for good."""
        self.let_go()
        if self._renewals is not None:
            self._renewals.close()

    async def give_back(self) -> None:
        """Give up the claim after leaving the room, so that another agent is sent soon."""
        self.close()
        with suppress(*DATABASE_DOWN, NotDurable, StaleAttempt):
            await self.journal.flush()
            await self._give_back()

    async def lost(self) -> str:
        """
        Wait until the job must leave. Returns: the reason.

        `stale`: the call has ended or belongs to another job. `record-unavailable`: the record
        has not answered for 30 s.
        """
        while self._keeping is None or self.lease.age_s() < TALK_WITHOUT_RECORD_S:
            try:
                async with asyncio.timeout(1):
                    await self.lease.lost.wait()
                    return "stale"
            except TimeoutError:
                pass
        return "record-unavailable"

    async def seal(self, reason: str) -> bool:
        """
        End the call in the record. Retries for 20 s; after that the supervisor does it.

        Returns: whether the call is sealed.
        """
        self.lease.sealing = True
        deadline_s = asyncio.get_running_loop().time() + SEAL_WITHIN_S
        while asyncio.get_running_loop().time() < deadline_s:
            try:
                await self.journal.seal(reason)
                return True
            except StaleAttempt as stale:
                return stale.reason == "ended"
            except NotDurable:
                pass
        return False


@asynccontextmanager
async def claim_call(
    settings: WorkerSettings,
    dispatch: DispatchMetadata,
    *,
    owner: str,
    worker_id: str,
    metrics: Metrics,
    renewals_address: str | None = None,
) -> AsyncIterator[CallClaim]:
    """
    Claim the call that *dispatch* names until the block ends.

    Args: renewals_address: where the worker listens that renews the lease; None: the job does.
    Raises: NotClaimed: the job must stay silent. SettingsError: the journal keys cannot be read.
    """
    record = open_record(settings, connections=1, wait_s=DATABASE_WAIT_S)
    try:
        lease = Lease(record, dispatch.call_id, dispatch.attempt, owner, worker_id)
        call = await _claim(record, lease, dispatch.call_id)
        writer = JournalWriter(record, dispatch.call_id, dispatch.attempt, metrics)
        async with writer as journal:
            renewals = None
            if renewals_address is not None:
                renewals = await JobRenewals.connect(renewals_address, lease.held, lease.renewed)
            claim = CallClaim(
                record,
                call,
                lease,
                journal,
                lambda: calls.give_back(record, dispatch.call_id, dispatch.attempt, owner),
                renewals,
            )
            try:
                yield claim
            finally:
                claim.close()
    finally:
        await record.close()


async def _claim(record: Record, lease: Lease, call_id: str) -> Call:
    """Raises: NotClaimed."""
    try:
        async with asyncio.timeout(CLAIM_WITHIN_S):
            while True:
                try:
                    answer = await lease.claim()
                    call = await calls.read(record, call_id)
                except DATABASE_DOWN as error:
                    log.warning("call.not_claimed", error=type(error).__name__)
                    await asyncio.sleep(CLAIM_EVERY_S)
                    continue
                if answer is not Claim.CLAIMED:
                    raise NotClaimed(answer)
                if call is None or call.caller is None:
                    raise NotClaimed(Claim.OVER)
                return call
    except TimeoutError:
        raise NotClaimed(None) from None
