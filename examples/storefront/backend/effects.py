"""
Effects happen once: an `Idempotency-Key`, the effect and its ledger row are one transaction.

The first request with a key decides the answer, a refusal included. Every later one with the same
key, path and body gets that answer again and changes nothing. A key belongs to the customer for
whom something is done, or to the shop's office.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response

from examples.storefront.backend.access import call_of, customer_of
from examples.storefront.backend.database import Session
from examples.storefront.backend.errors import NotFound, Refusal
from examples.storefront.backend.payloads import answer, body_of
from examples.storefront.backend.shop import Shop, shop_of
from examples.storefront.backend.tables import Customer, IdempotencyKey, LedgerEntry
from service_base.problems import ServiceError, problem

log = structlog.get_logger()

KEY_HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,200}")


class KeyMissing(ServiceError):
    """This request needs an Idempotency-Key header of 1 to 200 visible ASCII characters."""

    status = 400
    code = "idempotency-key-required"


class KeyReused(ServiceError):
    """This Idempotency-Key was already used for another request."""

    status = 422
    code = "idempotency-key-reused"


@dataclass(frozen=True)
class OfficeWork:
    """What an effect works with. Its session is rolled back when the effect raises."""

    shop: Shop
    session: Session


@dataclass(frozen=True)
class Work(OfficeWork):
    """The same, on behalf of a customer."""

    customer: Customer


@dataclass(frozen=True)
class Done:
    """An effect that happened: `kind` and `subject` go to the ledger, `answer` to the client."""

    kind: str
    subject: str
    answer: BaseModel
    status: int = 200


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
    key = request.headers.get(KEY_HEADER, "")
    if not KEY.fullmatch(key):
        raise KeyMissing
    body = await body_of(request, model)
    shop = shop_of(request)
    async with shop.database.writing() as session:
        owner, work = await begin(shop, session)
        record = IdempotencyKey(
            customer_id=owner,
            key=key,
            fingerprint=_fingerprint(request, body),
            requests=1,
        )
        if not await _claim(session, record):
            return await _replay(session, record)
        response, done = await _attempt(request, work, body, effect, record)
        record.status = response.status_code
        record.body = bytes(response.body).decode()
    if done:
        log.info("effect.committed", kind=done.kind, subject=done.subject)
    return response


async def _claim(session: Session, record: IdempotencyKey) -> bool:
    # PostgreSQL waits here while another transaction holds the key; SQLite has waited before.
    try:
        async with session.begin_nested():
            session.add(record)
            await session.flush()
    except IntegrityError:
        return False
    return True


async def _replay(session: Session, sent: IdempotencyKey) -> Response:
    identity = (sent.customer_id, sent.key)
    record = await session.get_one(IdempotencyKey, identity, with_for_update=True)
    if record.fingerprint != sent.fingerprint:
        raise KeyReused
    record.requests += 1
    assert record.status is not None and record.body is not None
    failed = record.status >= 400
    return Response(
        record.body,
        record.status,
        media_type="application/problem+json" if failed else "application/json",
        headers={"Cache-Control": "no-store", "Idempotency-Replayed": "true"},
    )


async def _attempt(
    request: Request,
    work: W,
    body: M,
    effect: Callable[[W, M], Awaitable[Done]],
    record: IdempotencyKey,
) -> tuple[Response, Done | None]:
    entry = LedgerEntry(
        at=work.shop.clock(),
        customer_id=record.customer_id,
        call_id=call_of(request),
        idempotency_key=record.key,
    )
    try:
        async with work.session.begin_nested():
            done = await effect(work, body)
            entry.kind, entry.subject = done.kind, done.subject
            work.session.add(entry)
            await work.session.flush()
    except (Refusal, NotFound) as refusal:
        return problem(refusal.status, refusal.code, refusal.detail), None
    return answer(done.answer, done.status), done


def _fingerprint(request: Request, body: BaseModel) -> str:
    text = "\n".join((request.method, request.url.path, body.model_dump_json()))
    return hashlib.sha256(text.encode()).hexdigest()
