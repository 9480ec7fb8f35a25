"""`GET /v1/products`: what the shop sells, at what price, and how many are there."""

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.payloads import Payload, answer, query_of
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Product

LIMIT = 20
MAX_WORDS = 8


class ProductQuery(Payload):
    query: str = Field("", max_length=100)
    """Every word of it must occur in the name or the description; empty: all products."""


class ProductAnswer(BaseModel):
    """A product. `stock` is the number of pieces in the shop."""

    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
    description: str
    price_cents: int
    currency: str
    stock: int


class ProductsAnswer(BaseModel):
    """At most 20, by name."""

    products: list[ProductAnswer]


async def search(request: Request) -> Response:
    """`GET /v1/products?query=`"""
    words = query_of(request, ProductQuery).query.split()[:MAX_WORDS]
    found = select(Product).order_by(Product.name).limit(LIMIT)
    for word in words:
        part = _singular(word)
        found = found.where(
            or_(
                Product.name.icontains(part, autoescape=True),
                Product.description.icontains(part, autoescape=True),
            )
        )
    async with shop_of(request).database.reading() as session:
        products = await session.scalars(found)
        return answer(
            ProductsAnswer(products=[ProductAnswer.model_validate(row) for row in products])
        )


def _singular(word: str) -> str:
    # People ask for "helmets"; the name says "helmet".
    return word[:-1] if len(word) > 3 and word.lower().endswith("s") else word


ROUTES = [Route("/v1/products", search)]
