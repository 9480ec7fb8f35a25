"""The room's metadata, by which the supervisor tells the page what no agent is there to tell."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

RoomStateName = Literal["connecting", "live", "recovering", "no-agent", "ending"]


class RoomState(BaseModel):
    """
    As JSON in the room's metadata; only the supervisor and the token service write it.

    `connecting`: the first agent is on its way. `live`: it is there. `recovering`: another one is
    on its way. `no-agent`: none is free right now; the supervisor keeps trying. `ending`: the call
    is over.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    attempt: int = Field(ge=1)
    """The page plays the audio of this attempt's agent only."""
    state: RoomStateName
