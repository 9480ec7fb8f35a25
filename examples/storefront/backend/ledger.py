"""
`GET /v1/ledger`: every effect that the shop has had, and what it was asked.

For operators and tests: it spans all customers. Names, phone numbers and reasons are not in it.
"""

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import and_, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.payloads import Payload, answer, query_of
from examples.storefront.backend.reads import Read
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import IdempotencyKey, LedgerEntry


class LedgerQuery(Payload):
    call_id: str | None = Field(None, max_length=64)
    kind: str | None = Field(None, max_length=40)
    """Of the effects, such as `order.cancelled`."""
    limit: int = Field(100, ge=1, le=1000)
    """Of the effects."""


class EffectAnswer(BaseModel):
    """One effect. `requests`: how often it was asked for with this key; it happened once."""

    id: int
    at: AwareDatetime
    kind: str
    subject: str
    customer_id: str
    call_id: str | None
    idempotency_key: str
    requests: int


class LedgerAnswer(BaseModel):
    """The newest effects, the newest last; reads since the process started."""

    effects: list[EffectAnswer]
    reads: list[Read]


async def show(request: Request) -> Response:
    """`GET /v1/ledger?call_id=&kind=&limit=`"""
    query = query_of(request, LedgerQuery)
    shop = shop_of(request)
    same_key = and_(
        IdempotencyKey.customer_id == LedgerEntry.customer_id,
        IdempotencyKey.key == LedgerEntry.idempotency_key,
    )
    found = select(LedgerEntry, IdempotencyKey.requests).join(IdempotencyKey, same_key)
    if query.call_id is not None:
        found = found.where(LedgerEntry.call_id == query.call_id)
    if query.kind is not None:
        found = found.where(LedgerEntry.kind == query.kind)
    async with shop.database.reading() as session:
        rows = await session.execute(found.order_by(LedgerEntry.id.desc()).limit(query.limit))
        effects = [_answer(entry, requests) for entry, requests in rows]
    return answer(LedgerAnswer(effects=effects[::-1], reads=shop.reads.all(query.call_id)))


def _answer(entry: LedgerEntry, requests: int) -> EffectAnswer:
    return EffectAnswer(
        id=entry.id,
        at=entry.at,
        kind=entry.kind,
        subject=entry.subject,
        customer_id=entry.customer_id,
        call_id=entry.call_id,
        idempotency_key=entry.idempotency_key,
        requests=requests,
    )


ROUTES = [Route("/v1/ledger", show)]
