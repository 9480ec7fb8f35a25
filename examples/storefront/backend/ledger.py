"""
`GET /v1/ledger`: every effect that the shop has had, and what it was asked.

It spans all customers. Names, phone numbers and reasons are not in it.
"""

from pydantic import BaseModel
from sqlalchemy import and_, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.ledger import EffectAnswer, LedgerQuery, chosen
from examples.backend_base.payloads import answer, query_of
from examples.storefront.backend.reads import Read
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import IdempotencyKey, LedgerEntry


class ShopEffectAnswer(EffectAnswer):
    """`requests`: how often it was asked for with this key; it happened once."""

    customer_id: str
    requests: int


class LedgerAnswer(BaseModel):
    """The newest effects, the newest last; reads since the process started."""

    effects: list[ShopEffectAnswer]
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
    async with shop.database.reading() as session:
        rows = await session.execute(chosen(found, LedgerEntry, query))
        effects = [_answer(entry, requests) for entry, requests in rows]
    return answer(LedgerAnswer(effects=effects[::-1], reads=shop.reads.all(query.call_id)))


def _answer(entry: LedgerEntry, requests: int) -> ShopEffectAnswer:
    known = EffectAnswer.model_validate(entry).model_dump()
    return ShopEffectAnswer(**known, customer_id=entry.customer_id, requests=requests)


ROUTES = [Route("/v1/ledger", show)]
