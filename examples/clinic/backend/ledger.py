"""`GET /v1/ledger`: every effect that the clinic has had, without names, numbers or reasons."""

from pydantic import BaseModel
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.ledger import EffectAnswer, LedgerQuery, chosen
from examples.backend_base.payloads import answer, query_of
from examples.clinic.backend.clinic import clinic_of
from examples.clinic.backend.tables import LedgerEntry


class LedgerAnswer(BaseModel):
    """The newest effects, the newest last."""

    effects: list[EffectAnswer]


async def show(request: Request) -> Response:
    """`GET /v1/ledger?call_id=&kind=&limit=`"""
    query = query_of(request, LedgerQuery)
    async with clinic_of(request).database.reading() as session:
        rows = (await session.scalars(chosen(select(LedgerEntry), LedgerEntry, query))).all()
    return answer(LedgerAnswer(effects=[EffectAnswer.model_validate(row) for row in rows[::-1]]))


ROUTES = [Route("/v1/ledger", show)]
