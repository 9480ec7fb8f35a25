"""What the page tells the agent of its caller."""

from pydantic import BaseModel, ConfigDict


class CallerState(BaseModel):
    """Why the caller may be silent. It replaces what was told before."""

    model_config = ConfigDict(extra="forbid")

    muted: bool
    """The microphone is muted, or there is none."""
    typing: bool
    """Words stand in the page's input field that were not sent."""
