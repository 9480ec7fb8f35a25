"""Tickets: something that a person of the shop has to look at. For the office, as contacts are."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.effects import Done
from examples.backend_base.errors import Refusal
from examples.backend_base.payloads import MAX_ID, Payload, answer, query_of
from examples.storefront.backend.contacts import ContactUnknown
from examples.storefront.backend.effects import OfficeWork, perform_in_office
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Contact, Ticket, TicketStatus

LIMIT = 100


class TicketExists(Refusal):
    """There is a ticket of that external id already."""

    code = "ticket-exists"


class TicketQuery(Payload):
    external_id: str | None = Field(None, max_length=200)
    status: TicketStatus | None = None


class TicketRequest(Payload):
    external_id: str = Field(min_length=1, max_length=200)
    contact_id: int | None = Field(None, ge=1, le=MAX_ID)
    subject: str = Field(min_length=1, max_length=200)
    text: str = Field("", max_length=8_000)


class TicketAnswer(BaseModel):
    """A ticket."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    external_id: str
    contact_id: int | None
    status: TicketStatus
    subject: str
    text: str
    at: AwareDatetime


class TicketsAnswer(BaseModel):
    """At most 100, the newest first."""

    tickets: list[TicketAnswer]


async def index(request: Request) -> Response:
    """`GET /v1/tickets?external_id=&status=`"""
    query = query_of(request, TicketQuery)
    wanted = select(Ticket)
    if query.external_id is not None:
        wanted = wanted.where(Ticket.external_id == query.external_id)
    if query.status is not None:
        wanted = wanted.where(Ticket.status == query.status)
    async with shop_of(request).database.reading() as session:
        rows = await session.scalars(wanted.order_by(Ticket.number.desc()).limit(LIMIT))
        return answer(TicketsAnswer(tickets=[TicketAnswer.model_validate(row) for row in rows]))


async def create(request: Request) -> Response:
    """`POST /v1/tickets`"""

    async def effect(work: OfficeWork, wish: TicketRequest) -> Done:
        if wish.contact_id and await work.session.get(Contact, wish.contact_id) is None:
            raise ContactUnknown
        opened = Ticket(status="open", at=work.shop.clock(), **wish.model_dump())
        work.session.add(opened)
        try:
            await work.session.flush()
        except IntegrityError:
            raise TicketExists from None
        made = TicketAnswer.model_validate(opened)
        return Done("ticket.opened", f"ticket:{opened.number}", made, status=201)

    return await perform_in_office(request, TicketRequest, effect)


ROUTES = [
    Route("/v1/tickets", index),
    Route("/v1/tickets", create, methods=["POST"]),
]
