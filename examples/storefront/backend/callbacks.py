"""Callbacks: a person of the shop calls the customer back."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.effects import Done
from examples.backend_base.payloads import Payload, answer
from examples.storefront.backend.access import customer_of
from examples.storefront.backend.effects import Work, perform
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Callback, CallbackStatus

LIMIT = 100


class CallbackRequest(Payload):
    phone: str | None = Field(None, pattern=r"^\+?[0-9][0-9 ()./-]{2,38}$")
    """Null or left out: the number on the customer's account."""
    reason: str = Field("", max_length=500)


class CallbackAnswer(BaseModel):
    """A promise to call back."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    status: CallbackStatus
    phone: str
    reason: str
    at: AwareDatetime


class CallbacksAnswer(BaseModel):
    """At most 100, the newest first."""

    callbacks: list[CallbackAnswer]


async def index(request: Request) -> Response:
    """`GET /v1/callbacks`"""
    async with shop_of(request).database.reading() as session:
        customer = await customer_of(request, session)
        own = select(Callback).where(Callback.customer_id == customer.id)
        rows = await session.scalars(own.order_by(Callback.id.desc()).limit(LIMIT))
        return answer(
            CallbacksAnswer(callbacks=[CallbackAnswer.model_validate(row) for row in rows])
        )


async def create(request: Request) -> Response:
    """`POST /v1/callbacks`"""

    async def effect(work: Work, wish: CallbackRequest) -> Done:
        promised = Callback(
            customer_id=work.customer.id,
            phone=wish.phone or work.customer.phone,
            reason=wish.reason,
            status="open",
            at=work.shop.clock(),
        )
        work.session.add(promised)
        await work.session.flush()
        made = CallbackAnswer.model_validate(promised)
        return Done("callback.requested", f"callback:{promised.id}", made, status=201)

    return await perform(request, CallbackRequest, effect)


ROUTES = [
    Route("/v1/callbacks", index),
    Route("/v1/callbacks", create, methods=["POST"]),
]
