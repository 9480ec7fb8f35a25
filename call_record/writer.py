"""Writes one call's journal from the process of its agent, without holding up the call."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import structlog

from call_record import calls
from call_record.database import DATABASE_DOWN
from call_record.journal import (
    SEAL,
    Draft,
    Head,
    RolledBack,
    StaleAttempt,
    append,
    append_in,
    draft,
    head,
)
from call_record.keys import UnknownKey
from call_record.record import Record
from voice_contract.journal import CallEnded, Entry, GapCause, JournalGap

log = structlog.get_logger()

QUEUE_MAX = 1_000
BATCH_MAX = 100
GATHER_S = 0.05
"""Entries written behind wait this long for others; with the transaction, less than 0.1 s."""
LATE_S = 1.0
"""An entry that is not stored after this time: the database does not answer."""
RETRY_S = (0.05, 0.1, 0.2, 0.5)
"""Pauses between tries; the last one for all that follow."""


class NotDurable(Exception):
    """An entry could not be stored in time; whether it will be is not known."""


class JournalMetrics(Protocol):
    """Where a writer reports its state."""

    def journal_append(self, entries: int, duration_s: float) -> None:
        """A transaction stored that number of entries."""

    def journal_lost(self) -> None:
        """An entry was lost, because the queue was full."""

    def journal_rolled_back(self) -> None:
        """The database lost entries that it had stored."""

    def journal_healthy(self, healthy: bool) -> None:
        """The writer can store entries again, or it no longer can."""


@dataclass
class _Queued:
    draft: Draft
    since_s: float
    stored: asyncio.Future[None] | None = None
    """Somebody waits: store it now."""


class JournalWriter:
    """
    Appends to the journal of one call for one attempt, in order. To be used in `async with`.

    Args: metrics: told of what happens; None: nobody.
    """

    def __init__(
        self, record: Record, call_id: str, attempt: int, metrics: JournalMetrics | None = None
    ) -> None:
        self._record = record
        self._call_id = call_id
        self._attempt = attempt
        self._metrics = metrics
        self._queue: deque[_Queued] = deque()
        self._lost = 0
        self._known: Head | None = None
        self._failing = False
        self._distrusted = False
        self._was_storing = True
        self._closed = False
        self._sealing = False
        self._stale: StaleAttempt | None = None
        self._filled = asyncio.Event()
        self._urgent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "JournalWriter":
        self._task = asyncio.create_task(self._run(), name=f"journal {self._call_id}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def healthy(self) -> bool:
        """Whether what is written is stored in time, and stays. If not, no effect may start."""
        return self._storing and not (self._stale or self._closed or self._distrusted)

    @property
    def _storing(self) -> bool:
        late = bool(self._queue) and self._age_s(self._queue[0]) > LATE_S
        return not (self._failing or late or self._lost)

    @property
    def stale(self) -> StaleAttempt | None:
        """Why nothing will be written any more; None: it will."""
        return self._stale

    def write(self, entry: Entry) -> None:
        """
        Store *entry* soon: within 0.1 s while the database answers. Never waits.

        When the queue is full, the entry is lost, and the journal will say that there is a gap.

        Raises: EntryTooLarge.
        """
        self._enqueue(_Queued(draft(entry, self._record.clock.now_ms()), self._now_s()))

    def distrust(self, cause: GapCause) -> None:
        """Say in the journal that what stands in it is not believed; never healthy from now on."""
        self._distrusted = True
        self.write(JournalGap(lost=0, cause=cause))

    async def write_ahead(self, entry: Entry, *, timeout_s: float = 2.0) -> None:
        """
        Store *entry* and everything written before it; durable on return.

        Raises: NotDurable: not within *timeout_s*, or the queue is full. It may be stored later:
            write behind it that what it announced was not done.
        Raises: StaleAttempt: this writer stores nothing more; another agent has the call, or it
            ended. EntryTooLarge.
        """
        queued = self._waiting(draft(entry, self._record.clock.now_ms()))
        if not self._enqueue(queued):
            raise self._stale or NotDurable
        await self._stored(queued, timeout_s)

    async def flush(self, *, timeout_s: float = 2.0) -> None:
        """
        Everything written so far is durable on return.

        Raises: NotDurable, StaleAttempt.
        """
        if self._stale:
            raise self._stale
        if self._queue:
            last = self._queue[-1]
            last.stored = last.stored or asyncio.get_running_loop().create_future()
            self._urgent.set()
            await self._stored(last, timeout_s)

    async def seal(self, reason: str, *, timeout_s: float = 2.0) -> None:
        """
        Store what is written, end the call if nobody did, and store the last entry together with
        the state `ended`. What is written afterwards is lost.

        Raises: NotDurable: a step was not done within *timeout_s*; sealing again is safe.
        Raises: StaleAttempt: `ended` when it was sealed before.
        """
        await self.flush(timeout_s=timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                await calls.end(self._record, self._call_id, reason, attempt=self._attempt)
        except DATABASE_DOWN:
            raise NotDurable from None
        await self.write_ahead(CallEnded(reason=reason), timeout_s=timeout_s)

    async def aclose(self, *, timeout_s: float = 2.0) -> None:
        """Store what is written, for *timeout_s* at most, and write no more."""
        if self._task is None:
            return
        try:
            await self.flush(timeout_s=timeout_s)
        except StaleAttempt:
            pass
        except NotDurable:
            log.error("journal.lost", call_id=self._call_id, entries=len(self._queue))
        finally:
            self._closed = True
            self._task.cancel()
            await asyncio.wait({self._task})

    def _now_s(self) -> float:
        return self._record.clock.boot_s()

    def _age_s(self, queued: _Queued) -> float:
        return self._now_s() - queued.since_s

    def _waiting(self, new: Draft) -> _Queued:
        return _Queued(new, self._now_s(), asyncio.get_running_loop().create_future())

    def _enqueue(self, queued: _Queued) -> bool:
        if self._stale or self._closed or self._sealing:
            return False
        self._sealing = queued.draft.kind == SEAL
        if len(self._queue) >= QUEUE_MAX:
            self._lost += 1
            if self._metrics:
                self._metrics.journal_lost()
            self._tell_health()
            return False
        self._queue.append(queued)
        self._filled.set()
        if queued.stored:
            self._urgent.set()
        self._tell_health()
        return True

    async def _stored(self, queued: _Queued, timeout_s: float) -> None:
        assert queued.stored is not None
        try:
            async with asyncio.timeout(timeout_s):
                # Others may wait for it too, and the writer's own task must not be cancelled.
                await asyncio.shield(queued.stored)
        except TimeoutError:
            raise NotDurable from None

    async def _run(self) -> None:
        tries = 0
        while self._stale is None:
            await self._filled.wait()
            if not tries:
                await self._gather()
            try:
                await self._append()
                tries = 0
            except StaleAttempt as stale:
                if stale.reason == "attempt":
                    await self._tell_successors()
                self._give_up(stale)
            except RolledBack as rolled_back:
                self._go_on_from(rolled_back)
            except (*DATABASE_DOWN, UnknownKey) as error:
                if not self._failing:
                    log.warning("journal.not_stored", error=type(error).__name__)
                self._failing = True
                self._tell_health()
                await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
                tries += 1

    async def _gather(self) -> None:
        """Give others the time to join the transaction, unless somebody waits for it."""
        try:
            async with asyncio.timeout(GATHER_S):
                await self._urgent.wait()
        except TimeoutError:
            pass

    async def _append(self) -> None:
        started_s = self._now_s()
        if self._known is None:
            # Seen before the first try, so that a try whose answer was lost is recognized.
            self._known = await head(self._record, self._call_id)
            if self._known is None:
                raise StaleAttempt("missing")
            if self._known.attempt != self._attempt:
                raise StaleAttempt("attempt")
        batch = [queued for queued, _ in zip(self._queue, range(BATCH_MAX), strict=False)]
        async with self._record.database.writing() as connection:
            moved = await append_in(
                connection,
                self._record.keys,
                self._call_id,
                self._attempt,
                [queued.draft for queued in batch],
                self._known,
            )
        self._known = moved  # not before the commit was answered
        self._settle(batch)
        if self._metrics:
            self._metrics.journal_append(len(batch), self._now_s() - started_s)

    def _go_on_from(self, rolled_back: RolledBack) -> None:
        """Say what is gone, before all that waits to be stored."""
        log.error("journal.rolled_back", call_id=self._call_id, lost=rolled_back.lost)
        if self._metrics:
            self._metrics.journal_rolled_back()
        # What this database says is durable may be lost, so it carries no effect any more.
        self._distrusted = True
        self._known = rolled_back.head
        gap = JournalGap(lost=rolled_back.lost, cause="rolled-back")
        self._queue.appendleft(_Queued(draft(gap, self._record.clock.now_ms()), self._now_s()))

    async def _tell_successors(self) -> None:
        """
        If the database went back to before this attempt was sent, say in the journal that what this
        agent did is gone: it leaves now, and nobody else knows.
        """
        with suppress(*DATABASE_DOWN, StaleAttempt, UnknownKey):
            now = await head(self._record, self._call_id)
            if now is None or now.attempt >= self._attempt:
                return
            log.error("journal.rolled_back", call_id=self._call_id, attempt=self._attempt)
            if self._metrics:
                self._metrics.journal_rolled_back()
            gap = JournalGap(lost=1, cause="rolled-back")
            await append(self._record, self._call_id, None, [gap])

    def _settle(self, batch: list[_Queued]) -> None:
        for queued in batch:
            self._queue.popleft()
            if queued.stored and not queued.stored.done():
                queued.stored.set_result(None)
        if not any(queued.stored for queued in self._queue):
            self._urgent.clear()
        if not self._queue:
            self._filled.clear()
        if self._failing:
            log.info("journal.stored_again", entries=len(batch))
        self._failing = False
        if batch[-1].draft.kind == SEAL:
            self._give_up(StaleAttempt("ended"))
        elif lost := self._lost:
            self._lost = 0
            self.write(JournalGap(lost=lost))
        self._tell_health()

    def _give_up(self, stale: StaleAttempt) -> None:
        self._stale = stale
        for queued in self._queue:
            if queued.stored and not queued.stored.done():
                queued.stored.set_exception(stale)
                queued.stored.exception()  # seen, should nobody wait any more
        if self._queue:
            log.warning("journal.stale", reason=stale.reason, entries=len(self._queue))
        self._queue.clear()
        self._tell_health()

    def _tell_health(self) -> None:
        # That another agent has the call, or that it ended, is no fault.
        if self._storing != self._was_storing:
            self._was_storing = not self._was_storing
            if self._metrics:
                self._metrics.journal_healthy(self._was_storing)
