"""
Effects happen once: an `Idempotency-Key`, the effect and its ledger row are one transaction.

A key belongs to the customer for whom something is done, or to the shop's office.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from examples.backend_base.access import call_of
from examples.backend_base.database import Session
from examples.backend_base.effects import Done, fingerprint, key_of, once
from examples.backend_base.payloads import body_of
from examples.storefront.backend.access import customer_of
from examples.storefront.backend.shop import Shop, shop_of
from examples.storefront.backend.tables import Customer, IdempotencyKey, LedgerEntry

log = structlog.get_logger()


@dataclass(frozen=True)
class OfficeWork:
    """What an effect works with. Its session is rolled back when the effect raises."""

    shop: Shop
    session: Session


@dataclass(frozen=True)
class Work(OfficeWork):
    """The same, on behalf of a customer."""

    customer: Customer


M = TypeVar("M", bound=BaseModel)
W = TypeVar("W", bound=OfficeWork)
OFFICE = "#office"
"""Stands for the customer where there is none."""


async def perform(
    request: Request, model: type[M], effect: Callable[[Work, M], Awaitable[Done]]
) -> Response:
    """
    Read the body as *model* and do *effect* once for the request's key and customer.

    Raises: KeyMissing, KeyReused, BadRequest, BodyTooLarge, UnknownCustomer: none of these uses up
        the key.
    """

    async def begin(shop: Shop, session: Session) -> tuple[str, Work]:
        customer = await customer_of(request, session)
        return customer.id, Work(shop, session, customer)

    return await _once(request, model, effect, begin)


async def perform_in_office(
    request: Request, model: type[M], effect: Callable[[OfficeWork, M], Awaitable[Done]]
) -> Response:
    """As `perform`, for no customer. Raises: the same, but never UnknownCustomer."""

    async def begin(shop: Shop, session: Session) -> tuple[str, OfficeWork]:
        return OFFICE, OfficeWork(shop, session)

    return await _once(request, model, effect, begin)


async def _once(
    request: Request,
    model: type[M],
    effect: Callable[[W, M], Awaitable[Done]],
    begin: Callable[[Shop, Session], Awaitable[tuple[str, W]]],
) -> Response:
    key = key_of(request)
    body = await body_of(request, model)
    shop = shop_of(request)
    async with shop.database.writing() as session:
        owner, work = await begin(shop, session)
        row = IdempotencyKey(
            customer_id=owner, key=key, fingerprint=fingerprint(request, body), requests=1
        )
        entry = LedgerEntry(
            at=shop.clock(), customer_id=owner, call_id=call_of(request), idempotency_key=key
        )
        response = await once(session, row, entry, lambda: effect(work, body))
    if entry.kind:  # it happened now, and was neither refused nor done before
        log.info("effect.committed", kind=entry.kind, subject=entry.subject)
    return response
