"""`GET /v1/me`: the customer for whom the agent asks."""

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.payloads import answer
from examples.storefront.backend.access import customer_of
from examples.storefront.backend.shop import shop_of


class CustomerAnswer(BaseModel):
    """A customer."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    phone: str


async def show(request: Request) -> Response:
    """`GET /v1/me`"""
    async with shop_of(request).database.reading() as session:
        return answer(CustomerAnswer.model_validate(await customer_of(request, session)))


ROUTES = [Route("/v1/me", show)]
