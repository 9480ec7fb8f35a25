"""The way into a call: a new one is admitted, a caller's own is come back to."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Histogram

from call_record import calls
from call_record.admission import Refusal, admit, hang_up
from call_record.calls import Call
from call_record.database import AWAY
from call_record.record import Record
from call_record.tables import CallState
from service_base.problems import ServiceError
from token_service.callers import Caller
from token_service.errors import (
    AgentsBusy,
    CallNotFound,
    CallOver,
    RecordUnavailable,
    SfuUnavailable,
)
from token_service.minting import Mint
from token_service.rooms import Rooms
from voice_contract.ids import new_call_id
from voice_contract.tokens import VoiceToken

log = structlog.get_logger()

REFUSALS: dict[Refusal, type[ServiceError]] = {Refusal.AGENTS_BUSY: AgentsBusy}
OPEN = (CallState.REQUESTED, CallState.LIVE)
"""States in which a caller may join."""

MINT_S = Histogram(
    "parley_token_mint_seconds",
    "Time from a request for a call to its token, the room's creation included",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
REQUESTS = Counter("parley_token_requests_total", "Requests for a token, by outcome", ["outcome"])


@contextmanager
def record_or_problem() -> Iterator[None]:
    """What a database that is away raises, as the problem that the caller may see."""
    try:
        yield
    except AWAY as error:
        raise RecordUnavailable from error


@dataclass(frozen=True)
class Admission:
    """Gives tokens. The record decides, the SFU has the room, then the token is minted."""

    record: Record
    rooms: Rooms
    mint: Mint

    async def token(self, caller: Caller, call_id: str | None) -> VoiceToken:
        """
        A token for a new call of *caller*, or for its own call of that id.

        Raises: AgentsBusy, SfuUnavailable, RecordUnavailable, CallNotFound, CallOver.
        """
        started = time.perf_counter()
        try:
            with record_or_problem():
                call = await (self._new(caller) if call_id is None else self._own(caller, call_id))
        except ServiceError as error:
            REQUESTS.labels(error.code).inc()
            log.warning("call.refused", call_id=call_id, code=error.code, exc_info=error.__cause__)
            raise
        assert call.caller is not None
        token = self.mint.token(call.call_id, call.caller)
        elapsed_s = time.perf_counter() - started
        MINT_S.observe(elapsed_s)
        REQUESTS.labels("admitted" if call_id is None else "returned").inc()
        log.info(
            "call.requested" if call_id is None else "call.returning",
            call_id=call.call_id,
            caller=call.caller,
            mint_ms=round(elapsed_s * 1000, 1),
        )
        return token

    async def _new(self, caller: Caller) -> Call:
        admitted = await admit(self.record, new_call_id(), caller.applicant)
        if isinstance(admitted, Refusal):
            raise REFUSALS[admitted]
        try:
            await self.rooms.open(admitted.call)
        except SfuUnavailable:
            if admitted.is_new:
                # Nobody can join it, so its slot is another's.
                await hang_up(self.record, admitted.call.call_id, SfuUnavailable.code)
            raise
        return admitted.call

    async def _own(self, caller: Caller, call_id: str) -> Call:
        call = await own_call(self.record, caller, call_id)
        if call.state not in OPEN:
            raise CallOver
        await self.rooms.reopen(call)
        return call


async def own_call(record: Record, caller: Caller, call_id: str) -> Call:
    """
    The call of that id, which is the caller's own.

    Raises: CallNotFound: there is none, or it is another's: a stranger does not learn which.
    """
    call = await calls.read(record, call_id)
    if call is None or not caller.owns(call):
        raise CallNotFound
    return call
