"""Calls for tests."""

import time
from dataclasses import dataclass

from call_record import calls, slots, workers
from call_record.admission import Admitted, Applicant, admit
from call_record.calls import Call, Claim, Seen
from call_record.record import Record
from voice_contract.ids import new_call_id


@dataclass
class FakeClock:
    """A clock that stands still until it is turned."""

    seconds: float = 1_000.0

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return 1_750_000_000_000 + round(self.seconds * 1000)

    def boot_s(self) -> float:
        """The same, for deadlines."""
        return self.seconds


class LoopClock:
    """The time of the test's own loop, which may be virtual."""

    def now_ms(self) -> int:
        """Milliseconds."""
        return round(self.boot_s() * 1000)

    def boot_s(self) -> float:
        """Seconds."""
        return time.monotonic()


async def requested(record: Record, caller: str | None = None, *, room: int | None = None) -> str:
    """
    A call that was just admitted.

    Args: room: capacity of the worker "worker", which starts for it; None: it does if there is no
        worker.
    """
    if room is not None or not any(one.takes_calls for one in await workers.read_all(record)):
        await workers.register(record, "worker", room or 1_000)
    call_id = new_call_id()
    admitted = await admit(record, call_id, Applicant(caller or f"caller-{call_id}"))
    assert isinstance(admitted, Admitted) and admitted.is_new
    return call_id


async def live(record: Record, caller: str | None = None) -> str:
    """A call that attempt 1 has, owned by `job-1`."""
    call_id = await requested(record, caller)
    assert await calls.claim(record, call_id, 1, "job-1", "worker") is Claim.CLAIMED
    return call_id


async def deployment(record: Record, call_id: str) -> str:
    """Of the worker that was chosen for the call."""
    call = await the_call(record, call_id)
    return (await slots.read(record)).deployment(call.worker_id)


async def the_call(record: Record, call_id: str) -> Call:
    """The call, which is there."""
    call = await calls.read(record, call_id)
    assert call is not None
    return call


async def fence(record: Record, call_id: str, seen: Seen) -> int | None:
    """Raise the attempt of the call that stood still at *seen*. Returns: the new one."""
    raised = await calls.raise_attempt(record, call_id, seen)
    return raised.attempt if raised else None
