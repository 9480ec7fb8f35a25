"""What the token service tells the worker about a call, through the SFU's dispatch."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

CallId = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    ),
]
"""UUIDv7 in lower case. It is also the room's name."""


class DispatchMetadata(BaseModel):
    """The metadata of an agent dispatch, as JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call_id: CallId
    attempt: int = Field(ge=1)
    """Counts the agents that were sent to this call."""
    caller: str = Field(min_length=1, max_length=128)
    """The caller's identity in the room. The agent listens to this participant alone."""
