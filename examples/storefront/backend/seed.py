"""Demo data: the same for the same day, whatever the machine."""

from datetime import date, datetime, time, timedelta

from examples.backend_base.database import Session
from examples.storefront.backend.access import DEMO_CUSTOMER_ID
from examples.storefront.backend.tables import (
    Appointment,
    Customer,
    OpeningHours,
    Order,
    OrderItem,
    OrderStatus,
    Product,
    Refund,
)

OTHER_CUSTOMER_ID = "alex-kim"
CUSTOMER_IDS = (DEMO_CUSTOMER_ID, OTHER_CUSTOMER_ID)

PRODUCTS = [
    ("bell", "Brass bell", "Loud and classic, fits every handlebar.", 1450, 40),
    ("bike-city", "City bike", "Eight gears, mudguards and lights, ready to ride.", 89900, 3),
    ("bike-trail", "Trail bike", "Aluminium frame with front suspension.", 124900, 0),
    ("gloves", "Winter gloves", "Windproof, with fingertips for touch screens.", 3495, 12),
    ("helmet", "Commuter helmet", "Light helmet with a red lamp at the back.", 5900, 17),
    ("lights", "Light set", "Front and rear light, charged by USB.", 3950, 25),
    ("lock", "Folding lock", "Hardened steel, one meter long.", 7490, 9),
    ("pump", "Floor pump", "For every valve, with a gauge.", 2999, 14),
]
PRICES = {sku: price for sku, _, _, price, _ in PRODUCTS}

# number: status, days from the seed day to order / arrival, items. Arrivals of what is still on
# its way are moved to the next working day.
ORDERS: list[tuple[int, OrderStatus, int, int, dict[str, int]]] = [
    (1, "delivered", -90, -85, {"bike-city": 1}),
    (2, "delivered", -60, -56, {"helmet": 1, "lock": 1}),
    (3, "delivered", -14, -10, {"lights": 1, "bell": 1}),
    (4, "cancelled", -13, 0, {"bike-trail": 1}),
    (5, "delivered", -10, -6, {"pump": 2}),
    (6, "delivered", -8, -4, {"gloves": 1}),
    (7, "shipped", -3, 2, {"helmet": 1, "gloves": 1}),
    (8, "shipped", -2, 3, {"lock": 1}),
    (9, "processing", -1, 4, {"lights": 2}),
    (10, "processing", -1, 5, {"pump": 1}),
    (11, "processing", 0, 6, {"bell": 1, "gloves": 2}),
    (12, "processing", 0, 7, {"bike-city": 1, "helmet": 1, "lock": 1}),
]
OTHER_ORDERS: list[tuple[int, OrderStatus, int, int, dict[str, int]]] = [
    (13, "delivered", -12, -7, {"bell": 2}),
    (14, "processing", -1, 4, {"helmet": 1}),
]


async def seed(session: Session, now: datetime) -> None:
    """Fill empty tables. *now*: on the shop's own clock; all dates count from its day."""
    today = now.date()
    session.add_all(
        [
            Customer(id=DEMO_CUSTOMER_ID, name="Sam Rivera", phone="+1 555 0134"),
            Customer(id=OTHER_CUSTOMER_ID, name="Alex Kim", phone="+1 555 0177"),
            *(
                Product(
                    sku=sku,
                    name=name,
                    description=description,
                    price_cents=price,
                    currency="USD",
                    stock=stock,
                )
                for sku, name, description, price, stock in PRODUCTS
            ),
            *(OpeningHours(weekday=day, opens=time(9), closes=time(18)) for day in range(5)),
            OpeningHours(weekday=5, opens=time(10), closes=time(16)),
        ]
    )
    await session.flush()
    session.add_all(_order(DEMO_CUSTOMER_ID, today, *row) for row in ORDERS)
    session.add_all(_order(OTHER_CUSTOMER_ID, today, *row) for row in OTHER_ORDERS)
    await session.flush()
    session.add_all(
        [
            Refund(order_number=5, amount_cents=PRICES["pump"], at=now - timedelta(days=5)),
            Refund(order_number=6, amount_cents=PRICES["gloves"], at=now - timedelta(days=2)),
        ]
    )
    soon = workday(today + timedelta(days=3))
    for customer, kind, day, start, note in (
        (DEMO_CUSTOMER_ID, "fitting", soon, time(10), "Saddle height"),
        (OTHER_CUSTOMER_ID, "fitting", soon, time(11), ""),
        (DEMO_CUSTOMER_ID, "repair", workday(today - timedelta(days=20)), time(15), "Flat tire"),
    ):
        session.add(
            Appointment(
                customer_id=customer, kind=kind, day=day, start=start, note=note, status="booked"
            )
        )
        # One by one: callers name appointments by number, so these must not depend on chance.
        await session.flush()


def workday(day: date) -> date:
    """*day*, or the Monday after it when it is at a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _order(
    customer_id: str,
    today: date,
    number: int,
    status: OrderStatus,
    placed: int,
    arrives: int,
    items: dict[str, int],
) -> Order:
    arrival = today + timedelta(days=arrives)
    return Order(
        number=number,
        customer_id=customer_id,
        status=status,
        currency="USD",
        placed_on=today + timedelta(days=placed),
        expected_on={"cancelled": None, "delivered": arrival}.get(status, workday(arrival)),
        delivered_on=arrival if status == "delivered" else None,
        items=[
            OrderItem(sku=sku, quantity=quantity, unit_price_cents=PRICES[sku])
            for sku, quantity in items.items()
        ],
    )
