"""
`POST /v1/reset`: the demo data as on the first day. The route is there only with `--allow-reset`.

Rehearsals ask for it before each script.
"""

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.errors import RecordsUnavailable, Refusal
from examples.storefront.backend.seed import CUSTOMER_IDS
from examples.storefront.backend.setup import prepare
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Customer
from service_base.settings import SettingsError


class NotADemonstration(Refusal):
    """This shop has customers of its own, so its data are not erased."""

    code = "not-a-demonstration"


async def reset(request: Request) -> Response:
    """Erase all data and seed it, if there is no customer but those of the demo data."""
    shop = shop_of(request)
    async with shop.database.reading() as session:
        others = select(Customer.id).where(Customer.id.not_in(CUSTOMER_IDS)).limit(1)
        if await session.scalar(others) is not None:
            raise NotADemonstration
    try:
        await prepare(shop, reset=True)
    except SettingsError:
        raise RecordsUnavailable from None
    return Response(status_code=204)


ROUTES = [Route("/v1/reset", reset, methods=["POST"])]
