"""The shop's agent with words that nobody can interrupt."""

import dataclasses

from examples.storefront.agent import AGENT as SHOP

DISCLOSURE = "Before we begin: this call is written down, so that we can look into complaints."
AGENT = dataclasses.replace(SHOP, disclosure=DISCLOSURE, protect=("notices", "goodbye"))
