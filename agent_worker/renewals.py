"""
Renews the leases of all calls of a worker in one statement a second.

Renewing alone, thousands of jobs would keep the database busy with nothing else. Each job shows the
worker four times a second, over a stream socket, that it lives; the worker renews for those that
did and tells each the answer. A job that hears nothing renews by itself (`call_record.lease`).
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog
from pydantic import TypeAdapter, ValidationError

from agent_worker.socket_folder import socket_folder
from call_record import calls
from call_record.calls import Held, Renewal
from call_record.database import DATABASE_DOWN
from call_record.lease import EVERY_S
from call_record.record import Record
from service_base.tasks import TaskSet

log = structlog.get_logger()

LOOK_EVERY_S = 0.25
FRESH_S = 0.75
"""For a job that has not moved for longer nothing is renewed: it may hang."""
WAITING_AFTER_S = 0.25
"""The database takes longer: the jobs are told, so that they do not all ask it too."""
CONNECT_WITHIN_S = 1.0
LINE_MAX_BYTES = 1024
UNREAD_MAX_BYTES = 4096
"""A job that reads nothing for so long misses answers."""
JOBS_MAX = 2_000
"""Far more than a worker has; one statement has room for no more than 8,000."""
PROOF = b"\n"


class Answer(NamedTuple):
    """What the worker tells a job."""

    sent_s: float
    """When the renewal was sent; CLOCK_BOOTTIME, which is one for all processes of a machine."""
    renewal: Renewal | None
    """None: the statement is under way."""


_HELD = TypeAdapter(Held)
_ANSWER = TypeAdapter(Answer)


class _Lines(asyncio.Protocol):
    """One end of the connection."""

    def __init__(self) -> None:
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        try:
            if max(map(len, (*lines, self._unread))) > LINE_MAX_BYTES:
                raise ValueError("the line is too long")
            for line in lines:
                self.received(line)
        except (ValidationError, ValueError) as error:
            log.warning("renewals.not_understood", error=type(error).__name__)
            self.close()

    def received(self, line: bytes) -> None:
        """Raises: ValidationError, ValueError: the line is not understood."""
        raise NotImplementedError

    def send(self, data: bytes) -> bool:
        """Returns: whether there is somebody to read it."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() <= UNREAD_MAX_BYTES:
            self._transport.write(data)
        return True

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


class JobRenewals(_Lines):
    """
    The job's end. Made by `connect`.

    Args: answered: called with each answer.
    """

    def __init__(self, held: Held, answered: Callable[[float, Renewal | None], None]) -> None:
        super().__init__()
        self._held = held
        self._answered = answered

    @classmethod
    async def connect(
        cls, address: str, held: Held, answered: Callable[[float, Renewal | None], None]
    ) -> "JobRenewals":
        """Connect to the worker that listens at *address*. If it does not, `prove` says so."""
        job = cls(held, answered)
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await asyncio.get_running_loop().create_unix_connection(lambda: job, address)
        except (OSError, TimeoutError) as error:
            log.warning("renewals.not_connected", error=type(error).__name__)
        job.send(_HELD.dump_json(held) + b"\n")
        return job

    def prove(self) -> bool:
        """Show the worker that this job lives. Returns: False: nobody listens any more."""
        return self.send(PROOF)

    def received(self, line: bytes) -> None:
        self._answered(*_ANSWER.validate_json(line))


class _Job(_Lines):
    """The worker's end of one job's connection."""

    def __init__(self, renewals: "Renewals") -> None:
        super().__init__()
        self._renewals = renewals
        self.held: Held | None = None
        self.proved_s = float("-inf")
        self.renewed_s = float("-inf")
        """When the last renewal that succeeded was sent."""

    def received(self, line: bytes) -> None:
        if self.held is None:
            # No proof yet: until its session has started, nobody expects renewals.
            self.held = self._renewals.accept(self, _HELD.validate_json(line))
        else:
            self.proved_s = self._renewals.now_s()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.held is not None:
            self._renewals.forget(self, self.held)

    def tell(self, sent_s: float, renewal: Renewal | None) -> None:
        self.send(_ANSWER.dump_json(Answer(sent_s, renewal)) + b"\n")


class Renewals:
    """
    The worker's end. `address` is what a job needs to connect.

    Args: worker_id: Nothing is renewed for jobs of others.
    """

    def __init__(self, record: Record, worker_id: str) -> None:
        self._record = record
        self._worker_id = worker_id
        self._folder = socket_folder()
        self.address = str(Path(self._folder.name) / "renewals")
        self._server: asyncio.Server | None = None
        self._jobs: dict[Held, _Job] = {}
        self._tasks = TaskSet()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _Job(self), self.address
        )

    async def run(self) -> None:
        """Renew until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                try:
                    await self.renew_due()
                except Exception as error:
                    # The jobs renew by themselves then; calls must not end for it.
                    log.error("renewals.failed", error=type(error).__name__)
        finally:
            await self._tasks.cancel()

    def stop(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        for job in list(self._jobs.values()):
            job.close()
        self._folder.cleanup()

    def now_s(self) -> float:
        """CLOCK_BOOTTIME."""
        return self._record.clock.boot_s()

    def accept(self, job: _Job, held: Held) -> Held:
        """
        A job says which call it has.

        Raises: ValueError: it is not one of this worker, or there are too many.
        """
        if not held.owner.startswith(f"{self._worker_id}/") or len(self._jobs) >= JOBS_MAX:
            raise ValueError("not a job of this worker")
        self._jobs[held] = job
        return held

    def forget(self, job: _Job, held: Held) -> None:
        """The connection of a job has ended."""
        if self._jobs.get(held) is job:
            del self._jobs[held]

    async def renew_due(self) -> None:
        """Renew for all jobs that live, if it is time for one of them."""
        sent_s = self.now_s()
        fresh = {held: job for held, job in self._jobs.items() if sent_s - job.proved_s <= FRESH_S}
        if all(sent_s - job.renewed_s < EVERY_S for job in fresh.values()):
            return
        # With it those whose time is near, so that all have the same.
        due = {held: job for held, job in fresh.items() if sent_s - job.renewed_s >= EVERY_S / 2}
        renewing = self._tasks.start(self._renewed(list(due)), name="renew")
        while not (await asyncio.wait({renewing}, timeout=WAITING_AFTER_S))[0]:
            for job in due.values():
                job.tell(sent_s, None)
        answers = renewing.result()
        for held, job in due.items():
            answer = answers.get(held)
            # Of a failure they hear nothing: their own connections may be better.
            if answer is not None:
                job.renewed_s = sent_s
                job.tell(sent_s, answer)

    async def _renewed(self, held: list[Held]) -> Mapping[Held, Renewal]:
        try:
            return await calls.renew_all(self._record, held)
        except DATABASE_DOWN as error:
            log.warning("leases.not_renewed", error=type(error).__name__, calls=len(held))
            return {}
