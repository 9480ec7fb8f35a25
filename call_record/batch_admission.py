"""Admission for a process with many callers: all that wait are admitted in one transaction."""

import asyncio

from call_record.admission import NO_LIMITS, Answer, Applicant, Application, Limits, admit_all
from call_record.record import Record

TOGETHER_MAX = 32


class BatchAdmission:
    """
    Admits callers. Those who come while a transaction is written wait for the next, which admits
    all of them: the disk is waited for once, not by each in turn.
    """

    def __init__(self, record: Record, limits: Limits = NO_LIMITS) -> None:
        self._record = record
        self._limits = limits
        self._waiting: list[tuple[Application, asyncio.Future[Answer]]] = []
        self._turning: asyncio.Task[None] | None = None

    async def admit(self, call_id: str, applicant: Applicant) -> Answer:
        """As `call_record.admission.admit`."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((Application(call_id, applicant), answer))
        if self._turning is None:
            self._turning = asyncio.create_task(self._turn())
        return await answer

    async def _turn(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:TOGETHER_MAX]
                del self._waiting[:TOGETHER_MAX]
                await self._let_in(batch)
        finally:
            self._turning = None

    async def _let_in(self, batch: list[tuple[Application, asyncio.Future[Answer]]]) -> None:
        applications = [application for application, _ in batch]
        try:
            answers = await admit_all(self._record, applications, self._limits)
        except Exception as error:
            for _, waiting in batch:
                if not waiting.done():
                    waiting.set_exception(error)
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            # A caller who left meanwhile has a call all the same, until nobody joins it.
            if not waiting.done():
                waiting.set_result(answer)
