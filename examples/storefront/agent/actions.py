"""
What the shop's agent suggests that the shop's page does.

`npm run contract` in `web/` writes `web/src/storefront/contract.ts` from this file.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from voice_contract.actions import Action

Words = Annotated[str, Field(max_length=200)]


class OrderLine(BaseModel):
    """What was ordered."""

    model_config = ConfigDict(extra="forbid")

    name: Words
    quantity: int = Field(ge=1, le=10_000)


class ShowOrder(Action, extra="forbid"):
    """Show an order of the caller."""

    action: Literal["show_order"] = "show_order"
    number: int = Field(ge=1)
    status: Words
    items: list[OrderLine] = Field(max_length=50)
    total: Words
    expected_on: Words | None = None
    """A date as 2026-12-31."""


class Navigate(Action, extra="forbid"):
    """Go to a part of the page."""

    action: Literal["navigate"] = "navigate"
    to: Literal["conversation", "orders", "appointment"]


class FillForm(Action, extra="forbid"):
    """Fill in the appointment form; the person sends it."""

    action: Literal["fill_form"] = "fill_form"
    form: Literal["appointment"] = "appointment"
    day: Words = ""
    time: Words = ""
    kind: Literal["fitting", "repair", ""] = ""


class OfferDownload(Action, extra="forbid"):
    """Offer a text to keep."""

    action: Literal["offer_download"] = "offer_download"
    filename: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}\.txt$")
    text: str = Field(max_length=4_000)


class StartOver(Action, extra="forbid"):
    """Clear what was shown and filled in."""

    action: Literal["start_over"] = "start_over"
