"""Admits a caller to a new call, or back to the caller's own call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from call_record import calls, deny_list
from call_record.admission import Queued, Refusal, hang_up, seconds_until_tomorrow
from call_record.batch_admission import BatchAdmission
from call_record.calls import Call
from call_record.database import DATABASE_DOWN
from call_record.record import Record
from call_record.tables import CallState
from service_base.problems import ServiceError
from token_service.callers import Caller
from token_service.errors import (
    AgentsBusy,
    Busy,
    CallNotFound,
    CallOver,
    DailyLimit,
    NetworkBusy,
    NotAllowed,
    RecordUnavailable,
    ServiceBusy,
    SfuUnavailable,
    TenantLimit,
    TooManyCalls,
)
from token_service.rooms import Rooms
from voice_contract.ids import new_call_id

JOINABLE = (CallState.REQUESTED, CallState.LIVE)
REFUSALS: dict[Refusal, type[ServiceError]] = {
    Refusal.NOT_ALLOWED: NotAllowed,
    Refusal.TOO_MANY_CALLS: TooManyCalls,
    Refusal.DAILY_LIMIT: DailyLimit,
    Refusal.NETWORK_BUSY: NetworkBusy,
    Refusal.TENANT_LIMIT: TenantLimit,
}
QUEUED: dict[Refusal, type[Busy]] = {
    Refusal.SERVICE_BUSY: ServiceBusy,
    Refusal.AGENTS_BUSY: AgentsBusy,
}


@contextmanager
def record_or_problem() -> Iterator[None]:
    """Turns the errors of an unavailable database into a problem that the caller may see."""
    try:
        yield
    except DATABASE_DOWN as error:
        raise RecordUnavailable from error


@dataclass(frozen=True)
class Admission:
    """Lets callers in: the record decides, then the SFU makes the room."""

    record: Record
    batch: BatchAdmission
    rooms: Rooms

    async def new(self, caller: Caller) -> Call:
        """
        Admit *caller* to a new call, or to the one it asked for earlier and has not joined yet.

        Raises: a problem of `REFUSALS`, Busy, SfuUnavailable, RecordUnavailable.
        """
        with record_or_problem():
            admitted = await self.batch.admit(new_call_id(), caller.applicant)
            if isinstance(admitted, Queued):
                raise QUEUED[admitted.refusal](position=admitted.position)
            if isinstance(admitted, Refusal):
                raise self._refused(admitted)
            try:
                await self.rooms.open(admitted.call, admitted.deployment)
            except SfuUnavailable:
                if admitted.is_new:
                    # Nobody can join it: free its slot for another call.
                    await hang_up(self.record, admitted.call.call_id, SfuUnavailable.code)
                raise
            return admitted.call

    async def own(self, caller: Caller, call_id: str) -> Call:
        """
        Admit *caller* back to its own call.

        Raises: CallNotFound, CallOver, NotAllowed, SfuUnavailable, RecordUnavailable.
        """
        with record_or_problem():
            call = await own_call(self.record, caller, call_id)
            if call.state not in JOINABLE:
                raise CallOver
            # By the identity in the record, which is what an operator denies.
            if await deny_list.denied(self.record, caller.identity, caller.tenant, call_id):
                raise NotAllowed
            await self.rooms.reopen(call)
            return call

    def _refused(self, refusal: Refusal) -> ServiceError:
        if refusal is Refusal.DAILY_LIMIT:
            return DailyLimit(retry_after_s=seconds_until_tomorrow(self.record))
        return REFUSALS[refusal]()


async def own_call(record: Record, caller: Caller, call_id: str) -> Call:
    """
    Read the caller's own call.

    Raises: CallNotFound: it does not exist or belongs to someone else; the error is the same.
    """
    call = await calls.read(record, call_id)
    if call is None or not caller.owns(call):
        raise CallNotFound
    return call
