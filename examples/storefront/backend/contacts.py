"""
The shop's CRM: contacts, and what there was with them.

For the office: it spans all customers. `external_id` is the other system's name for a thing, and
belongs to one thing only, so who lost an answer can look up whether it is there.
"""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.effects import Done
from examples.backend_base.errors import NotFound, Refusal
from examples.backend_base.payloads import MAX_ID, Payload, answer, query_of
from examples.storefront.backend.effects import OfficeWork, perform_in_office
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Activity, Contact, Customer


class ContactUnknown(NotFound):
    """There is no such contact."""

    code = "contact-not-found"


class ContactExists(Refusal):
    """There is a contact of that external id already."""

    code = "contact-exists"


class ActivityExists(Refusal):
    """There is an activity of that external id already."""

    code = "activity-exists"


class ExternalIdQuery(Payload):
    external_id: str = Field(max_length=300)


class ContactRequest(Payload):
    external_id: str = Field(min_length=1, max_length=300)
    """As long as a tenant's name and a caller's."""
    name: str = Field("", max_length=200)
    """Of a customer the shop knows it better."""


class ActivityRequest(Payload):
    external_id: str = Field(min_length=1, max_length=200)
    kind: str = Field("call", max_length=40)
    at: AwareDatetime = Field(strict=False)
    outcome: str = Field("", max_length=40)
    text: str = Field("", max_length=8_000)


class ContactAnswer(BaseModel):
    """A contact. `customer_id` is null for a stranger."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    external_id: str
    customer_id: str | None
    name: str


class ContactsAnswer(BaseModel):
    """None or one."""

    contacts: list[ContactAnswer]


class ActivityAnswer(BaseModel):
    """Something that happened with a contact."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    external_id: str
    contact_id: int
    kind: str
    at: AwareDatetime
    outcome: str
    text: str


class ActivitiesAnswer(BaseModel):
    """None or one."""

    activities: list[ActivityAnswer]


async def find_contact(request: Request) -> Response:
    """`GET /v1/contacts?external_id=`"""
    query = query_of(request, ExternalIdQuery)
    async with shop_of(request).database.reading() as session:
        rows = await session.scalars(
            select(Contact).where(Contact.external_id == query.external_id)
        )
        return answer(ContactsAnswer(contacts=[ContactAnswer.model_validate(row) for row in rows]))


async def create_contact(request: Request) -> Response:
    """`POST /v1/contacts`"""

    async def effect(work: OfficeWork, wish: ContactRequest) -> Done:
        customer = await work.session.get(Customer, wish.external_id)
        created = Contact(
            external_id=wish.external_id,
            customer_id=customer.id if customer else None,
            name=customer.name if customer else wish.name,
        )
        work.session.add(created)
        try:
            await work.session.flush()
        except IntegrityError:
            raise ContactExists from None
        made = ContactAnswer.model_validate(created)
        return Done("contact.created", f"contact:{created.id}", made, status=201)

    return await perform_in_office(request, ContactRequest, effect)


async def find_activity(request: Request) -> Response:
    """`GET /v1/activities?external_id=`"""
    query = query_of(request, ExternalIdQuery)
    async with shop_of(request).database.reading() as session:
        rows = await session.scalars(
            select(Activity).where(Activity.external_id == query.external_id)
        )
        found = [ActivityAnswer.model_validate(row) for row in rows]
        return answer(ActivitiesAnswer(activities=found))


async def log_activity(request: Request) -> Response:
    """`POST /v1/contacts/{id}/activities`"""

    async def effect(work: OfficeWork, wish: ActivityRequest) -> Done:
        number = request.path_params["id"]
        contact = await work.session.get(Contact, number) if number <= MAX_ID else None
        if contact is None:
            raise ContactUnknown
        logged = Activity(contact_id=contact.id, **wish.model_dump())
        work.session.add(logged)
        try:
            await work.session.flush()
        except IntegrityError:
            raise ActivityExists from None
        made = ActivityAnswer.model_validate(logged)
        return Done("activity.logged", f"activity:{logged.id}", made, status=201)

    return await perform_in_office(request, ActivityRequest, effect)


ROUTES = [
    Route("/v1/contacts", find_contact),
    Route("/v1/contacts", create_contact, methods=["POST"]),
    Route("/v1/contacts/{id:int}/activities", log_activity, methods=["POST"]),
    Route("/v1/activities", find_activity),
]
