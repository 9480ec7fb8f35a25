"""The shop's agent with one more tool: a refund without a question."""

import dataclasses

from examples.storefront.agent import AGENT as SHOP
from examples.storefront.agent.orders import refund_order

AT_ONCE = "refund_at_once"
AGENT = dataclasses.replace(
    SHOP,
    tools=(
        *SHOP.tools,
        dataclasses.replace(
            refund_order,
            name=AT_ONCE,
            guards=dataclasses.replace(refund_order.guards, confirm=None),
        ),
    ),
)
