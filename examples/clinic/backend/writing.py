"""Writes happen once for each `Idempotency-Key`, and stand in the ledger."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from examples.backend_base.access import call_of
from examples.backend_base.database import Session
from examples.backend_base.effects import Done, fingerprint, key_of, once
from examples.backend_base.payloads import Payload, body_of
from examples.clinic.backend.clinic import Clinic, clinic_of
from examples.clinic.backend.tables import IdempotencyKey, LedgerEntry

P = TypeVar("P", bound=Payload)


async def perform(
    request: Request,
    model: type[P],
    effect: Callable[[Clinic, Session, P], Awaitable[Done]],
) -> Response:
    """
    Read the body as *model* and do *effect* once for the request's key.

    Raises: KeyMissing, KeyReused, BadRequest, BodyTooLarge: none of these uses up the key.
    """
    key = key_of(request)
    wish = await body_of(request, model)
    clinic = clinic_of(request)
    async with clinic.database.writing() as session:
        row = IdempotencyKey(key=key, fingerprint=fingerprint(request, wish), requests=1)
        entry = LedgerEntry(at=clinic.clock(), call_id=call_of(request), idempotency_key=key)
        return await once(session, row, entry, lambda: effect(clinic, session, wish))
