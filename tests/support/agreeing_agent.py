"""The shop's agent that says yes to what it does not understand."""

import dataclasses

from examples.storefront.agent import AGENT as SHOP

AGREES = "Yes, of course. Yes, go ahead."
AGENT = dataclasses.replace(
    SHOP, phrases=dataclasses.replace(SHOP.phrases, not_understood=(AGREES,) * 9)
)
