"""Tools about orders and products."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from agent_worker.tools.tool import Answer, IdempotencyKey, ToolRefused, tool
from agent_worker.values import MoneyKind, NumberKind
from examples.storefront.agent.actions import Navigate, OrderLine, ShowOrder
from examples.storefront.agent.client import ShopClient
from examples.storefront.agent.speech import day, listing, money

SHOP = "shop"
REFUND_MAX_DOLLARS = 300
OrderNumber = Annotated[
    int, NumberKind(1, 99_999, after=("order",)), Field(description="The order's number.")
]
SPOKEN_ITEMS = 4


async def can_be_cancelled(order_number: int, *, shop: ShopClient) -> None:
    """Only an order of the caller that has not been sent yet."""
    order = await shop.get(f"/v1/orders/{order_number}")
    if order["cancellable"]:
        return
    why = {
        "shipped": "is already on its way, so it can no longer be cancelled",
        "delivered": "has already been delivered, so it can no longer be cancelled",
        "cancelled": "has already been cancelled",
    }
    raise ToolRefused(f"Order {order_number} {why[order['status']]}.")


async def small_refund(
    order_number: int, amount_dollars: Decimal | None, *, shop: ShopClient
) -> None:
    """Only an order of the caller, and at most 300 dollars: more needs a colleague."""
    order = await shop.get(f"/v1/orders/{order_number}")
    cents = order["refundable_cents"] if amount_dollars is None else _cents(amount_dollars)
    if cents > REFUND_MAX_DOLLARS * 100:
        raise ToolRefused(
            f"I can refund up to {REFUND_MAX_DOLLARS} dollars. For more, a colleague can help you."
        )


def _cents(dollars: Decimal) -> int:
    return int(dollars * 100)


def _amount(dollars: str | None) -> str:
    return "all that can be refunded" if dollars is None else money(_cents(Decimal(dollars)))


@tool(effect="read", backend=SHOP)
async def order_status(order_number: OrderNumber, *, shop: ShopClient) -> Answer:
    """Tell where one order of the caller is and when it arrives."""
    order = await shop.get(f"/v1/orders/{order_number}")
    return Answer(say=_status(order, await shop.today()), data=order, actions=[_card(order)])


@tool(effect="read", backend=SHOP)
async def list_orders(*, shop: ShopClient) -> Answer:
    """List the caller's orders that have not arrived yet."""
    orders = (await shop.get("/v1/orders", limit="50"))["orders"]
    under_way = [order for order in orders if order["status"] in ("processing", "shipped")]
    if not under_way:
        return Answer(say="You have no open orders.", data={"orders": []})
    numbers = listing([str(order["number"]) for order in reversed(under_way)])
    count = len(under_way)
    noun = "order" if count == 1 else "orders"
    return Answer(
        say=f"You have {count} open {noun}: number {numbers}. Which one is it about?",
        data={"orders": under_way},
        actions=[Navigate(to="orders")],
    )


@tool(
    effect="write",
    confirm="Cancel order {order_number}?",
    idempotent=True,
    backend=SHOP,
    policy=[can_be_cancelled],
)
async def cancel_order(
    order_number: OrderNumber, *, shop: ShopClient, key: IdempotencyKey
) -> Answer:
    """Cancel one order of the caller that has not been shipped."""
    order = await shop.post(f"/v1/orders/{order_number}/cancel", key)
    say = f"Done. Order {order_number} is cancelled."
    return Answer(say=say, data=order, actions=[_card(order)])


@tool(
    effect="write",
    confirm="Refund {amount_dollars} of order {order_number}?",
    idempotent=True,
    backend=SHOP,
    policy=[small_refund],
    max_per_call=3,
    in_words={"amount_dollars": _amount},
)
async def refund_order(
    order_number: OrderNumber,
    amount_dollars: Annotated[
        Annotated[Decimal, MoneyKind(), Field(gt=0, le=10_000)] | None,
        Field(description="Left out: all that can be refunded."),
    ] = None,
    *,
    shop: ShopClient,
    key: IdempotencyKey,
) -> Answer:
    """Refund a delivered order of the caller, in part or in full."""
    cents = None if amount_dollars is None else _cents(amount_dollars)
    refund = await shop.post(f"/v1/orders/{order_number}/refund", key, amount_cents=cents)
    amount = money(refund["amount_cents"])
    return Answer(
        say=f"Done. {amount} for order {order_number} are on their way back to you.", data=refund
    )


@tool(effect="read", backend=SHOP)
async def find_product(
    query: Annotated[str, Field(min_length=1, max_length=100, description="What is wanted.")],
    *,
    shop: ShopClient,
) -> Answer:
    """Look up whether the shop has a product, and its price."""
    products: list[dict[str, Any]] = (await shop.get("/v1/products", query=query))["products"]
    if not products:
        raise ToolRefused(f"I'm sorry, we have no {query}.")
    words = [
        f"the {product['name'].lower()} for {money(product['price_cents'])}"
        + ("" if product["stock"] else ", which is out of stock")
        for product in products[:SPOKEN_ITEMS]
    ]
    return Answer(say=f"We have {listing(words)}.", data={"products": products})


def _card(order: dict[str, Any]) -> ShowOrder:
    return ShowOrder(
        number=order["number"],
        status=order["status"],
        items=[OrderLine(name=one["name"], quantity=one["quantity"]) for one in order["items"]],
        total=money(order["total_cents"]),
        expected_on=order["expected_on"],
    )


def _status(order: dict[str, Any], today: date) -> str:
    """The news in the first, short sentence: the caller hears it while the rest is synthesized."""
    number = order["number"]
    items = listing([_item(item) for item in order["items"][:SPOKEN_ITEMS]])
    arrival = date.fromisoformat(order["expected_on"]) if order["expected_on"] else today
    expected = day(arrival, today)
    match order["status"]:
        case "shipped" | "processing" if arrival < today:
            return f"Order {number} is late. It was expected {_on(expected)}, with {items}."
        case "shipped":
            return f"Order {number} is on its way. It should arrive {_on(expected)}, with {items}."
        case "processing":
            return (
                f"Order {number} is being prepared. It should arrive {_on(expected)}, with {items}."
            )
        case "delivered":
            delivered = day(date.fromisoformat(order["delivered_on"]), today)
            return f"Order {number} has arrived. It was delivered {_on(delivered)}, with {items}."
        case _:
            return f"Order {number} was cancelled."


def _item(item: dict[str, Any]) -> str:
    quantity, name = item["quantity"], item["name"].lower()
    return f"the {name}" if quantity == 1 else f"{quantity} times the {name}"


def _on(spoken_day: str) -> str:
    return spoken_day if spoken_day in ("today", "tomorrow") else f"on {spoken_day}"
