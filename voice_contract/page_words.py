"""What the page says about the agent, before and during a call."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Words = Annotated[str, Field(min_length=1, max_length=400)]


class PageWords(BaseModel):
    """Answer of `GET /api/page`. What is null is as it was built into the page."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Whom the caller talks to: "Talk to NAME"."""
    lead: Words | None = None
    """What the caller reads first."""
    suggestions: Annotated[list[Words], Field(max_length=8)] | None = None
    """What the caller can say."""
    parts: Annotated[list[Words], Field(min_length=1, max_length=8)] | None = None
    """The parts of the page that are shown, by the page's own names for them."""
