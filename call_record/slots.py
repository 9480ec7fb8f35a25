"""
Slots: how many calls each worker takes, and which worker gets the next one.

The worker is chosen here and not by the SFU, which would go by a load that it heard of seconds ago
and goes on to offer calls to a host that has vanished.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from call_record import workers
from call_record.record import Record
from call_record.tables import OPEN, CallState, admission, worker
from call_record.tables import call as calls
from call_record.workers import Worker

NOBODY = "nobody"
"""Workers draw theirs at random and longer: a dispatch to it is lost, as it should be."""


class Slots:
    """
    The slots of all workers at one moment, less the calls that hold them.

    Args:
        calls_of: how many calls that are not ended each worker has, or was chosen for, by worker
            id; under None those that no worker was chosen for yet.
    """

    def __init__(
        self, workers: Sequence[Worker], calls_of: Mapping[str | None, int], turn: int = 0
    ) -> None:
        self.turn = turn
        """Which turn of admission holds them; grows from one to the next."""
        self._taking = {one.worker_id: one for one in workers if one.takes_calls}
        finishing = {one.worker_id for one in workers if one.draining and not one.gone}
        self._calls_of = dict(calls_of)
        self._used = sum(count for name, count in calls_of.items() if name not in finishing)
        self._finishing = finishing

    @property
    def capacity(self) -> int:
        """Of the workers that take calls."""
        return sum(worker.capacity for worker in self._taking.values())

    @property
    def used(self) -> int:
        """Calls that have or will need one of these slots: all but those that a draining worker
        finishes."""
        return self._used

    @property
    def free(self) -> int:
        """
        Slots for new calls; calls that wait for another agent come before them. Negative when
        workers left while they had calls.
        """
        return self.capacity - self.used

    @property
    def calls(self) -> int:
        """All calls that are not ended."""
        return sum(self._calls_of.values())

    def choose(self, *, rather_not: str | None = None) -> Worker | None:
        """
        The worker that a call is sent to: the one with most free slots.

        A worker that did not take its last call comes after all others, and before it the one
        named by *rather_not*.
        Returns: None: no worker has a free slot.
        """
        with_room = [one for one in self._taking.values() if self._free_of(one) > 0]
        return min(
            with_room,
            key=lambda one: (
                one.suspect,
                one.worker_id == rather_not,
                -self._free_of(one),
                one.worker_id,
            ),
            default=None,
        )

    def deployment(self, worker_id: str | None) -> str:
        """For a dispatch to the worker; of one that is not there, a name that nobody has."""
        worker = self._taking.get(worker_id or "")
        return NOBODY if worker is None else worker.deployment

    def take(self, worker_id: str | None) -> None:
        """A call more has one of the worker's slots; None: it still needs one."""
        self._count(worker_id, 1)

    def give_up(self, worker_id: str | None) -> None:
        """A call of the worker's has ended."""
        self._count(worker_id, -1)

    def _count(self, worker_id: str | None, change: int) -> None:
        self._calls_of[worker_id] = self._calls_of.get(worker_id, 0) + change
        if worker_id not in self._finishing:
            self._used += change

    def _free_of(self, worker: Worker) -> int:
        return worker.capacity - self._calls_of.get(worker.worker_id, 0)


_TAKE_TURN = (
    update(admission)
    .where(admission.c.id == 1)
    .values(n=admission.c.n + 1)
    .returning(admission.c.n)
)
_CALLS_OF = (
    select(calls.c.worker_id, func.count().label("calls"))
    .where(calls.c.state.in_(OPEN))
    .group_by(calls.c.worker_id)
)

_DRAIN = update(worker).where(worker.c.worker_id == bindparam("id")).values(draining=True)
_ON_THEIR_WAY = (
    select(func.count())
    .select_from(calls)
    .where(
        calls.c.worker_id == bindparam("id"),
        calls.c.state.in_((CallState.REQUESTED, CallState.LIVE)),
        calls.c.owner.is_(None),
        calls.c.renewals == 0,
    )
)


async def hold(connection: AsyncConnection) -> Slots:
    """
    The slots, held until the caller's writing transaction ends: whoever gives one waits here for
    all others, so that none is given twice.
    """
    turn = (await connection.execute(_TAKE_TURN)).scalar_one()
    return await _read(connection, turn)


async def read(record: Record) -> Slots:
    """The slots as they are; they may be given to others at once."""
    async with record.database.reading() as connection:
        return await _read(connection)


async def drain(record: Record, worker_id: str) -> bool:
    """From now on the worker is chosen for no call. Returns: whether it is known."""
    async with record.database.writing() as connection:
        # Behind whoever is choosing it just now.
        await connection.execute(_TAKE_TURN)
        return bool((await connection.execute(_DRAIN, {"id": worker_id})).rowcount)


async def on_their_way(record: Record, worker_id: str) -> int:
    """How many calls the worker was chosen for that it has neither taken nor refused yet."""
    async with record.database.reading() as connection:
        return (await connection.execute(_ON_THEIR_WAY, {"id": worker_id})).scalar_one()


async def _read(connection: AsyncConnection, turn: int = 0) -> Slots:
    calls_of = (await connection.execute(_CALLS_OF)).all()
    there = await workers.heartbeats.select_all(connection)
    return Slots(there, {row.worker_id: row.calls for row in calls_of}, turn)
