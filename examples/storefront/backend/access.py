"""For which customer the agent asks."""

from starlette.requests import Request

from examples.backend_base.database import Session
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Customer
from service_base.problems import ServiceError

CUSTOMER_HEADER = "X-Customer-Id"
DEMO_CUSTOMER_ID = "sam-rivera"


class UnknownCustomer(ServiceError):
    """I cannot find an account of yours with us, so I see no orders or appointments."""

    status = 403
    code = "unknown-customer"


async def customer_of(request: Request, session: Session) -> Customer:
    """
    The customer for whom the agent asks.

    Raises: UnknownCustomer: there is none of that id, or none was named and there is no default.
    """
    default = DEMO_CUSTOMER_ID if shop_of(request).demo_customer else ""
    customer = await session.get(Customer, request.headers.get(CUSTOMER_HEADER, default))
    if customer is None:
        raise UnknownCustomer
    return customer
