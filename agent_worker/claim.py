"""A job's exclusive claim on a call: its lease, its journal and the record connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from call_record import calls
from call_record.calls import Claim
from call_record.database import DATABASE_DOWN
from call_record.journal import StaleAttempt
from call_record.lease import Lease
from call_record.record import Record, open_record
from call_record.writer import JournalWriter, NotDurable
from voice_contract.dispatch import DispatchMetadata

log = structlog.get_logger()

CLAIM_WITHIN_S = 5.0
"""The supervisor sends another agent when a call is not claimed for longer."""
CLAIM_EVERY_S = 0.2
TALK_WITHOUT_RECORD_S = 30.0
"""A job that cannot renew keeps talking for so long, without effects; then it leaves."""
DATABASE_WAIT_S = 2.0
SEAL_WITHIN_S = 20.0


GiveBack = Callable[[], Awaitable[bool]]


class NotClaimed(Exception):
    """The call is not this job's, or the record could not be asked in time."""

    def __init__(self, answer: Claim | None) -> None:
        super().__init__(answer or "record-away")
        self.reason = "record-away" if answer is None else answer.value


class CallClaim:
    """
    A job's exclusive claim on a call. Made by `claim_call`.

    Renewing begins with `keep`, when the session has started: until then the supervisor is patient.
    """

    def __init__(
        self, record: Record, lease: Lease, journal: JournalWriter, give_back: GiveBack
    ) -> None:
        self.record = record
        self.lease = lease
        self.journal = journal
        self._give_back = give_back
        self._keeping: asyncio.Task[None] | None = None

    def may_act(self) -> bool:
        """Whether an effect may start now."""
        return self.lease.may_act() and self.journal.healthy

    def keep(self) -> None:
        """Renew each second from now on."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self.lease.keep(), name="renewals")

    def let_go(self) -> None:
        """Stop renewing: the session or the room is lost, and another agent must be sent."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None

    async def give_back(self) -> None:
        """The room is left: another agent can be sent at once."""
        self.let_go()
        with suppress(*DATABASE_DOWN, NotDurable, StaleAttempt):
            await self.journal.flush()
            await self._give_back()

    async def lost(self) -> str:
        """
        Return, with the reason, when the job must leave: the call is another's, or has ended, or
        the record has been away for too long.
        """
        while self._keeping is None or self.lease.age_s() < TALK_WITHOUT_RECORD_S:
            try:
                async with asyncio.timeout(1):
                    await self.lease.lost.wait()
                    return "stale"
            except TimeoutError:
                pass
        return "record-away"

    async def seal(self, reason: str) -> bool:
        """
        End the call in the record. Tried for 20 s; what then is not sealed, the supervisor seals.

        Returns: whether it was done.
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
) -> AsyncIterator[CallClaim]:
    """
    Claim the call that *dispatch* names, for as long as the block lasts.

    Raises: NotClaimed: say nothing in the room. SettingsError: the journals' keys cannot be read.
    """
    record = open_record(settings, connections=1, wait_s=DATABASE_WAIT_S)
    try:
        lease = Lease(record, dispatch.call_id, dispatch.attempt, owner, worker_id)
        answer = await _claim(lease)
        if answer is not Claim.CLAIMED:
            raise NotClaimed(answer)
        writer = JournalWriter(record, dispatch.call_id, dispatch.attempt, metrics)
        async with writer as journal:
            claim = CallClaim(
                record,
                lease,
                journal,
                lambda: calls.give_back(record, dispatch.call_id, dispatch.attempt, owner),
            )
            try:
                yield claim
            finally:
                claim.let_go()
    finally:
        await record.close()


async def _claim(lease: Lease) -> Claim | None:
    """Returns: None when the record did not answer in time."""
    try:
        async with asyncio.timeout(CLAIM_WITHIN_S):
            while True:
                try:
                    return await lease.claim()
                except DATABASE_DOWN as error:
                    log.warning("call.not_claimed", error=type(error).__name__)
                    await asyncio.sleep(CLAIM_EVERY_S)
    except TimeoutError:
        return None
