"""The lease of a job on its call: claimed once, renewed each second, lost when another is sent."""

import asyncio
from collections.abc import Callable

import structlog

from call_record import calls
from call_record.calls import Claim, Held, Renewal
from call_record.database import DATABASE_DOWN
from call_record.record import Record

log = structlog.get_logger()

EVERY_S = 1.0
PROVE_EVERY_S = 0.25
ALONE_AFTER_S = 1.5
"""A job that has heard nothing of its worker for longer renews by itself."""
ACT_WITHIN_S = 2.0
"""An effect may start until this time after the last successful renewal was sent. The supervisor
waits longer before it sends another agent."""


class Lease:
    """
    What lets a job speak and act on a call.

    Args: owner: unique to the job. worker_id: of the worker that the job belongs to.
    """

    def __init__(
        self, record: Record, call_id: str, attempt: int, owner: str, worker_id: str
    ) -> None:
        self._record = record
        self.held = Held(call_id, attempt, owner)
        self._worker_id = worker_id
        self._tried_s = self._heard_s = record.clock.boot_s()
        self._sent_s: float | None = None
        self.ending = asyncio.Event()
        """Set when the call is over for the caller."""
        self.sealing = False
        """Set by the job when it seals the call, which ends the lease too."""
        self.lost = asyncio.Event()
        """Set when the call is another's, or ended: leave the room first, then shut down."""

    async def claim(self) -> Claim:
        """
        Take the call. Only `CLAIMED` lets the job speak.

        Raises: what `DATABASE_DOWN` lists; claiming again is safe.
        """
        sent_s = self._tried_s = self._record.clock.boot_s()
        answer = await calls.claim(self._record, *self.held, self._worker_id)
        if answer is Claim.CLAIMED:
            self._sent_s = sent_s
        else:
            self.lost.set()
        return answer

    async def keep(self, prove: Callable[[], bool] = lambda: False) -> None:
        """
        Keep the lease until the call is lost. Cancel it to stop: when the session is closed or the
        room is lost, so that another agent is sent.

        Args: prove: shows the worker that the job lives, so that the worker renews, and says
            whether somebody listens. If nobody does or answers, the job renews by itself.
        """
        self._heard_s = self._record.clock.boot_s()
        while not self.lost.is_set():
            now_s = self._record.clock.boot_s()
            if prove() and now_s - self._heard_s <= ALONE_AFTER_S:
                await asyncio.sleep(PROVE_EVERY_S)
            else:
                await asyncio.sleep(max(0.0, self._tried_s + EVERY_S - now_s))
                await self.renew()

    async def renew(self) -> None:
        """Renew once. No answer of the database is not an error: the lease grows older."""
        sent_s = self._tried_s = self._record.clock.boot_s()
        try:
            answer = await calls.renew(self._record, *self.held)
        except DATABASE_DOWN as error:
            log.warning("lease.not_renewed", error=type(error).__name__, age_s=self.age_s())
            return
        self._answered(sent_s, answer)

    def renewed(self, sent_s: float, answer: Renewal | None) -> None:
        """
        The worker has sent a renewal at *sent_s*.

        Args: answer: None: the database has not answered yet. It is waited for as long as for a
            renewal of this job's own.
        """
        heard_s = sent_s if answer is None else self._record.clock.boot_s()
        self._heard_s = max(self._heard_s, heard_s)
        if answer is not None and not self.lost.is_set():
            self._answered(sent_s, answer)

    def _answered(self, sent_s: float, answer: Renewal) -> None:
        if answer is Renewal.LOST:
            if not self.sealing:
                log.warning("lease.lost", call_id=self.held.call_id, attempt=self.held.attempt)
            self.lost.set()
            return
        self._sent_s = max(sent_s, self._sent_s or sent_s)
        if answer is Renewal.ENDING:
            self.ending.set()

    def age_s(self) -> float:
        """Seconds since the last renewal that succeeded was sent; infinite before the claim."""
        if self._sent_s is None:
            return float("inf")
        return self._record.clock.boot_s() - self._sent_s

    def may_act(self) -> bool:
        """Whether an effect may start: the call is live, and surely still this job's."""
        return not self.lost.is_set() and not self.ending.is_set() and self.age_s() <= ACT_WITHIN_S
