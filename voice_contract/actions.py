"""
Client actions: what the agent suggests that the caller's page does.

The page has its own list of what it does, asks the person first where its list says so, and
reports the outcome. These are the storefront's; another page has others.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ActionId = Annotated[str, Field(min_length=1, max_length=64)]
Words = Annotated[str, Field(max_length=200)]


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OrderLine(_Action):
    """What was ordered."""

    name: Words
    quantity: int = Field(ge=1, le=10_000)


class ShowOrder(_Action):
    """Show an order of the caller."""

    action: Literal["show_order"] = "show_order"
    number: int = Field(ge=1)
    status: Words
    items: list[OrderLine] = Field(max_length=50)
    total: Words
    expected_on: Words | None = None
    """A date as 2026-12-31."""


class Navigate(_Action):
    """Go to a part of the page."""

    action: Literal["navigate"] = "navigate"
    to: Literal["conversation", "orders", "appointment"]


class FillForm(_Action):
    """Fill in the appointment form; the person sends it."""

    action: Literal["fill_form"] = "fill_form"
    form: Literal["appointment"] = "appointment"
    day: Words = ""
    time: Words = ""
    kind: Literal["fitting", "repair", ""] = ""


class OfferDownload(_Action):
    """Offer a text to keep."""

    action: Literal["offer_download"] = "offer_download"
    filename: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}\.txt$")
    text: str = Field(max_length=4_000)


class StartOver(_Action):
    """Clear what was shown and filled in."""

    action: Literal["start_over"] = "start_over"


Action = Annotated[
    ShowOrder | Navigate | FillForm | OfferDownload | StartOver, Field(discriminator="action")
]


class ClientAction(BaseModel):
    """The agent suggests an action."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["client-action"] = "client-action"
    id: ActionId
    action: Action


ActionOutcome = Literal["done", "declined", "refused", "failed"]


class ActionReport(BaseModel):
    """
    What came of it.

    `declined`: by the person. `refused`: not on the page's list, or wrong. `failed`: it broke.
    """

    model_config = ConfigDict(extra="forbid")

    id: ActionId
    outcome: ActionOutcome
    detail: Words = ""
