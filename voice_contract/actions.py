"""
Client actions: what the agent suggests that the caller's page does.

Each agent declares its own, as subclasses of `Action`; the page has a list of those that it does,
asks the person first where its list says so, and reports the outcome.
"""

import re
from typing import Annotated, Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

ActionId = Annotated[str, Field(min_length=1, max_length=64)]
ACTION_NAME = r"^[a-z][a-z0-9_]{0,63}$"
ActionName = Annotated[str, Field(pattern=ACTION_NAME)]
ACTION_MAX_BYTES = 32_768


class Action(BaseModel):
    """
    One action: its name and what it needs.

    A subclass gives the name as `action: Literal["open_door"] = "open_door"`, and forbids fields
    that it does not know: `class OpenDoor(Action, extra="forbid")`.
    """

    model_config = ConfigDict(extra="allow")

    action: ActionName

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        field = cls.model_fields["action"]
        named = get_origin(field.annotation) is Literal and field.default in get_args(
            field.annotation
        )
        if not named or not re.match(ACTION_NAME, str(field.default)):
            raise TypeError(
                f"{cls.__name__} needs its name as a field, such as "
                'action: Literal["open_door"] = "open_door"'
            )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(self.model_dump_json().encode()) > ACTION_MAX_BYTES:
            raise ValueError(f"an action has at most {ACTION_MAX_BYTES} bytes")
        return self


class ClientAction(BaseModel):
    """The agent suggests an action."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["client-action"] = "client-action"
    id: ActionId
    action: SerializeAsAny[Action]


ActionOutcome = Literal["done", "declined", "refused", "failed"]


class ActionReport(BaseModel):
    """
    The outcome of an action, as the page reports it.

    `declined`: the person said no. `refused`: the page does not do it, or its fields are wrong.
    `failed`: it broke.
    """

    model_config = ConfigDict(extra="forbid")

    id: ActionId
    outcome: ActionOutcome
    detail: str = Field("", max_length=200)
