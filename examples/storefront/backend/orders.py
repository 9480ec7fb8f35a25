"""Orders: seen, cancelled, refunded."""

from datetime import date, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from examples.backend_base.database import Session
from examples.backend_base.effects import Done
from examples.backend_base.errors import NotFound, Refusal
from examples.backend_base.payloads import MAX_ID, Nothing, Payload, answer, query_of
from examples.storefront.backend import speech
from examples.storefront.backend.access import customer_of
from examples.storefront.backend.effects import Work, perform
from examples.storefront.backend.shop import shop_of
from examples.storefront.backend.tables import Order, OrderStatus, Product, Refund

REFUND_DAYS = 30


class OrderUnknown(NotFound):
    """There is no such order."""

    code = "order-not-found"


class NotCancellable(Refusal):
    """This order can no longer be cancelled."""

    code = "order-not-cancellable"


class NotRefundable(Refusal):
    """This order cannot be refunded."""

    code = "order-not-refundable"


class RefundTooLarge(Refusal):
    """The refund is larger than what is left of the order's total."""

    code = "refund-too-large"


class OrderQuery(Payload):
    status: OrderStatus | None = None
    limit: int = Field(20, ge=1, le=100)


class RefundRequest(Payload):
    amount_cents: int | None = Field(None, ge=1, le=MAX_ID)
    """Null or left out: all that has not been refunded yet."""


class ItemAnswer(BaseModel):
    """A part of an order."""

    model_config = ConfigDict(from_attributes=True)

    sku: str
    name: str
    quantity: int
    unit_price_cents: int


class OrderAnswer(BaseModel):
    """An order, and what may be done with it today."""

    number: int
    status: OrderStatus
    placed_on: date
    expected_on: date | None
    """The day on which it should arrive; null when it was cancelled."""
    delivered_on: date | None
    items: list[ItemAnswer]
    total_cents: int
    currency: str
    refunded_cents: int
    cancellable: bool
    refundable_cents: int


class OrdersAnswer(BaseModel):
    """The newest first."""

    orders: list[OrderAnswer]


class RefundAnswer(BaseModel):
    """A refund that was made, and what could still be refunded."""

    id: int
    order_number: int
    amount_cents: int
    currency: str
    at: AwareDatetime
    refundable_cents: int


async def index(request: Request) -> Response:
    """`GET /v1/orders?status=&limit=`"""
    query = query_of(request, OrderQuery)
    shop = shop_of(request)
    async with shop.database.reading() as session:
        customer = await customer_of(request, session)
        own = select(Order).where(Order.customer_id == customer.id)
        if query.status:
            own = own.where(Order.status == query.status)
        orders = await session.scalars(own.order_by(Order.number.desc()).limit(query.limit))
        today = shop.today()
        return answer(OrdersAnswer(orders=[order_answer(order, today) for order in orders]))


async def show(request: Request) -> Response:
    """`GET /v1/orders/{number}`"""
    shop = shop_of(request)
    async with shop.database.reading() as session:
        customer = await customer_of(request, session)
        order = await _own(session, customer.id, request.path_params["number"])
        return answer(order_answer(order, shop.today()))


async def cancel(request: Request) -> Response:
    """`POST /v1/orders/{number}/cancel`: the items go back into stock; nothing was charged yet."""

    async def effect(work: Work, _: Nothing) -> Done:
        number = request.path_params["number"]
        order = await _own(work.session, work.customer.id, number, lock=True)
        if order.status != "processing":
            raise NotCancellable(_why_not_cancellable(order))
        order.status, order.expected_on = "cancelled", None
        for item in order.items:
            # Added in SQL, so that two cancellations at the same time both count.
            item.product.stock = Product.stock + item.quantity
        return Done("order.cancelled", f"order:{number}", order_answer(order, work.shop.today()))

    return await perform(request, Nothing, effect)


async def refund(request: Request) -> Response:
    """`POST /v1/orders/{number}/refund`"""

    async def effect(work: Work, wish: RefundRequest) -> Done:
        number = request.path_params["number"]
        order = await _own(work.session, work.customer.id, number, lock=True)
        today = work.shop.today()
        left = _refundable_cents(order, today)
        if not left:
            raise NotRefundable(_why_not_refundable(order))
        if wish.amount_cents is not None and wish.amount_cents > left:
            amount = speech.money(left, order.currency)
            raise RefundTooLarge(f"At most {amount} of order {number} can be refunded.")
        made = Refund(amount_cents=wish.amount_cents or left, at=work.shop.clock())
        order.refunds.append(made)
        await work.session.flush()
        return Done(
            "order.refunded",
            f"order:{number}",
            RefundAnswer(
                id=made.id,
                order_number=number,
                amount_cents=made.amount_cents,
                currency=order.currency,
                at=made.at,
                refundable_cents=left - made.amount_cents,
            ),
            status=201,
        )

    return await perform(request, RefundRequest, effect)


def order_answer(order: Order, today: date) -> OrderAnswer:
    """*order* as clients see it on *today*."""
    return OrderAnswer(
        number=order.number,
        status=order.status,
        placed_on=order.placed_on,
        expected_on=order.expected_on,
        delivered_on=order.delivered_on,
        items=[ItemAnswer.model_validate(item) for item in order.items],
        total_cents=order.total_cents,
        currency=order.currency,
        refunded_cents=order.refunded_cents,
        cancellable=order.status == "processing",
        refundable_cents=_refundable_cents(order, today),
    )


async def _own(session: Session, customer_id: str, number: int, *, lock: bool = False) -> Order:
    order = None
    if number <= MAX_ID:
        order = await session.get(Order, number, with_for_update=lock)
    if order is None or order.customer_id != customer_id:
        raise OrderUnknown(f"There is no order {number} on this account.")
    return order


def _refundable_cents(order: Order, today: date) -> int:
    if order.delivered_on is None or today > order.delivered_on + timedelta(days=REFUND_DAYS):
        return 0
    return order.total_cents - order.refunded_cents


def _why_not_cancellable(order: Order) -> str:
    return {
        "shipped": f"Order {order.number} is already on its way, so it can no longer be cancelled.",
        "delivered": f"Order {order.number} has already been delivered, "
        "so it can no longer be cancelled.",
        "cancelled": f"Order {order.number} has already been cancelled.",
    }[order.status]


def _why_not_refundable(order: Order) -> str:
    if order.status == "cancelled":
        return f"Order {order.number} was cancelled before anything was charged."
    if order.status != "delivered":
        return f"Order {order.number} has not been delivered yet, so it cannot be refunded."
    if order.refunded_cents == order.total_cents:
        return f"Order {order.number} has already been refunded in full."
    return (
        f"Order {order.number} was delivered more than {REFUND_DAYS} days ago, "
        "so it can no longer be refunded."
    )


ROUTES = [
    Route("/v1/orders", index),
    Route("/v1/orders/{number:int}", show),
    Route("/v1/orders/{number:int}/cancel", cancel, methods=["POST"]),
    Route("/v1/orders/{number:int}/refund", refund, methods=["POST"]),
]
